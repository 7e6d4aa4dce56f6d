"""The four calls, both ways: published requests, other spellings, and what is no request."""

import json

import pytest
from slotegrator_world import (
    CALLS,
    HERE,
    NOW,
    SAMPLES,
    SESSION,
    TRANSACTION,
    bet,
    body,
    command_of,
    integration,
    post,
    read,
    refusal,
    vectors,
)

from seamline.dialects.slotegrator import DIALECT
from seamline.money import Quantity
from seamline.wallet import Kind, Rejection

ROWS = vectors("calls")["calls"]
READS = vectors("reads")["reads"]
NUMBERS = integration(amount_as="number")


def why(members, where=HERE):
    """How the signed members are refused."""
    return refusal(read, members, where)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_each_published_request_is_composed_and_read(row):
    """A command becomes the published bytes with the published signature, and comes back."""
    command = command_of(row["command"])
    request = CALLS[row["call"]].compose((command,), HERE, NOW)
    assert (request.method, request.path, request.at_ms) == ("POST", "", NOW)
    assert request.body.decode() == row["body"]
    assert request.header(b"x-sign").decode() == row["signature"]
    assert request.header(b"content-type") == b"application/json"
    assert DIALECT.which(request, HERE) == row["call"]
    assert CALLS[row["call"]].read(request, HERE) == (command,)


@pytest.mark.parametrize("row", READS, ids=lambda row: row["id"])
def test_other_spellings_are_read_too(row):
    """What other providers and versions send is read as the same command."""
    request = post(row["body"])
    assert request.header(b"x-sign").decode() == row["signature"]
    assert DIALECT.which(request, HERE) == row["calls_for"]
    assert CALLS[row["calls_for"]].read(request, HERE) == (command_of(row["reads"]),)


def test_a02_a_number_and_a_text_are_the_same_amount():
    """The sample with a number and the one with a text are one command; either can be sent."""
    assert read(SAMPLES["S6"]["body"]) == read(SAMPLES["S7"]["body"]) == bet()
    sent = CALLS["bet"].compose((bet(),), NUMBERS, NOW)
    assert sent.body.decode() == SAMPLES["S6"]["body"]
    assert sent.header(b"x-sign").decode() == SAMPLES["S6"]["signature"]


def test_a_number_is_sent_where_only_the_amount_is_one():
    """Ids that hold the amount's very text stay texts."""
    tricky = 'x","amount":"10.0001"'
    sent = CALLS["bet"].compose((bet(session=tricky, round="10.0001"),), NUMBERS, NOW)
    assert read(sent.body) == bet(session=tricky, round="10.0001")
    assert b'"amount":10.0001,' in sent.body


def test_a05_a_pretty_printed_body_is_read():
    """White space and line ends are fine in JSON, so they are fine here."""
    assert read(SAMPLES["S13"]["body"]) == command_of({"kind": "balance", "session": SESSION})


@pytest.mark.parametrize(
    "raw",
    [b"", b" ", b"x", b"[]", b"null", b'"bet"', b"{", b'{"action":"bet"', b"\xff", b"[" * 9000,
     b'{"action":"bet","x":' + b"[" * 9000 + b"]" * 9000 + b"}"],
    ids=lambda raw: repr(raw[:24]),
)  # fmt: skip
def test_a07_what_is_no_object_is_malformed(raw):
    """Rightly signed bytes that are no JSON object are malformed, before any call is known."""
    assert refusal(DIALECT.which, post(raw), HERE).why is Rejection.MALFORMED


@pytest.mark.parametrize("action", ["foo", "Bet", "BET", "", "bet ", "rollback", "win\0"])
def test_a08_an_unknown_action(action):
    """An action that the protocol lacks is no call."""
    refused = why(body(action=action))
    assert (refused.why, refused.field) == (Rejection.CALL_UNKNOWN, "action")


@pytest.mark.parametrize("action", [..., None, 1, True, ["bet"], {"bet": 1}], ids=repr)
def test_a08_a_missing_action(action):
    """An action that is missing, or is no text, is malformed and named."""
    refused = why(body() | {"action": action} if action is not ... else body(action="bet") | {})
    if action is ...:
        refused = why({key: each for key, each in body().items() if key != "action"})
    assert (refused.why, refused.field) == (Rejection.MALFORMED, "action")


