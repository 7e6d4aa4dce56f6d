"""Faults 8 to 12: refunds and wins in every order, on every session, for every dialect."""

import msgspec
import pytest

from kit.vendor import Vendor
from seamline.wallet import Kind, Verdict


def test_fault_08_a_refund_before_its_bet(vendor):
    """The refund moves nothing and is done; the late bet is refused for good and moves nothing."""
    vendor.needs(Kind.REFUND)
    bet = vendor.bet("10.00")
    refund = vendor.refund(bet)
    vendor.done(refund)
    said = vendor.refused(bet)
    assert said.verdict is Verdict.REFUSED, "anything else would start another refund"
    assert vendor.done(refund)
    assert vendor.refused(bet)
    assert vendor.balance() == "100.00"


def test_fault_08_a_refund_that_races_its_bet(vendor):
    """However a bet and its refund cross on two connections, in the end nothing was taken."""
    vendor.needs(Kind.REFUND)
    for turn in range(20):
        bet = vendor.bet("10.00")
        pair = [bet, vendor.refund(bet)]
        answers = vendor.send_all(pair[:: 1 if turn % 2 else -1])
        assert all(each.reply.status < 500 for each in answers)
        assert vendor.balance() == "100.00"


def test_fault_09_a_second_refund_under_a_new_id(vendor):
    """A bet is given back once, however many refunds name it."""
    vendor.needs(Kind.REFUND)
    bet = vendor.bet("10.00")
    vendor.done(bet)
    vendor.done(vendor.refund(bet))
    assert vendor.send(vendor.refund(bet)).reply.status < 500
    assert vendor.balance() == "100.00"


def test_fault_09_a_refund_after_the_win(vendor):
    """The stake is given back, the win stays, a person hears of it; or the refund is refused."""
    vendor.needs(Kind.REFUND, Kind.WIN)
    bet = vendor.bet("10.00")
    vendor.done(bet)
    vendor.done(vendor.win(bet, "25.00"))
    refund = vendor.refund(bet)
    if vendor.send(refund).verdict is Verdict.DONE:
        assert vendor.balance() == "125.00"
        assert "refund_after_win" in vendor.alerts_about(refund)
    else:
        assert vendor.balance() == "115.00"


def test_fault_09_a_refund_of_a_spent_win(vendor):
    """A win that was spent is taken back as is policy, or, where wins stay, nothing moves."""
    vendor.needs(Kind.REFUND, Kind.WIN)
    win = vendor.owed(Kind.WIN, "50.00")
    vendor.done(win)
    vendor.doors.withdraw(f"out-{win.key}", "130.00", player=vendor.player)
    refund = vendor.refund(win)
    vendor.send(refund)
    if refund.target != win.key:
        assert vendor.balance() == "20.00", "a refund of a bet of the same id undoes no win"
    elif Kind.WIN not in vendor.policy.reversible:
        assert vendor.balance() == "20.00"
        assert "refund_of_other_kind" in vendor.alerts_about(refund)
    elif vendor.policy.overdraft == "allow_negative":
        assert vendor.balance() == "-30.00"
        assert "overdrawn" in vendor.alerts_about(refund)
    else:
        assert vendor.balance() == "0.00"


@pytest.mark.parametrize("field", ["amount", "round"])
def test_fault_10_a_refund_without_amount_or_round(vendor, field):
    """What the refund leaves out is taken from the stored bet."""
    found = vendor.template(Kind.REFUND, like=lambda each: getattr(each, field) is None)
    if found is None:
        pytest.skip(f"{vendor.name} always says the {field}")
    bet = vendor.bet("10.00")
    vendor.done(bet)
    about = {"target": bet.key} | (
        {"round": bet.round} if found.commands[0].round is not None else {}
    )
    refund = vendor.fill(
        found.commands[0], "10.00" if found.commands[0].amount is not None else None, **about
    )
    vendor.done(refund)
    assert vendor.balance() == "100.00"
    if bet.round is None:
        return
    (round_,) = vendor.doors.rounds(integration=vendor.name, round=bet.round)
    assert (round_["bets"], round_["refunds"], round_["refunded"]) == (1, 1, "10.00")


