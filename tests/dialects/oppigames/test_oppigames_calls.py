"""Requests: every vector both ways, every malformed body, and what the wire cannot say."""

import json

import msgspec
import pytest
from oppigames_world import AT, CALLS, HERE, ROWS, integration, items_of, refusal, request, vectors

from seamline.dialects.oppigames import DIALECT
from seamline.dialects.oppigames.adapter import CONTRADICTION, REWARD_TYPES
from seamline.dialects.oppigames.reasons import reason_of
from seamline.money import Quantity
from seamline.wallet import Kind, Rejected, Rejection

READ = vectors("also_read")["bodies"]
MALFORMED = vectors("malformed")["bodies"]


@pytest.mark.parametrize("name", ROWS)
def test_each_call_is_composed_and_read_as_published(name):
    """The vendor's bytes and signature come out, and go in as the same commands."""
    row, items = ROWS[name], items_of(name)
    asked = CALLS[row["call"]].compose(items, HERE, AT)
    assert (asked.path, asked.body.decode()) == (row["path"], row["body"])
    assert asked.header(b"x-signature").decode() == row["signature"]
    assert asked.header(b"x-timestamp") == str(AT).encode()
    assert refusal(DIALECT.verify, asked, HERE) is None
    assert CALLS[row["call"]].read(asked, HERE) == items


@pytest.mark.parametrize("row", READ, ids=lambda row: row["id"])
def test_other_bodies_say_the_same(row):
    """Case, spaces, unknown fields, fractions of zero and a bare rollback change nothing."""
    call = CALLS[ROWS[row["same_as"]]["call"]]
    assert call.read(request(row["body"]), HERE) == items_of(row["same_as"])


@pytest.mark.parametrize("row", MALFORMED, ids=lambda row: row["id"])
def test_malformed_bodies_are_refused_with_reason_field_and_id(row):
    """What cannot be read is named, and the id is repeated where it can be."""
    refused = refusal(CALLS[row["call"]].read, request(row["body"]), HERE)
    assert refused.why is Rejection.MALFORMED
    told = (reason_of(refused).value, refused.field, refused.key)
    assert told == (row["reason"], row.get("field"), row.get("key"))
    assert refused.detail


@pytest.mark.parametrize("word", REWARD_TYPES)
def test_row37_every_word_for_a_reward(word):
    """A word is known in any case and with any space around or within it."""
    body = ROWS["O3"]["body"].replace('"bonus"', json.dumps(f" {word.upper()}  "))
    (command,) = CALLS["reward"].read(request(body), HERE)
    assert (command.campaign is None) == (word == "jackpot")
    assert (command.claim is None) == (word == "jackpot")
    assert (command.reference is None) == (word != "jackpot")
    assert command.feature == f" {word.upper()}  "


@pytest.mark.parametrize(
    ("currency", "listed", "objects"),
    [("XXX", (), True), ("xxx", (), True), ("USD", (), False), ("USD", ("EUR",), True),
     ("eur", ("EUR",), False)],
)  # fmt: skip
def test_row59_currencies_that_no_bet_is_taken_in(currency, listed, objects):
    """Demo money, and what the integration does not list, is objected to once the id is new."""
    body = ROWS["O1"]["body"].replace("EUR", currency)
    (command,) = CALLS["bet"].read(request(body), integration(currencies=listed))
    assert command.objection is (Rejection.CURRENCY if objects else None)
    assert command.currency == currency.upper()


def test_without_sessions_the_player_and_currency_say_whose_money_it_is():
    """Ignored sessions are kept for the echo; in calls without a currency they still count."""
    where = integration(session_policy="ignore")
    for name in ("O1", "O2", "O4b"):
        (command,) = CALLS[ROWS[name]["call"]].read(request(ROWS[name]["body"]), where)
        (seated,) = items_of(name)
        assert (command.session, command.reference) == (None, seated.session)
        asked = CALLS[ROWS[name]["call"]].compose((command,), where, AT)
        assert asked.body.decode() == ROWS[name]["body"]
    for name in ("O3", "O4", "O5"):
        assert CALLS[ROWS[name]["call"]].read(request(ROWS[name]["body"]), where) == items_of(name)


def batch_of(*items):
    """The body of a batch."""
    return json.dumps({"transactions": list(items)}, separators=(",", ":"))


GOOD = json.loads(ROWS["O4"]["body"])["transactions"][0]


def test_row45_a_bad_item_is_refused_by_itself():
    """The others are read; each refusal repeats the id where it can."""
    found = CALLS["rollback"].read(
        request(batch_of(GOOD, GOOD | {"playerId": 7}, "x", GOOD | {"gameId": "a\0"}, GOOD)), HERE
    )
    assert [type(each) is type(found[0]) for each in found] == [True, False, False, False, True]
    refused = [each for each in found if isinstance(each, Rejected)]
    assert [each.key for each in refused] == [GOOD["transactionId"], None, GOOD["transactionId"]]
    assert refused[0].field == "playerId"


@pytest.mark.parametrize("count", [0, 1, 499, 500])
def test_row45_up_to_500_items_are_read(count):
    """An empty batch is one, too."""
    assert len(CALLS["rollback"].read(request(batch_of(*[GOOD] * count)), HERE)) == count


