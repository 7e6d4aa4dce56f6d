"""The seven calls as requests: read by the wallet, composed by the sender."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nagagames_world import (
    BET,
    CALLS,
    LIVE,
    TOKEN,
    answer_to,
    bet,
    cancel,
    command_of,
    error_of,
    fields,
    integration,
    integration_for,
    payout,
    post,
    refusal,
    request_of,
    row,
    text,
    vectors,
)

from seamline.dialects.dialect import Malformed
from seamline.dialects.nagagames import BODY_LIMIT, DIALECT, wire
from seamline.money import Quantity
from seamline.wallet import Command, Kind, Rejected, Rejection

CALL_ROWS = vectors("calls")["calls"]
FREE_ROWS = vectors("free_spins")["calls"]
COMPOSED = [(each, "command") for each in CALL_ROWS if each.get("composes", True)]
COMPOSED += [(each, "reads_as") for each in FREE_ROWS]

ids = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\x1f"), min_size=1, max_size=255
)
amounts = st.builds(Quantity, st.integers(0, 10**15), st.integers(0, 2))
plays = {
    "session": ids,
    "amount": amounts,
    "feature": st.none() | ids,
    "reference": ids,
    "game": ids,
}


def named(given_):
    """The id of a row of vectors."""
    return given_["id"]


def read(call, data, where=LIVE):
    """The one command of a request with that data."""
    (command,) = CALLS[call].read(post(call, text(data), where=where), where)
    return command


def place(**changed):
    """A place-bet with some fields changed, as it is read."""
    return read("place-bet", fields("N2", **changed))


def refused(call="place-bet", name="N2", **changed):
    """The error object that a request with some fields changed gets."""
    return answer_to(post(call, text(fields(name, **changed))), call)


@pytest.mark.parametrize("given_", CALL_ROWS, ids=named)
def test_each_vector_reads_as_its_command(given_):
    """The published request is read as the command that it stands for."""
    where = integration_for(given_)
    assert CALLS[given_["call"]].read(request_of(given_), where) == (command_of(given_),)


@pytest.mark.parametrize("given_", FREE_ROWS, ids=named)
def test_row47_free_spins_read_as_their_commands(given_):
    """Free spins are of the round of the spin that won them, which ends with the last of them."""
    where = integration_for(given_)
    found = CALLS[given_["call"]].read(request_of(given_), where)
    assert found == (command_of(given_, "reads_as"),)


@pytest.mark.parametrize(("given_", "member"), COMPOSED)
def test_row03_each_command_is_composed_byte_for_byte(given_, member):
    """The command is composed as the published data, hash and, with its key, signature."""
    where = integration_for(given_)
    request = CALLS[given_["call"]].compose((command_of(given_, member),), where, 7)
    expected = request_of(given_)
    assert (request.method, request.path, request.at_ms) == ("POST", expected.path, 7)
    assert request.body == expected.body
    if given_["key"] == "throw_away":
        assert request.header(b"x-signature") == expected.header(b"x-signature")


@pytest.mark.parametrize(("call", "kind", "make"), [("place-bet", "bet", bet),
                                                    ("payout", "payout", payout)])  # fmt: skip
@given(
    bet_id=ids,
    parent=st.none() | ids,
    last=st.none() | st.booleans(),
    drawn=st.fixed_dictionaries(plays),
)
def test_what_is_composed_reads_back(call, kind, make, bet_id, parent, last, drawn):
    """Any play survives the wire; `|`, `;` and `/` in ids too."""
    mine = parent in {None, bet_id}
    command = make(
        key=f"{kind}/{bet_id}",
        round=bet_id if mine else parent,
        ends=last if mine else bool(last),
        **drawn,
    )
    if call == "payout":
        command = msgspec.structs.replace(command, target=f"bet/{bet_id}")
    request = CALLS[call].compose((command,), LIVE, 0)
    assert refusal(DIALECT.verify, request, LIVE) is None
    (again,) = CALLS[call].read(request, LIVE)
    assert again.amount.same_value(command.amount)
    assert again == msgspec.structs.replace(command, amount=again.amount, note=again.note)


@pytest.mark.parametrize(
    ("call", "command", "field"),
    [
        ("place-bet", payout(), "kind"),
        ("place-bet", bet(key=None), "key"),
        ("place-bet", bet(key="payout/1"), "key"),
        ("place-bet", bet(key="bet/"), "key"),
        ("place-bet", bet(key="bet/" + "x" * 256), "key"),
        ("place-bet", bet(key="bet/\ud800"), "key"),
        ("place-bet", bet(key="bet/\0"), "key"),
        ("place-bet", bet(amount=None), "amount"),
        ("place-bet", bet(amount=Quantity(1, 3)), "amount"),
        ("place-bet", bet(amount=Quantity(10**18)), "amount"),
        ("place-bet", bet(currency=None), "currency"),
        ("place-bet", bet(game=None), "game"),
        ("place-bet", bet(session=None), "session"),
        ("place-bet", bet(round=None), "round"),
        ("place-bet", bet(reference=None), "reference"),
        ("place-bet", bet(round="another"), "ends"),
        ("payout", bet(), "kind"),
        ("payout", payout(target="bet/another"), "target"),
        ("cancel-bet", cancel(target="bet/another"), "target"),
        ("cancel-bet", cancel(key="bet/1"), "key"),
        ("bet-status", bet(kind=Kind.STATUS, target=None), "target"),
        ("balance", bet(kind=Kind.BALANCE, session=None), "session"),
        ("authorize", bet(kind=Kind.AUTHORIZE, game=None), "game"),
        ("player-token", bet(kind=Kind.AUTHORIZE, player="p1"), "session"),
        ("player-token", bet(kind=Kind.AUTHORIZE, session=None), "player"),
    ],
)
def test_a_command_without_a_place_on_the_wire_is_not_sent(call, command, field):
    """A command that the other end could not read, or would read as another one, is refused."""
    found = refusal(CALLS[call].compose, (command,), LIVE, 0)
    assert found.why is Rejection.MALFORMED
    assert found.field == field


def test_a_batch_is_not_sent():
    """A request carries one command."""
    for items in ((), (bet(), bet()), (Rejected(why=Rejection.FUNDS),)):
        with pytest.raises(Malformed):
            CALLS["place-bet"].compose(items, LIVE, 0)


# Fields.


def test_row13_optional_fields_may_be_absent_or_null():
    """Each of the switched fields comes by itself, as null, or not at all."""
    bare = fields("N2", betType=..., isLastFreeSpins=..., parentBetId=...)
    assert read("place-bet", bare) == bet(feature=None)
    assert place(betType=None) == bet(feature=None)
    assert place(isLastFreeSpins=...) == bet()
    assert place(isLastFreeSpins=False) == bet()


@pytest.mark.parametrize(
    ("parent", "last", "of", "ends"),
    [
        (None, None, BET, None),
        (None, False, BET, None),
        (BET, None, BET, False),
        (BET, False, BET, False),
        ("trigger", None, "trigger", False),
        ("trigger", False, "trigger", False),
        ("trigger", True, "trigger", True),
        (None, True, BET, True),
    ],
)
def test_row47_row48_the_round_of_free_spins(parent, last, of, ends):
    """The round is named by the spin that won the free spins, and open until the last of them."""
    command = place(parentBetId=parent, isLastFreeSpins=last)
    assert (command.round, command.ends) == (of, ends)


@pytest.mark.parametrize(
    "feature",
    ["NORMAL", "PREPAID", "WIN_FREESPIN", "BUY_FREESPIN", "GAMBLE", "JACKPOT", "a new one", "ж"],
)
def test_row51_any_bet_type_is_taken(feature):
    """A bet type is recorded as it came, also one that nobody has heard of."""
    assert place(betType=feature, amount=0) == bet(feature=feature, amount=Quantity(0))


@pytest.mark.parametrize("feature", ["PREPAID", "WIN_FREESPIN"])
def test_a_free_spin_with_a_stake_is_noted(feature):
    """A spin that should cost nothing is debited as it says, and a person hears of it."""
    command = place(betType=feature, amount=5)
    assert command.amount == Quantity(5)
    assert "debited" in command.note
    assert place(betType="BUY_FREESPIN", amount=5).note is None


def test_more_than_a_double_can_count_is_noted():
    """Above 2**53 hundredths the vendor's own numbers are not exact."""
    assert place(amount=90071992547409).note is None
    assert "exactly" in place(amount=90071992547410).note
    assert "exactly" in read("payout", fields("N2", amount=90071992547410)).note


