"""The vendor's checklist over HTTP: cancels, order of events, trouble, free spins."""

import asyncio
import random
from functools import partial

import msgspec
import pytest

from kit.naga import Naga, balance, heard
from kit.processes import wait_for

CANCELLED = (409, "Bet already canceled")
INTERNAL = (500, "Internal error")
DAY_H = 24


# Cancel.


def test_row36_row37_a_cancel_and_its_repeats(naga):
    """A bet is given back once, with and without token, however often it is cancelled."""
    bet = naga.play()
    naga.post("place-bet", bet)
    done = {"betId": bet["betId"], "status": "CANCELED"}
    assert naga.cancel(bet) == done
    assert naga.cancel(bet) == done
    assert naga.cancel(bet, playerToken=naga.session) == done
    assert naga.rows() == [("bet", "10.00", "90.00"), ("refund", "10.00", "100.00")]


def test_row37_a_cancel_with_a_token_first(naga):
    """The token says nothing that the bet does not say."""
    bet = naga.play()
    naga.post("place-bet", bet)
    assert naga.cancel(bet, playerToken=naga.session)["status"] == "CANCELED"
    assert naga.cancel(bet)["status"] == "CANCELED"
    assert naga.balance() == "100.00"


def test_row37_a_cancel_with_a_token_that_nobody_knows(naga):
    """The bet says whose it is, and a refusal would lock the player."""
    bet = naga.play()
    naga.post("place-bet", bet)
    assert naga.cancel(bet, playerToken="nobody")["status"] == "CANCELED"
    assert naga.balance() == "100.00"


def test_a_cancel_with_another_players_token(naga):
    """It gives nobody's stake back; the cancel is sent again until somebody has looked."""
    bet = naga.play()
    naga.post("place-bet", bet)
    other = Naga(naga.doors).sit_down()
    assert naga.cancel(bet, playerToken=other.session) == (404, "Bet not found")
    assert (naga.balance(), other.balance()) == ("90.00", "100.00")
    assert naga.alerts(f"cancel/{bet['betId']}") == ["target_foreign"]
    assert naga.cancel(bet)["status"] == "CANCELED"


@pytest.mark.parametrize("call", ["place-bet", "payout"])
def test_a_bet_or_payout_that_is_sent_as_a_cancel(naga, call):
    """The path is not signed: a body with what no cancel has gives nothing back."""
    bet = naga.play()
    naga.post("place-bet", bet)
    sent = naga.request(call, bet if call == "place-bet" else naga.pay(bet, amount=0))
    told = naga.told(msgspec.structs.replace(sent, path="/cancel-bet"))
    assert told == (400, "Invalid data: amount")
    assert naga.cancel(bet, transactionId="t1") == (400, "Invalid data: transactionId")
    assert naga.rows() == [("bet", "10.00", "90.00")]


@pytest.mark.parametrize("token", ["none", "own", "unknown"])
def test_row38_a_cancel_before_its_bet(naga, token):
    """An unknown bet is CANCELED, and refused should it come; nothing is debited."""
    bet = naga.play()
    with_token = {"none": {}, "own": {"playerToken": naga.session}, "unknown": {"playerToken": "x"}}
    assert naga.cancel(bet, **with_token[token])["status"] == "CANCELED"
    assert naga.status(bet) == "CANCELED"
    assert naga.post("place-bet", bet) == CANCELLED
    assert naga.cancel(bet)["status"] == "CANCELED"
    assert naga.post("payout", naga.pay(bet)) == CANCELLED
    assert naga.balance() == "100.00"


def test_row39_a_cancel_after_the_payout(naga):
    """A bet that was paid is not given back, also where it was paid nothing."""
    for amount in (25, 0):
        bet = naga.play()
        naga.post("place-bet", bet)
        naga.post("payout", naga.pay(bet, amount=amount))
        before = naga.balance()
        assert naga.cancel(bet) == (400, "Transaction Seamless Already Resolved")
        assert naga.balance() == before
        assert naga.status(bet) == "RESOLVED"


def test_row40_a_payout_after_the_cancel(naga):
    """A cancelled bet is not paid, and a person hears of it; nor is it bet again."""
    bet = naga.play()
    naga.post("place-bet", bet)
    naga.cancel(bet)
    assert naga.post("payout", naga.pay(bet, amount=25)) == CANCELLED
    assert naga.alerts(f"payout/{bet['betId']}") == ["win_after_refund"]
    assert naga.post("place-bet", bet) == CANCELLED
    assert naga.status(bet) == "CANCELED"
    assert naga.balance() == "100.00"


