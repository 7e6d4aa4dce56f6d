"""Faults 1 to 6 and 24: the same again, the same id with other content, lost answers.

Once for every dialect, through its own compose and judge, over HTTP on the loopback; the books are
read through the operator's door, and their laws are proved again after each test.
"""

import asyncio

import msgspec
import pytest

from kit.vendor import Vendor, bare, like_kind, value
from seamline.dialects.dialect import Refused
from seamline.wallet import Kind, Verdict


def unprompted(vendor):
    """A command of each kind that moves money, each of which is done when it comes."""
    kinds = [kind for kind in (Kind.BET, Kind.WIN, Kind.REWARD) if vendor.can(kind)]
    return [vendor.owed(kind, "10.00") for kind in kinds]


def test_fault_01_the_same_again_moves_once(vendor):
    """A bet, win or reward that comes twice moves once, and both answers are equal."""
    commands = unprompted(vendor)
    prepared = len(vendor.moved())
    for command in commands:
        first = vendor.done(command)
        before = vendor.balance()
        again = vendor.done(command)
        assert vendor.balance() == before
        assert again.told == first.told
        if vendor.policy.replayed_balance == "stored":
            assert again.reply.body == first.reply.body
    assert len(vendor.moved()) - prepared == len(commands)


def test_fault_01_a_late_repeat_gets_the_answer_of_the_dialect(vendor):
    """After other movements a repeat is told the stored or the current balance, as is policy."""
    bet = vendor.bet("10.00")
    first = vendor.done(bet)
    vendor.done(vendor.bet("1.00"))
    again = vendor.done(bet)
    stored = vendor.policy.replayed_balance == "stored"
    if first.told is not None:
        assert again.told == value("90.00" if stored else "89.00")
    assert vendor.balance() == "89.00"


def test_fault_01_the_same_refund_again_moves_once(vendor):
    """A refund that comes twice gives back once."""
    vendor.needs(Kind.REFUND)
    bet = vendor.bet("10.00")
    vendor.done(bet)
    refund = vendor.refund(bet)
    assert vendor.done(refund).told == vendor.done(refund).told
    assert vendor.balance() == "100.00"
    assert vendor.moved() == [("bet", "10.00"), ("refund", "10.00")]


@pytest.mark.parametrize("kind", [Kind.BET, Kind.WIN, Kind.REWARD])
def test_fault_02_ten_at_once_on_ten_connections_move_once(vendor, kind):
    """The same command ten times at once moves once; ten equal answers, none of them 5xx."""
    vendor.needs(kind)
    command = vendor.owed(kind, "10.00")
    before = vendor.moved()
    answers = vendor.send_all([command] * 10)
    assert {each.verdict for each in answers} == {Verdict.DONE}
    assert {each.told for each in answers} <= {answers[0].told}
    assert all(each.reply.status < 500 for each in answers)
    if vendor.policy.replayed_balance == "stored":
        assert {each.reply.body for each in answers} == {answers[0].reply.body}
    assert vendor.moved() == [*before, (kind.value, "10.00")]


def test_fault_02_ten_refunds_at_once_move_once(vendor):
    """The same refund ten times at once, and ten others of the same bet, give back once."""
    vendor.needs(Kind.REFUND)
    bet = vendor.bet("10.00")
    vendor.done(bet)
    refund = vendor.refund(bet)
    answers = vendor.send_all([refund] * 10 + [vendor.refund(bet) for _ in range(10)])
    assert all(each.reply.status < 500 for each in answers)
    assert {each.verdict for each in answers[:10]} == {Verdict.DONE}
    assert vendor.balance() == "100.00"
    assert [each for each in vendor.moved() if each[1] != "0.00"] == [
        ("bet", "10.00"),
        ("refund", "10.00"),
    ]


# 3, 4 and 5: the same id with other content.


@pytest.mark.parametrize("kind", [Kind.BET, Kind.WIN, Kind.REWARD])
def test_fault_03_the_same_id_with_another_amount_is_refused(vendor, kind):
    """A known id with another amount is refused, moves nothing and raises an alert."""
    vendor.needs(kind)
    command = vendor.owed(kind, "10.00")
    vendor.done(command)
    before = vendor.moved()
    changed = msgspec.structs.replace(command, amount=vendor.say(kind, "10.01").amount)
    vendor.refused(changed)
    assert vendor.moved() == before
    assert "duplicate_changed" in vendor.alerts_about(command)


@pytest.mark.parametrize("field", ["round", "session", "campaign", "target"])
def test_fault_03_the_same_id_with_another_field_is_refused(vendor, field):
    """A known id with another round, session, campaign or target is refused, with an alert."""
    kind = next(
        (
            each
            for each in (Kind.BET, Kind.REWARD, Kind.REFUND)
            if vendor.can(each) and getattr(vendor.template(each).commands[0], field) is not None
        ),
        None,
    )
    if kind is None or field not in vendor.policy.fingerprint:
        pytest.skip(f"{vendor.name}: {field} may change, or is not said")
    example = vendor.template(kind).commands[0]
    if bare(example.key) == bare(getattr(example, field)):
        pytest.skip(f"{vendor.name}: the {field} hangs on the id")
    first, other = vendor.bet("10.00"), vendor.bet("10.00")
    vendor.done(first)
    vendor.done(other)
    command = first if kind is Kind.BET else vendor.owed(kind, "10.00")
    if kind is Kind.REFUND:
        command = vendor.refund(first)
    if command is not first:
        vendor.done(command)
    before, balance = vendor.moved(), vendor.balance()
    if field == "session":
        changed = vendor.open_session().session
    elif field == "target":
        changed = other.key
    else:
        changed = vendor.ids.like(getattr(command, field))
    again = msgspec.structs.replace(command, **{field: changed})
    if field == "campaign" and command.claim is not None:
        claim = command.claim.replace(command.campaign, changed)
        again = msgspec.structs.replace(again, claim=claim)
    vendor.refused(again)
    assert (vendor.moved(), vendor.balance()) == (before, balance)
    assert "duplicate_changed" in vendor.alerts_about(command)


