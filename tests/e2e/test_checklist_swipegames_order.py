"""The vendor's checklist, rows 29 to 44, and the order of events O1 to O22, over HTTP."""

import random

import pytest

from kit.swipe import Swipe, balance_query, is_error


def test_a29_a_win_on_an_expired_session(swipe):
    """A win and a refund on a session that is over are paid; bet and balance are 404."""
    bet, other = swipe.body("bet"), swipe.body("bet", amount="10.00")
    swipe.post("bet", bet)
    swipe.post("bet", other)
    swipe.doors.pass_time(hours=4.01)
    win = swipe.body("win", amount="50.00", roundID=bet["roundID"])
    assert swipe.post("win", win)[0] == 200
    assert swipe.post("refund", swipe.undo(other))[0] == 200
    assert swipe.balance() == "149.90"
    status, answer = swipe.post("bet", swipe.body("bet", amount="1.00"))
    assert status == 404
    assert is_error(answer, "session_expired", "refresh")
    status, answer = swipe.ask(balance_query(swipe.session))
    assert status == 404
    assert is_error(answer, "session_expired", "refresh")


def test_a29_a_win_on_a_closed_session(swipe):
    """A session that the operator closed still takes wins, and no bets."""
    bet = swipe.body("bet")
    swipe.post("bet", bet)
    swipe.leave()
    win = swipe.body("win", amount="50.00", roundID=bet["roundID"])
    assert swipe.post("win", win)[1]["balance"] == "149.90"
    status, answer = swipe.post("bet", swipe.body("bet", amount="1.00"))
    assert status == 404
    assert is_error(answer, "session_expired", "refresh")


def test_a30_a_refund_and_its_repeats(swipe):
    """A bet is given back once: its refund, the repeat and a second refund id are all 200."""
    bet = swipe.body("bet")
    swipe.post("bet", bet)
    refund = swipe.request("refund", swipe.undo(bet))
    first = swipe.raw(refund)
    assert first[0] == 200
    assert swipe.raw(refund) == first
    status, answer = swipe.post("refund", swipe.undo(bet))
    assert (status, answer["balance"]) == (200, "200.00")
    assert swipe.rows() == [
        ("bet", "100.10", "99.90"),
        ("refund", "100.10", "200.00"),
        ("refund", "0.00", "200.00"),
    ]


def test_a31_a_refund_without_round(swipe):
    """The old shape of a refund, without roundID, gives the bet back."""
    bet = swipe.body("bet")
    swipe.post("bet", bet)
    undo = swipe.undo(bet)
    del undo["roundID"]
    status, answer = swipe.post("refund", undo)
    assert (status, answer["balance"]) == (200, "200.00")


def test_a32_a_refund_of_an_unknown_transaction(swipe):
    """It is 200 with balance and transaction id, and credits nothing."""
    status, answer = swipe.post("refund", swipe.body("refund"))
    assert status == 200
    assert answer["balance"] == "200.00"
    assert answer["txID"]
    assert swipe.balance() == "200.00"


def test_a33_a_refund_before_its_bet(swipe):
    """The refund is 200; the bet that comes later is 400, not 500, and debits nothing."""
    bet = swipe.body("bet")
    assert swipe.post("refund", swipe.undo(bet))[0] == 200
    status, answer = swipe.post("bet", bet)
    assert status == 400
    assert is_error(answer)
    assert swipe.post("bet", bet)[0] == 400
    assert swipe.balance() == "200.00"


@pytest.mark.parametrize("seed", range(10))
def test_a34_a_refund_that_races_its_bet(swipe, seed):
    """However five bets and their refunds cross, each balance ends where it began."""
    chance = random.Random(seed)
    bets = [swipe.body("bet", amount="10.00") for _ in range(5)]
    requests = [swipe.request("bet", bet) for bet in bets]
    requests += [swipe.request("refund", swipe.undo(bet)) for bet in bets]
    requests += chance.choices(requests, k=6)
    chance.shuffle(requests)
    replies = swipe.doors.send_all(swipe.name, requests)
    for request, reply in zip(requests, replies, strict=True):
        assert reply.status == 200 or (request.path, reply.status) == ("/bet", 400)
    assert swipe.balance() == "200.00"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 300))
def test_a34_a_refund_that_races_its_bet_many_times(swipe, seed):
    """The same with many more orders."""
    test_a34_a_refund_that_races_its_bet(swipe, seed)


def test_a35_a_refund_with_a_wrong_amount(swipe):
    """The stored amount is credited, 200, with an alert."""
    bet = swipe.body("bet")
    swipe.post("bet", bet)
    undo = swipe.undo(bet, amount="101.10")
    assert swipe.post("refund", undo)[1]["balance"] == "200.00"
    assert swipe.alerts(undo["txID"]) == ["refund_amount_differs"]


