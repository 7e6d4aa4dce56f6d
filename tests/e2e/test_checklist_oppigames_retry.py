"""The checklist, rows 47 to 51, over HTTP: payouts that failed and are sent again by the batch.

Nobody says whether a retry's id is the failed payout's or the bet's, so both are tried.
"""

import pytest

from kit.oppi import START, Oppi, gateway
from seamline.wallet import beside

WON = 10_000_000


@pytest.fixture
def oppi(served):
    """The vendor by raw requests, with a new player who has 1000.00 USD; audited afterwards."""
    yield Oppi(served).start()
    served.audit()


def bet_of_one(oppi):
    """A bet of one unit that was done."""
    fields = oppi.bet_body(1)
    oppi.ok("bet", fields)
    return fields


def test_row47_a_payout_that_had_failed(oppi):
    """Its id is not known, so it is paid, once, and everything that was said is repeated."""
    item = oppi.again()
    (told,) = oppi.batch("retry", item)
    assert told == {
        "status": "RS_OK",
        "transactionId": item["transactionId"],
        "sessionId": oppi.session,
        "roundId": item["roundId"],
        "playerId": oppi.player,
        "currency": "USD",
        "balance": START + WON,
    }
    assert oppi.rows() == [("win", "100.00", "1100.00")]
    assert oppi.alerts(beside("retry", item["transactionId"])) == ["win_without_bet"]


def test_row47_the_payout_that_comes_after_all(oppi):
    """The original payout, late on its own way, is told as done: its retry has paid it."""
    bet = bet_of_one(oppi)
    payout = oppi.payout_body(bet)
    oppi.batch("retry", oppi.again(payout["transactionId"]))
    oppi.ok("payout", payout, START - 1 + WON)
    oppi.no("payout", payout | {"amount": payout["amount"] + 1})
    assert oppi.units() == START - 1 + WON


def test_row47_a_payout_that_was_refused_for_good(oppi, served):
    """What no payout may pay no retry pays: another payout, a void bet, somebody else's bet."""
    paid, void = bet_of_one(oppi), bet_of_one(oppi)
    oppi.ok("payout", oppi.payout_body(paid))
    second = oppi.payout_body(paid)
    oppi.no("payout", second)
    oppi.batch("rollback", oppi.undo(void))
    late = oppi.payout_body(void)
    oppi.no("payout", late)
    other = Oppi(served).start()
    theirs = other.payout_body(bet_of_one(oppi))
    other.no("payout", theirs)
    items = [oppi.again(each["transactionId"]) for each in (second, late)]
    told = oppi.batch("retry", *items)
    assert [each["balance"] for each in told if "balance" in each] == [START - 2 + WON] * len(told)
    (told,) = other.batch("retry", other.again(theirs["transactionId"]))
    assert told["status"] == "RS_ERROR"
    assert (oppi.units(), other.units()) == (START - 2 + WON, START)


def test_row47_a_payout_that_came_before_its_bet(oppi):
    """Refused for the time being it is paid by its retry, once."""
    bet = oppi.bet_body(1)
    payout = oppi.payout_body(bet)
    oppi.no("payout", payout)
    oppi.ok("bet", bet)
    (told,) = oppi.batch("retry", oppi.again(payout["transactionId"]))
    assert told["status"] == "RS_OK"
    oppi.ok("payout", payout)
    assert oppi.units() == START - 1 + WON


def test_row47_where_not_chosen(place):
    """An operator may refuse what points at nothing; it is paid once its bet is known."""
    with gateway(place, retry_unknown_ref="reject") as rig:
        oppi = Oppi(rig).start()
        item = oppi.again()
        assert oppi.batch("retry", item)[0]["status"] == "RS_ERROR"
        oppi.ok("bet", oppi.bet_body(1, transactionId=item["transactionId"]))
        assert oppi.batch("retry", item)[0]["status"] == "RS_OK"
        assert oppi.units() == START - 1 + WON
        rig.audit()


def test_row48_a_payout_that_had_been_paid(oppi):
    """Acknowledged with the balance of then; no credit."""
    payout = oppi.payout_body(bet_of_one(oppi))
    oppi.ok("payout", payout)
    bet_of_one(oppi)
    (told,) = oppi.batch("retry", oppi.again(payout["transactionId"]))
    assert (told["status"], told["balance"]) == ("RS_OK", START - 1 + WON)
    assert oppi.units() == START - 2 + WON