def test_fault_03_equal_amounts_in_another_spelling_are_the_same(vendor):
    """10, 10.0 and 10.00 under one id are one command: a repeat, no change."""
    bet = vendor.bet("10.00")
    vendor.done(bet)
    for text in ("10", "10.0"):
        vendor.done(msgspec.structs.replace(bet, amount=vendor.bet(text).amount))
    assert vendor.moved() == [("bet", "10.00")]


def test_fault_04_the_same_id_from_another_player_never_overwrites(vendor):
    """Another player's bet under a known id moves nothing of anybody, or is a bet of its own."""
    bet = vendor.bet("10.00")
    vendor.done(bet)
    other = Vendor(vendor.doors, vendor.name).sit_down()
    same = other.bet("10.00", key=bet.key)
    own_space = other.call_of(same).read(other.compose(same), other.integration)[0].key != bet.key
    said = other.send(same)
    assert vendor.balance() == "90.00"
    assert vendor.moved() == [("bet", "10.00")]
    if said.verdict is Verdict.DONE:
        assert own_space
        assert other.moved() == [("bet", "10.00")]
    else:
        assert other.balance() == "100.00"
        assert "duplicate_changed" in other.alerts_about(same)


def test_fault_05_one_id_for_a_bet_and_a_win(vendor):
    """Two movements where ids are per kind; refused with an alert where one space serves all."""
    vendor.needs(Kind.WIN)
    bet = vendor.bet("10.00")
    vendor.done(bet)
    win = vendor.win(bet, "10.00")
    said = vendor.send(msgspec.structs.replace(win, key=like_kind(win.key, bet.key)))
    if said.verdict is Verdict.DONE:
        assert vendor.moved() == [("bet", "10.00"), ("win", "10.00")]
        listed = vendor.doors.transactions(brand="acme", player=vendor.player)
        assert len({each["key"] for each in listed}) == len(listed)
    else:
        assert vendor.moved() == [("bet", "10.00")]
        assert "duplicate_changed" in vendor.alerts_about(bet)


# 6: the answer is lost.


@pytest.mark.parametrize("kind", [Kind.BET, Kind.WIN])
def test_fault_06_an_answer_lost_after_the_commit(vendor, kind):
    """A vendor that hangs up before the answer gets it by asking again; one movement."""
    vendor.needs(kind)
    command = vendor.owed(kind, "10.00")
    before = vendor.moved()
    rig = vendor.doors
    rig.run(hang_up(rig, vendor.name, vendor.compose(command), lambda: committed(rig, command)))
    assert vendor.moved() == [*before, (kind.value, "10.00")]
    told = vendor.done(command).told
    assert told in (None, value("90.00" if kind is Kind.BET else "110.00"))
    assert vendor.moved() == [*before, (kind.value, "10.00")]


async def committed(rig, command):
    """Wait until the command is in the books."""
    async with asyncio.timeout(5):
        while True:
            target = f"/v1/transactions?integration={command.integration}&limit=5"
            _, page = await rig.operate("GET", target)
            if any(each["key"] == command.key for each in page["items"]):
                return
            await asyncio.sleep(0.005)


async def hang_up(rig, name, request, when):
    """Send a request, wait for something else than the answer, and cut the connection."""
    reader, writer = await asyncio.open_connection(*rig.address)
    writer.write(as_bytes(name, request))
    await writer.drain()
    if when is not None:
        await when()
    writer.transport.abort()
    del reader


def as_bytes(name, request):
    """The request as HTTP/1.1."""
    query = b"?" + request.query if request.query else b""
    head = f"{request.method} /callbacks/{name}{request.path}".encode() + query + b" HTTP/1.1\r\n"
    headers = [*request.headers, (b"host", b"x"), (b"content-length", b"%d" % len(request.body))]
    return head + b"".join(b"%s: %s\r\n" % pair for pair in headers) + b"\r\n" + request.body


def test_fault_06_a_connection_cut_at_once(vendor):
    """Whether a request whose sender hung up at once was applied or not, its repeat is one."""
    rig, bets = vendor.doors, [vendor.bet("1.00") for _ in range(10)]

    async def cut_all():
        requests = [vendor.compose(bet) for bet in bets]
        await asyncio.gather(*(hang_up(rig, vendor.name, each, None) for each in requests))

    rig.run(cut_all())
    for bet in bets:
        vendor.done(bet)
    assert vendor.balance() == "90.00"
    assert vendor.moved() == [("bet", "1.00")] * 10


def test_fault_24_an_old_signed_request_played_again(vendor):
    """Whoever plays a captured request again, many times and at once, moves nothing."""
    commands = unprompted(vendor)
    captured = [vendor.compose(command) for command in commands]
    for request in captured:
        vendor.doors.send(vendor.name, request)
    before = vendor.moved()
    vendor.doors.send_all(vendor.name, captured * 5)
    assert vendor.moved() == before


def test_an_amount_that_the_wire_cannot_carry_is_not_sent(vendor):
    """A command that the dialect has no words for is refused by its own composer."""
    bet = vendor.bet("10.00")
    with pytest.raises(Refused):
        vendor.compose(msgspec.structs.replace(bet, amount=None))