@pytest.mark.parametrize("items", [[GOOD] * 501, [{}] * 10_000, [GOOD] * 500 + ["x"]])
def test_row45_more_are_refused_as_a_whole(items):
    """Nothing of a batch that is too long is read."""
    for name in ("rollback", "retry"):
        refused = refusal(CALLS[name].read, request(batch_of(*items)), HERE)
        assert (refused.why, refused.field) == (Rejection.MALFORMED, "transactions")


@pytest.mark.parametrize(
    "body",
    ['{"transactions":{}}', '{"transactions":null}', "{}", "[]", '{"transactions":[{"a":1,"a":1}]}',
     '{"transactions":[]', '{"transactions":["\\ud800"]}'],
)  # fmt: skip
def test_row45_what_is_no_batch_is_refused_as_a_whole(body):
    """A body that is no list of things, or no JSON, is no batch with bad items."""
    for name in ("rollback", "retry"):
        assert refusal(CALLS[name].read, request(body), HERE).why is Rejection.MALFORMED


def test_row46_a_bare_object_is_a_batch_of_one_where_chosen():
    """For rollbacks only, and only where the operator takes it."""
    bare = json.dumps(GOOD)
    assert CALLS["rollback"].read(request(bare), HERE) == items_of("O4")
    strict = integration(rollback_accept_single=False)
    assert refusal(CALLS["rollback"].read, request(bare), strict).field == "transactions"
    assert refusal(CALLS["retry"].read, request(bare), HERE).field == "transactions"
    spoilt = json.dumps(GOOD | {"playerId": 7})
    assert refusal(CALLS["rollback"].read, request(spoilt), HERE).field == "playerId"


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("O1", {"key": None}, "key"),
        ("O1", {"key": "x" * 129}, "key"),
        ("O1", {"key": "a\0b"}, "key"),
        ("O1", {"key": "\ud800"}, "key"),
        ("O1", {"session": "x" * 1025}, "session"),
        ("O1", {"player": None}, "player"),
        ("O1", {"game": None}, "game"),
        ("O1", {"currency": "eur"}, "currency"),
        ("O1", {"currency": "EU"}, "currency"),
        ("O1", {"amount": None}, "amount"),
        ("O1", {"amount": Quantity(1, 6)}, "amount"),
        ("O1", {"amount": Quantity(2**53, 5)}, "amount"),
        ("O1", {"kind": Kind.TIP}, "kind"),
        ("O1", {"free": True}, "kind"),
        ("O2", {"target": None}, "target"),
        ("O2", {"note": "odd"}, "note"),
        ("O2", {"late": True}, "kind"),
        ("O3", {"campaign": None}, "feature"),
        ("O3", {"feature": "lottery"}, "rewardType"),
        ("jackpot", {"reference": None}, "reference"),
        ("O4", {"target": None}, "target"),
        ("O4b", {"late": False}, "key"),
        ("O4b", {"key": "another"}, "key"),
        ("O4b", {"round": None}, "round"),
    ],
)
def test_what_the_wire_cannot_say_is_refused(name, changes, field):
    """A command with no place on the wire is not sent as something else."""
    items = tuple(msgspec.structs.replace(each, **changes) for each in items_of(name))
    assert refusal(CALLS[ROWS[name]["call"]].compose, items, HERE, AT).field == field


def test_a_batch_says_one_kind_of_thing():
    """No call takes two commands but the batches, and these take up to 500 of their kind."""
    bet, undo = items_of("O1"), items_of("O4")
    assert refusal(CALLS["bet"].compose, bet * 2, HERE, AT) is not None
    assert refusal(CALLS["rollback"].compose, undo + bet, HERE, AT) is not None
    assert refusal(CALLS["rollback"].compose, (*undo, Rejected(why=Rejection.FUNDS)), HERE, AT)
    assert refusal(CALLS["rollback"].compose, undo * 501, HERE, AT) is not None
    assert refusal(CALLS["rollback"].compose, undo * 500, HERE, AT) is None


@pytest.mark.parametrize(
    ("amount", "is_win"), [("1", False), ("0", True), ("1", True), ("0", False)]
)
def test_row28_is_win_follows_the_amount_unless_noted(amount, is_win):
    """A payout whose two fields contradict each other is read with a note, and only that one."""
    (payout,) = items_of("O2")
    note = CONTRADICTION if is_win != (amount != "0") else None
    said = msgspec.structs.replace(payout, amount=Quantity.parse(f"{amount}.00000"), note=note)
    asked = CALLS["payout"].compose((said,), HERE, AT)
    assert json.loads(asked.body)["isWin"] is is_win
    assert CALLS["payout"].read(asked, HERE) == (said,)


def test_rollbacks_have_the_path_of_the_options():
    """Some pages call it a revert; the vendor's end sends it where the options say."""
    where = integration(rollback_path="/transaction/revert")
    assert DIALECT.routes(where.options)["rollback"] == ("POST", "/transaction/revert")
    assert CALLS["rollback"].compose(items_of("O4"), where, AT).path == "/transaction/revert"