def test_fault_10_a_refund_with_another_amount(vendor):
    """The stored amount is given back, whatever the refund says; a person hears of it."""
    vendor.needs(Kind.REFUND)
    if vendor.template(Kind.REFUND).commands[0].amount is None:
        pytest.skip(f"{vendor.name} says no amount")
    bet = vendor.bet("10.00")
    vendor.done(bet)
    refund = vendor.refund(bet, "11.00")
    vendor.done(refund)
    assert vendor.balance() == "100.00"
    assert "refund_amount_differs" in vendor.alerts_about(refund)


def test_fault_10_a_refund_of_another_players_bet(vendor):
    """Nobody's session can undo what another player staked."""
    vendor.needs(Kind.REFUND)
    bet = vendor.bet("10.00")
    vendor.done(bet)
    other = Vendor(vendor.doors, vendor.name).sit_down()
    refund = other.refund(msgspec.structs.replace(bet, session=other.session))
    other.send(refund)
    assert other.balance() == "100.00"
    assert vendor.balance() in {"90.00", "100.00"}
    if vendor.balance() == "90.00":
        assert "target_foreign" in vendor.alerts_about(refund)


# 11 and 12: wins.


@pytest.mark.parametrize("over", ["closed", "expired"])
def test_fault_11_a_win_on_a_session_that_is_over(vendor, over):
    """A win, a refund and a reward are paid on a session that is over; a bet is refused."""
    vendor.needs(Kind.WIN)
    bet, lost = vendor.bet("10.00"), vendor.bet("5.00")
    vendor.done(bet)
    vendor.done(lost)
    if over == "closed":
        vendor.leave()
    else:
        session_ms = vendor.dialect.session_ms(vendor.integration.options)
        vendor.doors.pass_time(hours=session_ms / 3_600_000 + 1)
    vendor.done(vendor.win(bet, "30.00"))
    assert vendor.balance() == "115.00"
    if vendor.can(Kind.REFUND):
        vendor.done(vendor.refund(lost))
        assert vendor.balance() == "120.00"
    before = vendor.balance()
    assert vendor.refused(vendor.bet("1.00")).verdict is Verdict.REFUSED
    assert vendor.balance() == before


def test_fault_11_a_win_on_a_foreign_session(vendor):
    """A win goes to whom the session belongs to, without a bet there, and a person hears of it."""
    vendor.needs(Kind.WIN)
    bet = vendor.bet("10.00")
    vendor.done(bet)
    other = Vendor(vendor.doors, vendor.name).sit_down()
    win = other.win(bet, "3.00")
    said = other.send(win)
    assert vendor.balance() == "90.00"
    if said.verdict is Verdict.DONE:
        assert other.balance() == "103.00"
        assert "win_without_bet" in other.alerts_about(win)


def test_fault_11_a_win_on_a_session_that_nobody_knows(vendor):
    """It cannot be paid, is not done, and a person hears of it."""
    vendor.needs(Kind.WIN)
    if vendor.template(Kind.WIN).commands[0].session is None:
        pytest.skip(f"{vendor.name} says no session")
    win = vendor.win(None, "3.00", session=vendor.ids.uuid())
    vendor.refused(win)
    assert "win_unknown_session" in vendor.alerts_about(win)


def test_fault_12_a_win_without_a_bet(vendor):
    """It is paid, its round has no stake, and a person hears of it; or it waits for its bet."""
    vendor.needs(Kind.WIN)
    if not vendor.pays_without_bet:
        bet = vendor.bet("0")
        win = vendor.win(bet, "3.00")
        vendor.refused(win)
        assert vendor.moved() == []
        vendor.done(bet)
        vendor.done(win)
        assert vendor.balance() == "103.00"
        return
    win = vendor.win(None, "3.00")
    vendor.done(win)
    assert vendor.balance() == "103.00"
    assert "win_without_bet" in vendor.alerts_about(win)
    (round_,) = vendor.doors.rounds(integration=vendor.name, round=win.round)
    assert (round_["bets"], round_["wins"], round_["won"]) == (0, 1, "3.00")


def test_fault_12_zero_bet_and_zero_win(vendor):
    """Both are recorded, move nothing, and the round counts them."""
    vendor.needs(Kind.WIN)
    bet = vendor.bet("0")
    vendor.done(bet)
    vendor.done(vendor.win(bet, "0"))
    assert vendor.moved() == [("bet", "0.00"), ("win", "0.00")]
    assert vendor.balance() == "100.00"
    (round_,) = vendor.doors.rounds(integration=vendor.name, round=bet.round)
    assert (round_["bets"], round_["staked"], round_["wins"], round_["won"]) == (
        1,
        "0.00",
        1,
        "0.00",
    )