def test_row50_a_transaction_id_of_54_characters():
    """Transaction ids are longer than the vendor's table says."""
    given_ = row("VN1")
    (command,) = CALLS["payout"].read(request_of(given_), integration_for(given_))
    assert len(command.reference) == 54
    assert place(transactionId="x" * 255).reference == "x" * 255
    assert refused(transactionId="x" * 256) == (400, "Invalid data: transactionId")


@pytest.mark.parametrize("put", ["|", ";", "a|b;c/d", "é 麻将 😀", "x" * 255])
def test_ids_of_any_characters(put):
    """Ids are taken as they are."""
    command = place(betId=put, playerToken=put)
    assert (command.key, command.session) == (f"bet/{put}", put)


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("0", Quantity(0)),
        ("-0", Quantity(0)),
        ("-0.0", Quantity(0, 1)),
        ("10", Quantity(10)),
        ("10.5", Quantity(105, 1)),
        ("10.50", Quantity(1050, 2)),
        ("10.500", Quantity(105, 1)),
        ("1e1", Quantity(10)),
        ("1.5E+2", Quantity(150)),
        ("150e-2", Quantity(150, 2)),
        ('"10.00"', Quantity(1000, 2)),
        ('"1e1"', Quantity(10)),
        ("999999999999999999.99", Quantity(10**20 - 1, 2)),
    ],
)
def test_row14_row26_amounts_that_are_read(token, value):
    """A number of at most two decimals and 20 digits, however it is spelled."""
    assert wire.amount(token.encode()) == value