def test_a36_a_refund_of_a_declined_bet(swipe):
    """A bet that was declined has nothing to give back: 200, no credit, and it stays declined."""
    bet = swipe.body("bet", amount="999.00")
    assert swipe.post("bet", bet)[0] == 400
    status, answer = swipe.post("refund", swipe.undo(bet))
    assert (status, answer["balance"]) == (200, "200.00")
    swipe.doors.deposit(f"more-{bet['txID']}", "1000.00", player=swipe.player)
    assert swipe.post("bet", bet)[0] == 400
    assert swipe.balance() == "1200.00"


def free(swipe, call, **fields):
    """The fields of a play of free rounds."""
    return swipe.body(call, type="free", frID="campaign-1", **fields)


def test_a37_a_free_bet(swipe):
    """A free bet is 200, leaves the balance alone, and is a row of its type."""
    fields = free(swipe, "bet", amount="1.00")
    status, answer = swipe.post("bet", fields)
    assert (status, answer["balance"]) == (200, "200.00")
    (row,) = swipe.doors.transactions(brand="acme", player=swipe.player)[1:]
    assert (row["kind"], row["free"], row["campaign"], row["amount"], row["asked"]) == (
        "bet",
        True,
        "campaign-1",
        "0.00",
        "1.00",
    )


def test_a37_a_free_bet_without_money(swipe):
    """A player who has nothing can play free rounds."""
    swipe.sit_down(None)
    assert swipe.post("bet", free(swipe, "bet", amount="5.00"))[0] == 200


def test_a38_a_free_win(swipe):
    """A win of free rounds is tracking: 200, balance unchanged."""
    bet = free(swipe, "bet")
    swipe.post("bet", bet)
    status, answer = swipe.post("win", free(swipe, "win", amount="7.00", roundID=bet["roundID"]))
    assert (status, answer["balance"]) == (200, "200.00")
    assert [row[:2] for row in swipe.rows()] == [("bet", "0.00"), ("win", "0.00")]


def test_a39_a_refund_of_a_free_bet(swipe):
    """What cost nothing gives nothing back, whether the bet is known or not."""
    known, unknown = free(swipe, "bet", amount="5.00"), free(swipe, "bet", amount="5.00")
    swipe.post("bet", known)
    for bet in (known, unknown):
        status, answer = swipe.post("refund", swipe.undo(bet))
        assert (status, answer["balance"]) == (200, "200.00")
    assert swipe.balance() == "200.00"


def test_a40_a_bonus_withdrawal(swipe):
    """A regular win with frID, in a round without a bet, is credited once; no repeat pays."""
    fields = swipe.body("win", amount="12.5", frID="campaign-2")
    request = swipe.request("win", fields)
    first = swipe.raw(request)
    assert first[0] == 200
    assert swipe.raw(request) == first
    assert swipe.balance() == "212.50"
    assert swipe.alerts(fields["txID"]) == []
    (row,) = swipe.doors.transactions(brand="acme", player=swipe.player)[1:]
    assert (row["kind"], row["campaign"]) == ("reward", "campaign-2")


def test_a40_a_second_bonus_withdrawal(swipe):
    """A second payout of a campaign to the same player is paid, with an alert."""
    swipe.post("win", swipe.body("win", amount="12.5", frID="campaign-2"))
    again = swipe.body("win", amount="12.5", frID="campaign-2")
    assert swipe.post("win", again)[1]["balance"] == "225.00"
    assert swipe.alerts(again["txID"]) == ["second_payout"]


def test_a41_a_win_for_a_refunded_bet(swipe):
    """It is answered by 200, so that it ends, and held: recorded without money, with an alert."""
    bet = swipe.body("bet")
    swipe.post("bet", bet)
    swipe.post("refund", swipe.undo(bet))
    win = swipe.body("win", amount="500.00", roundID=bet["roundID"])
    status, answer = swipe.post("win", win)
    assert (status, answer["balance"]) == (200, "200.00")
    assert swipe.alerts(win["txID"]) == ["win_after_refund"]