@pytest.mark.parametrize(
    ("amount", "means"),
    [
        ('"10.0001"', "10.0001"),
        ("10.0001", "10.0001"),
        ("0", "0"),
        ('"0"', "0"),
        ('"0.0000"', "0.0000"),
        ("10", "10"),
        ("10.0", "10.0"),
        ('"9999999999999999.9999"', "9999999999999999.9999"),
        ("9999999999999999.9999", "9999999999999999.9999"),
        ("96.24049999999998", "96.2405"),
        ("0.30000000000000004", "0.3"),
        ('"96.24049999999998"', "96.2405"),
        ("0.99999999999999", "1"),
        ("1.00000001", "1"),
        ("10.00000", "10"),
        ('"\\u0031\\u0030"', "10"),
        (" 10 ", "10"),
        ("1e1", "10"),
        ("1E1", "10"),
        ("1.5e0", "1.5"),
        ("1.0e+1", "10"),
        ("2.0e-4", "0.0002"),
        ("9.9999999999E-5", "0.0001"),
        ("1.25e3", "1250"),
        ("1.0E-17", "0"),
        ("1e-308", "0"),
        ("1.0e+15", "1000000000000000"),
        ("9.9999e15", "9999900000000000"),
    ],
)
def test_a17_amounts_that_are_read(amount, means):
    """Texts and numbers of four decimals are read exactly, and a float's noise is taken off."""
    raw = json.dumps(body(amount="?")).replace('"?"', amount)
    assert read(raw).amount == Quantity.parse(means)


@pytest.mark.parametrize(
    "amount",
    ['"1e1"', '"abc"', "true", "null", '"1.00001"', "1.00001", "1.00000002", '""', '" 1"', '"1 "',
     '"+1"', '"01"', '".5"', '"1."', '"1,5"', '"NaN"', '"Infinity"', '"1.0E-17"', "[1]", "1.0E-5",
     "1.5e-4", "1.0E+25", "1e16", "1e308", "1e9999", "{}",
     '{"a":1}', "false", '"10000000000000000"', "10000000000000000", '"\uff11"', '"--1"', '"- 1"',
     '"-"', '"-x"', '"0x10"', '"1_0"', '"' + "9" * 65 + '"'],
)  # fmt: skip
def test_a17_amounts_that_are_not_read(amount):
    """Anything else is malformed, and the amount is named."""
    raw = json.dumps(body(amount="?")).replace('"?"', amount)
    refused = why(raw)
    assert (refused.why, refused.field) == (Rejection.MALFORMED, "amount")


@pytest.mark.parametrize("amount", ['"-1"', "-1", '"-0.0001"', "-10.5", "-1.0e+1"])
def test_a16_amounts_below_zero(amount):
    """An amount below zero is out of range, which has a code of its own."""
    raw = json.dumps(body(amount="?")).replace('"?"', amount)
    refused = why(raw)
    assert (refused.why, refused.field) == (Rejection.AMOUNT_RANGE, "amount")
    assert b"AMOUNT_SHOULD_BE_POSITIVE" in DIALECT.refuse(refused, "bet", HERE).body


def test_a16_zero_is_taken_unless_the_integration_says_no():
    """A stake or win of nothing is taken by default; a free spin's amount never matters."""
    strict = integration(allow_zero=False)
    for action in ("bet", "win"):
        assert read(body(action, amount="0")).amount == Quantity(0)
        refused = why(body(action, amount="0.00"), strict)
        assert refused.why is Rejection.AMOUNT_RANGE
        assert b"AMOUNT_SHOULD_BE_POSITIVE" in DIALECT.refuse(refused, action, strict).body
        assert read(body(action, amount="0", type="freespin"), strict).amount == Quantity(0)


@pytest.mark.parametrize(
    ("action", "type_", "kind", "free", "feature"),
    [
        ("bet", "bet", Kind.BET, False, None),
        ("bet", "freespin", Kind.BET, True, "freespin"),
        ("bet", "tip", Kind.TIP, False, None),
        ("win", "win", Kind.WIN, False, None),
        ("win", "freespin", Kind.REWARD, False, "freespin"),
        ("win", "jackpot", Kind.REWARD, False, "jackpot"),
        ("bet", ..., Kind.BET, False, None),
        ("win", ..., Kind.WIN, False, None),
    ],
)
def test_a39_types(action, type_, kind, free, feature):
    """Each type is a command of its own; without one it is a plain bet or win."""
    command = read(body(action, type=type_))
    assert (command.kind, command.free, command.feature) == (kind, free, feature)
    assert command.campaign == ("" if feature == "freespin" else None)
    assert command.key == f"{action}/{TRANSACTION}"


@pytest.mark.parametrize(
    ("action", "type_"),
    [("bet", "win"), ("bet", "jackpot"), ("win", "bet"), ("win", "tip"), ("bet", ""), ("bet", None),
     ("win", "Freespin"), ("bet", 1)],
)  # fmt: skip
def test_a39_an_unknown_type(action, type_):
    """A type that the action has not is malformed."""
    refused = why(body(action, type=type_))
    assert (refused.why, refused.field) == (Rejection.MALFORMED, "type")