@pytest.mark.parametrize(
    "token",
    ["-1", "-0.01", "0.001", "1e-3", '"abc"', '""', '"-1"', '" 1"', '"1 "', '"+1"', "null", "true",
     "[1]", '{"a":1}', "1000000000000000000", "100000000000000000000", "1e18", "1e999", "1e-999",
     "1" * 65, "1." + "0" * 64, '"0x1"', '"\\u0031"', '"NaN"'],
)  # fmt: skip
def test_row26_amounts_that_are_refused(token):
    """Anything else is refused, and named."""
    data = text(fields("N2", amount=7)).replace('"amount":7', f'"amount":{token}')
    assert answer_to(post("place-bet", data)) == (400, "Invalid data: amount")


@pytest.mark.parametrize("call", ["place-bet", "payout"])
@pytest.mark.parametrize(
    "name",
    ["betId", "currency", "gameCode", "playerToken", "groupCode", "transactionId", "amount",
     "brandCode"],
)  # fmt: skip
def test_row26_a_field_that_is_missing_or_wrong(call, name):
    """A required field that is missing, null, empty or of another type is named."""
    named_ = (400, f"Invalid data: {name}")
    assert refused(call, **{name: ...}) == named_
    for put in (None, [], {}, True, *(() if name == "amount" else (7,))):
        assert refused(call, **{name: put}) == named_
    if name not in ("amount", "brandCode", "groupCode"):
        assert refused(call, **{name: ""}) == named_
        assert refused(call, **{name: "x" * 256}) == named_
        assert refused(call, **{name: "a\0"}) == named_