@pytest.mark.parametrize("seed", range(8))
def test_row41_a_cancel_that_races_its_bet(naga, seed):
    """However bets, repeats and cancels cross, the balance ends where it began."""
    chance = random.Random(seed)
    bets = [naga.play() for _ in range(5)]
    requests = [naga.request("place-bet", each) for each in bets * 2]
    requests += [naga.request("cancel-bet", {"betId": each["betId"]}) for each in bets * 2]
    chance.shuffle(requests)
    replies = naga.doors.send_all(naga.name, requests)
    for request, answer in zip(requests, map(heard, replies), strict=True):
        if request.path == "/cancel-bet":
            assert answer["status"] == "CANCELED"
        else:
            assert answer == CANCELLED or answer["currency"] == "USD"
    assert naga.balance() == "100.00"


def test_row41_a_cancel_while_the_bet_is_being_written(naga):
    """A cancel that arrives during a slow bet waits for it, and gives the stake back once."""
    bet = naga.play()
    requests = [
        naga.request("place-bet", bet),
        naga.request("cancel-bet", {"betId": bet["betId"]}),
    ]
    with naga.doors.before_batches(partial(asyncio.sleep, 0.2)):
        replies = naga.doors.send_all(naga.name, requests)
    assert heard(replies[1])["status"] == "CANCELED"
    assert naga.balance() == "100.00"


# Trouble.


def test_row42_a_bet_without_an_outcome_in_time(naga):
    """The vendor is told an error, which no cancel follows: the debit is undone by ourselves."""
    bet = naga.play()
    with naga.doors.before_batches(partial(asyncio.sleep, 0.4), deadline_ms=100):
        assert naga.post("place-bet", bet) == INTERNAL
    wait_for(lambda: len(naga.rows()) == 2)
    assert naga.rows() == [("bet", "10.00", "90.00"), ("refund", "10.00", "100.00")]
    assert naga.status(bet) == "CANCELED"
    assert naga.post("place-bet", bet) == CANCELLED
    assert naga.cancel(bet)["status"] == "CANCELED"
    assert naga.balance() == "100.00"


def test_row42_the_store_is_away(naga):
    """With the store away a bet is an error and debits nothing; its repeat is done later."""
    bet = naga.play()
    with naga.doors.away():
        assert naga.post("place-bet", bet) == INTERNAL
        assert naga.cancel(bet) == INTERNAL
        assert naga.post("payout", naga.pay(bet)) == INTERNAL
    assert naga.rows() == []
    assert naga.post("place-bet", bet) == balance(90)


def test_row43_a_failure_in_our_own_program(naga, monkeypatch):
    """Whatever breaks here, the vendor gets an envelope that it can read."""

    def fail(*_):
        raise RuntimeError("broken")

    with monkeypatch.context() as broken:
        broken.setattr(naga.doors.gateway.ledger, "apply", fail)
        assert naga.post("place-bet", naga.play()) == INTERNAL
    assert naga.rows() == []


# Status.


def test_row44_the_status_of_a_bet(naga):
    """PENDING, RESOLVED and CANCELED with the vendor's own ids; what nobody knows is 404."""
    bet = naga.play()
    asked = {"betId": bet["betId"], "playerId": "the vendor's own"}
    assert naga.post("bet-status", asked) == (404, "Bet not found")
    naga.post("place-bet", bet)
    told = {
        "betId": bet["betId"],
        "transactionPlaceBetId": bet["transactionId"],
        "transactionPayoutId": None,
        "status": "PENDING",
    }
    assert naga.post("bet-status", asked) == told
    pay = naga.pay(bet)
    naga.post("payout", pay)
    assert naga.post("bet-status", asked) == told | {
        "transactionPayoutId": pay["transactionId"],
        "status": "RESOLVED",
    }
    other = naga.play()
    naga.post("place-bet", other)
    naga.cancel(other)
    assert naga.status(other) == "CANCELED"


def test_row44_a_bet_that_was_refused(naga):
    """A refused bet is FAILED for who asks; its repeat is decided afresh."""
    bet = naga.play(amount=500)
    naga.post("place-bet", bet)
    assert naga.status(bet) == "FAILED"
    naga.doors.deposit(f"more-{bet['betId']}", "500.00", player=naga.player, currency=naga.currency)
    assert isinstance(naga.post("place-bet", bet), dict)
    assert naga.status(bet) == "PENDING"