@pytest.mark.parametrize("action", ["bet", "win", "refund", "balance"])
@pytest.mark.parametrize("put", [..., None, "", 7.5, True, [], {}, "x" * 256, "a\0b"], ids=repr)
def test_a_field_that_is_not_as_it_should_be(action, put):
    """Ids that are missing, empty, too long or of another type are malformed and named."""
    for field in ("session_id", "transaction_id", "round_id", "game_id"):
        optional = field == "game_id" or (action, field) == ("refund", "round_id")
        if field not in body(action) or (put is ... and optional):
            continue
        refused = why(body(action, **{field: put}))
        assert (refused.why, refused.field) == (Rejection.MALFORMED, field), (field, put)


def test_ids_of_any_characters():
    """Ids may hold separators of other protocols, slashes, and letters of any script."""
    for name in ("a|b;c", "bet/x", "win/1/2", "Zoë/ключ 玩家", "x" * 255, "'; --", "%00"):
        members = body(transaction_id=name, session_id=name, round_id=name, game_id=name)
        command = read(members)
        assert command.key == f"bet/{name}"
        assert {command.session, command.round, command.game} == {name}
        assert read(CALLS["bet"].compose((command,), HERE, NOW).body) == command


def test_a38_members_that_nobody_knows_are_left_alone():
    """What newer versions and other providers add changes nothing."""
    for action in ("bet", "win", "refund", "balance"):
        more = {"currency": "USD", "finished": 1, "x": {"y": [None]}}
        assert read(body(action) | more) == read(body(action))


@pytest.mark.parametrize(
    ("said", "ends"),
    [(True, True), (False, False), (None, None), ("true", None), (1, None), ({}, None)],
)
def test_a38_the_end_of_a_round(said, ends):
    """Newer providers say with a win whether the round is over; what is no yes or no is nothing."""
    command = read(body("win", is_finished=said))
    assert command.ends is ends
    again = CALLS["win"].compose((command,), HERE, NOW)
    assert read(again.body) == command
    assert (b"is_finished" in again.body) is (ends is not None)
    for action in ("bet", "refund", "balance"):
        assert read(body(action, is_finished=said)) == read(body(action))


@pytest.mark.parametrize("action", ["bet", "win", "refund", "balance"])
def test_a_name_that_comes_twice_is_malformed(action):
    """Two readers could read two things, so a member that comes twice is refused; so is action."""
    whole = json.dumps(body(action))
    for name, value in body(action).items():
        raw = f"{whole[:-1]},{json.dumps(name)}:{json.dumps(value)}}}"
        assert why(raw).why is Rejection.MALFORMED


def test_a_refund_is_tied_to_its_bet():
    """A refund has the id of its bet: another one cannot be said, nor an amount."""
    (row,) = [row for row in ROWS if row["id"] == "S9"]
    command = command_of(row["command"])
    for changed in ({"key": "refund/other"}, {"target": "win/x"}, {"amount": Quantity(1)},
                    {"key": "x"}, {"target": None}):  # fmt: skip
        fields = row["command"] | {k: v for k, v in changed.items() if k != "amount"}
        spoilt = command_of(fields)
        if "amount" in changed:
            spoilt = command_of(row["command"] | {"amount": "1"})
        assert refusal(CALLS["refund"].compose, (spoilt,), HERE, NOW).why is Rejection.MALFORMED
    assert CALLS["refund"].compose((command,), HERE, NOW).body.decode() == row["body"]


@pytest.mark.parametrize(
    "changed",
    [
        {"key": "win/x"},
        {"key": "x"},
        {"key": None},
        {"key": "bet/"},
        {"session": None},
        {"round": None},
        {"amount": None},
        {"amount": Quantity.parse("1.00001")},
        {"amount": Quantity(10**16)},
        {"free": True},
        {"feature": "jackpot"},
        {"campaign": "c1"},
        {"campaign": ""},
        {"kind": Kind.WIN},
        {"game": ""},
        {"session": "x" * 256},
        {"round": "\ud800"},
    ],
    ids=repr,
)
def test_what_the_wire_cannot_carry_is_not_composed(changed):
    """A command that this protocol has no words for is refused before it is sent."""
    refused = refusal(CALLS["bet"].compose, (bet(**changed),), HERE, NOW)
    assert refused.why is Rejection.MALFORMED
    assert refused.field in {*changed, "kind", "feature"}


def test_batches_are_not_composed():
    """A call carries one command."""
    for items in ((), (bet(), bet())):
        assert refusal(CALLS["bet"].compose, items, HERE, NOW).why is Rejection.MALFORMED


def test_amounts_are_sent_without_idle_zeros():
    """10.00 is sent as 10; a PHP peer that reads and writes again keeps a text as it is."""
    sent = CALLS["bet"].compose((bet(amount=Quantity.parse("10.5000")),), HERE, NOW)
    assert b'"amount":"10.5"' in sent.body