@pytest.mark.parametrize(
    "change",
    [{"parentBetId": 7}, {"betType": 7}, {"betType": "x" * 256}, {"isLastFreeSpins": "true"},
     {"isLastFreeSpins": 1}],
    ids=repr,
)  # fmt: skip
def test_an_optional_field_of_another_type(change):
    """What is optional has a type all the same."""
    assert refused(**change) == (400, f"Invalid data: {next(iter(change))}")


@pytest.mark.parametrize("name", ["brandCode", "groupCode"])
@pytest.mark.parametrize(
    ("call", "like"),
    [("place-bet", "N2"), ("payout", "N2"), ("authorize", "N1"), ("player-token", "N10")],
)
def test_row18_codes_of_another_casino(call, like, name):
    """The codes of brand and group must be the integration's."""
    assert refused(call, like, **{name: "xxxx"}) == (400, "Invalid brand or group")


def test_a_disabled_game_takes_no_new_bets():
    """The refusal stands where money would be staked and the bet is new; never on a payout."""
    where = integration(games=frozenset({"mahjong"}))
    data = fields("N2")
    assert read("place-bet", data, where).objection is Rejection.GAME
    assert read("authorize", fields("N1"), where).objection is Rejection.GAME
    assert read("payout", data, where).objection is None
    assert place().objection is None
    assert error_of(Rejected(why=Rejection.GAME)) == (400, "Invalid game")


def test_a_cancel_may_carry_a_token():
    """The token comes where it is switched on; null and empty text are none."""
    assert read("cancel-bet", fields("N7")).session == TOKEN
    assert read("cancel-bet", fields("N6", playerToken=None)) == cancel()
    assert read("cancel-bet", fields("N6", playerToken="")) == cancel()


def test_an_empty_parent_is_none():
    """A bet or payout whose parent is empty text is a round of its own."""
    for call in ("place-bet", "payout"):
        none, empty = (read(call, fields("N2", parentBetId=parent)) for parent in (None, ""))
        assert none == empty


def test_the_player_of_a_status_is_the_vendors_own():
    """`playerId` names nobody here, and is not looked at."""
    assert read("bet-status", fields("N8")) == read("bet-status", fields("N8", playerId=...))


def test_a_field_that_nobody_knows_is_ignored():
    """The vendor may add fields; they are hashed like all others."""
    assert place(somethingNew={"deep": [1, None]}) == bet()


def test_data_that_is_no_object():
    """Data of another type is an invalid request."""
    for data in ("7", "[]", '"x"', "null"):
        assert answer_to(post("place-bet", data)) == (400, "Invalid request")


def test_player_token_is_off_unless_switched_on():
    """The page of that call is lost, so that nobody answers it by mistake."""
    off = integration(player_token_call=False)
    request = request_of(row("N10"))
    assert answer_to(request, "player-token", off) == (404, "Not found")
    assert CALLS["player-token"].read(request, LIVE) == (
        Command(kind=Kind.AUTHORIZE, integration="naga", player="playerA", game="pandora"),
    )


def test_the_identity_of_a_bet():
    """Amount, currency, game and player must be equal in a repeat; other fields may differ."""
    policy = DIALECT.policy(LIVE.options)
    assert set(policy.fingerprint) == {"kind", "currency", "game", "target"}
    assert policy.remembered_refusals == frozenset()
    assert policy.replayed_balance == "current"
    stored = DIALECT.policy(integration(replayed_balance="stored").options)
    assert stored.replayed_balance == "stored"


def test_bodies_are_small():
    """No call reads more than 64 KiB."""
    assert {call.body_limit for call in DIALECT.calls} == {BODY_LIMIT} == {65_536}


def test_a_number_of_the_wire_is_written_as_javascript_does():
    """No idle zeros: the vendor's own hash is over such numbers."""
    for amount, written in [("10", "10"), ("10.50", "10.5"), ("0.00", "0"), ("0.05", "0.05")]:
        request = CALLS["place-bet"].compose((bet(amount=Quantity.parse(amount)),), LIVE, 0)
        assert f'"amount":{written},' in request.body.decode()
        assert json.loads(request.body)["data"]["betId"] == BET