# Free spins.


def spin(naga, of, **fields):
    """A free spin of a trigger."""
    given = {"amount": 0, "parentBetId": of["betId"], "betType": "WIN_FREESPIN"}
    return naga.play(**given | {"isLastFreeSpins": False} | fields)


def played(naga, bet, amount):
    """A bet and its payout."""
    assert isinstance(naga.post("place-bet", bet), dict)
    return naga.post("payout", naga.pay(bet, amount=amount))


def won_free_spins(naga, **fields):
    """A bet that wins free spins: the bet knows nothing of it, its payout names itself."""
    bet = naga.play(**fields)
    naga.post("place-bet", bet)
    naga.post("payout", naga.pay(bet, amount=0.05, parentBetId=bet["betId"]))
    return bet


def test_row46_a_free_spin(naga):
    """A spin of 0 moves nothing, and what it wins is paid."""
    trigger = won_free_spins(naga)
    assert played(naga, spin(naga, trigger), 0) == balance(90.05)
    assert played(naga, spin(naga, trigger), 12.5) == balance(102.55)


def test_row46_a_free_spin_of_an_unknown_trigger(naga):
    """A free spin is taken whatever is known of the spin that won it."""
    assert played(naga, spin(naga, {"betId": "unknown"}, isLastFreeSpins=True), 5) == balance(105)


def test_row47_a_round_of_free_spins(naga):
    """The round is open until the last free spin is paid, and closed then."""
    trigger = won_free_spins(naga)
    for _ in range(3):
        played(naga, spin(naga, trigger), 1)
        assert naga.round(trigger)[1], "the round goes on"
    last = spin(naga, trigger, isLastFreeSpins=True)
    naga.post("place-bet", last)
    assert naga.round(trigger)[1], "the last spin is not paid yet"
    naga.post("payout", naga.pay(last, amount=2))
    found, unsettled = naga.round(trigger)
    assert not unsettled
    assert (found["bets"], found["wins"], found["staked"], found["won"]) == (5, 5, "10.00", "5.05")


def test_row47_a_cancelled_last_spin_closes_nothing(naga):
    """Only the payout of the last free spin closes the round."""
    trigger = won_free_spins(naga)
    last = spin(naga, trigger, isLastFreeSpins=True)
    naga.post("place-bet", last)
    naga.cancel(last)
    assert naga.round(trigger)[1]


def test_row47_a_closed_round_is_paid_all_the_same(naga):
    """Closing is bookkeeping: a payout that comes after it is paid."""
    trigger = won_free_spins(naga)
    early = spin(naga, trigger)
    naga.post("place-bet", early)
    played(naga, spin(naga, trigger, isLastFreeSpins=True), 0)
    assert naga.post("payout", naga.pay(early, amount=3)) == balance(93.05)


def test_row47_a_plain_spin_is_a_round_of_its_own(naga):
    """Without free spins the payout closes the round."""
    bet = naga.play()
    naga.post("place-bet", bet)
    assert naga.round(bet)[1]
    naga.post("payout", naga.pay(bet, amount=0))
    assert not naga.round(bet)[1]


def test_row48_free_spins_that_win_free_spins(naga):
    """A spin that wins more spins only makes the round longer."""
    trigger = won_free_spins(naga)
    played(naga, spin(naga, trigger), 0)
    for _ in range(2):
        played(naga, spin(naga, trigger), 1)
    assert naga.round(trigger)[1]


def test_row49_without_the_flag(naga):
    """Where nobody says which spin is the last, a round is closed after a day without play."""
    trigger = won_free_spins(naga)
    played(naga, spin(naga, trigger, isLastFreeSpins=...), 1)
    assert naga.round(trigger)[1]
    naga.doors.pass_time(hours=DAY_H + 1)
    naga.doors.run(naga.doors.app.ops._find_overdue())
    assert not naga.round(trigger)[1]


def test_a_free_spin_with_a_stake(naga):
    """It is debited as it says, and a person hears of it."""
    bet = spin(naga, {"betId": "unknown"}, amount=5, isLastFreeSpins=True)
    assert naga.post("place-bet", bet) == balance(95)
    assert naga.alerts(f"bet/{bet['betId']}") == ["notice"]