def test_a42_error_objects(swipe):
    """Every error has a message, codes and actions of the lists only, and shows no key."""
    options = swipe.integration.options
    keys = [options.api_key.reveal(), *(each.reveal() for each in options.integration_api_keys)]
    blocked = Swipe(swipe.doors).sit_down()
    blocked.doors.change(blocked.player, status="blocked")
    limited = Swipe(swipe.doors).sit_down()
    limits = {"currencies": {"USD": {"max_stake": "5.00"}}}
    limited.doors.change(limited.player, limits=limits)
    answers = [
        swipe.post("bet", swipe.body("bet", amount="999.00")),
        swipe.post("bet", swipe.body("bet", sessionID="nobody")),
        swipe.post("bet", swipe.body("bet") | {"amount": 1}),
        swipe.post("bet", swipe.body("bet"), header=b"0" * 64),
        swipe.post("nowhere", swipe.body("bet")),
        blocked.post("bet", blocked.body("bet")),
        limited.post("bet", limited.body("bet", amount="5.01")),
    ]
    codes = ["insufficient_funds", "session_not_found", None, None, None, "account_blocked"]
    for (status, answer), code in zip(answers, [*codes, "bet_limit"], strict=True):
        assert 400 <= status < 500
        assert is_error(answer, code)
        assert not [key for key in keys if key in str(answer)]


def test_a43_an_unknown_session(swipe):
    """Balance and bet of a session that nobody opened are 404, `session_not_found`."""
    for status, answer in (
        swipe.ask(balance_query("nobody")),
        swipe.post("bet", swipe.body("bet", sessionID="nobody")),
    ):
        assert status == 404
        assert is_error(answer, "session_not_found")


def test_a44_a_demo_session(served):
    """A demo has no session with us, so any call about it is an error and moves nothing."""
    swipe = Swipe(served)
    swipe.session = "demo-session"
    before = served.books()[:2]
    assert swipe.ask(balance_query(swipe.session))[0] == 404
    assert swipe.post("bet", swipe.body("bet"))[0] == 404
    assert swipe.post("win", swipe.body("win"))[0] == 404
    assert served.books()[:2] == before


def test_o10_a_refund_where_nothing_is_known(swipe):
    """Neither session nor transaction is known: 200 with balance 0 and the refund's own id."""
    fields = swipe.body("refund", sessionID="nobody")
    assert swipe.post("refund", fields) == (200, {"balance": "0", "txID": fields["txID"]})
    bet = swipe.body("bet", txID=fields["origTxID"])
    assert swipe.post("bet", bet)[0] == 400, "its bet came later"
    assert swipe.balance() == "200.00"


def test_o13_a_refund_of_a_win(swipe):
    """A win is never undone: 200, nothing moves, a person hears of it."""
    win = swipe.body("win", amount="50.00")
    swipe.post("win", win)
    undo = swipe.undo(win)
    assert swipe.post("refund", undo)[1]["balance"] == "250.00"
    assert swipe.alerts(undo["txID"]) == ["refund_of_other_kind"]


def test_o17_a_win_without_a_bet(swipe):
    """A regular win in a round without a bet is credited, with an alert."""
    win = swipe.body("win", amount="50.00")
    assert swipe.post("win", win)[1]["balance"] == "250.00"
    assert swipe.alerts(win["txID"]) == ["win_without_bet"]


def test_o18_a_refund_after_the_win(swipe):
    """The stake is given back although the round was won, with an alert."""
    bet = swipe.body("bet")
    swipe.post("bet", bet)
    swipe.post("win", swipe.body("win", amount="50.00", roundID=bet["roundID"]))
    undo = swipe.undo(bet)
    assert swipe.post("refund", undo)[1]["balance"] == "250.00"
    assert swipe.alerts(undo["txID"]) == ["refund_after_win"]


def test_o20_unknown_sessions(swipe):
    """A refund finds its player through the bet; a win on an unknown session is 404, alert."""
    bet = swipe.body("bet")
    swipe.post("bet", bet)
    assert swipe.post("refund", swipe.undo(bet, sessionID="nobody"))[1]["balance"] == "200.00"
    win = swipe.body("win", sessionID="nobody")
    status, answer = swipe.post("win", win)
    assert status == 404
    assert is_error(answer, "session_not_found")
    assert swipe.alerts(win["txID"]) == ["win_unknown_session"]


def test_o21_rounds_in_any_order(swipe):
    """Wins and refunds of earlier rounds may come after bets of later ones."""
    one, two, three = (swipe.body("bet", amount="10.00") for _ in range(3))
    for fields in (one, two, three):
        swipe.post("bet", fields)
    swipe.post("win", swipe.body("win", amount="1.00", roundID=three["roundID"]))
    swipe.post("refund", swipe.undo(one))
    swipe.post("win", swipe.body("win", amount="2.00", roundID=two["roundID"]))
    assert swipe.balance() == "183.00"


def test_o22_a_bad_signature_touches_nothing(swipe):
    """No call with a bad signature leaves a trace in the books."""
    before = swipe.doors.books()
    for call in ("bet", "win", "refund"):
        assert swipe.post(call, swipe.body(call), header=b"0" * 64)[0] == 401
    assert swipe.doors.books() == before