def test_row48_a_payout_of_somebody_else(oppi, served):
    """Another player's item is no repeat of it: refused, without the first one's balance."""
    payout = oppi.payout_body(bet_of_one(oppi))
    oppi.ok("payout", payout)
    other = Oppi(served).start()
    (told,) = other.batch("retry", other.again(payout["transactionId"]))
    assert told["status"] == "RS_ERROR"
    assert told.get("balance") in (None, START)
    assert (oppi.units(), other.units()) == (START - 1 + WON, START)


def test_row49_the_id_of_the_bet(oppi):
    """A retry by the id of an unpaid bet pays that bet, once."""
    bet = bet_of_one(oppi)
    (told,) = oppi.batch("retry", oppi.again(bet["transactionId"]))
    assert (told["status"], told["balance"]) == ("RS_OK", START - 1 + WON)
    oppi.no("payout", oppi.payout_body(bet))
    assert oppi.units() == START - 1 + WON


def test_row49_the_id_of_a_bet_that_was_paid(oppi):
    """Acknowledged without credit: nothing is owed."""
    bet = bet_of_one(oppi)
    oppi.ok("payout", oppi.payout_body(bet))
    (told,) = oppi.batch("retry", oppi.again(bet["transactionId"]))
    assert (told["status"], told["balance"]) == ("RS_OK", START - 1 + WON)
    assert oppi.units() == START - 1 + WON


def test_row49_the_id_of_a_bet_that_was_undone(oppi):
    """A void bet is not paid by a retry either."""
    bet = bet_of_one(oppi)
    oppi.batch("rollback", oppi.undo(bet))
    (told,) = oppi.batch("retry", oppi.again(bet["transactionId"]))
    assert told["status"] == "RS_ERROR"
    assert oppi.units() == START


@pytest.mark.parametrize("hours", [0, 4])
def test_row50_a_retry_again(place, hours):
    """Four hours later the same item is acknowledged, and paid no second time."""
    with gateway(place) as rig:
        oppi = Oppi(rig).start()
        item = oppi.again()
        (first,) = oppi.batch("retry", item)
        rig.pass_time(hours=hours)
        assert oppi.batch("retry", item) == [first]
        rig.pass_time(hours=hours)
        assert oppi.batch("retry", item, item) == [first, first]
        assert oppi.units() == START + WON
        rig.audit()


def test_row51_one_player_twice_in_a_batch(oppi):
    """Items are done in order: each tells the balance after it."""
    told = oppi.batch("retry", oppi.again(), oppi.again(amount=1), oppi.again(amount=0))
    assert [each["balance"] for each in told] == [
        START + WON,
        START + WON + 1,
        START + WON + 1,
    ]


def test_row51_a_bad_item_among_good_ones(oppi):
    """What cannot be read is an error by itself; the others are paid."""
    items = [oppi.again(), oppi.again(amount="5"), oppi.again(playerId="nobody"), oppi.again()]
    told = oppi.batch("retry", *items)
    assert [each["status"] for each in told] == ["RS_OK", "RS_ERROR", "RS_ERROR", "RS_OK"]
    assert [each["transactionId"] for each in told] == [each["transactionId"] for each in items]
    assert oppi.units() == START + 2 * WON


def test_a_retry_to_a_blocked_player(oppi):
    """What is owed is paid to whom it is owed, on whatever session."""
    oppi.doors.change(oppi.player, status="blocked")
    oppi.leave()
    (told,) = oppi.batch("retry", oppi.again(sessionId="y" * 96))
    assert (told["status"], told["sessionId"]) == ("RS_OK", "y" * 96)
    assert oppi.units() == START + WON


def test_a_retry_that_was_paid_can_be_undone(oppi):
    """A rollback that names the retried payout takes it back, once."""
    item = oppi.again()
    oppi.batch("retry", item)
    undo = oppi.undo(item)
    assert oppi.batch("rollback", undo, undo)[0]["status"] == "RS_OK"
    assert oppi.units() == START


def test_a_retry_has_an_id_that_nothing_else_has(oppi):
    """No transaction id enters the space of retries, and none of what is kept beside others."""
    item = oppi.again()
    name = item["transactionId"]
    for word in ("retry", "tombstone", "overdue"):
        oppi.ok("bet", oppi.bet_body(1, transactionId=f"{word}/{name}"))
        told = oppi.post("bet", oppi.bet_body(1, transactionId=f"{word}\x1f{name}"))
        assert told["status"] == "RS_ERROR"
    assert oppi.batch("retry", item)[0]["status"] == "RS_OK"
    undone = oppi.undo(f"retry/{name}"), oppi.undo(f"retry\x1f{name}")
    assert [each["status"] for each in oppi.batch("rollback", *undone)] == ["RS_OK", "RS_ERROR"]
    assert oppi.units() == START - 2 + WON
