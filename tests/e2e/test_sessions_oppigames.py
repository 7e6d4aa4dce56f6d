"""Which session a wallet call means, by each policy of the settings, over HTTP."""

import pytest

from kit.oppi import START, Oppi, gateway

UNKNOWN = "c" * 96


@pytest.fixture
def seated(place):
    """A player with a session, at a gateway with a policy of the test's choice."""
    opened = []

    def connect(policy):
        context = gateway(place, session_policy=policy, status_profile="extended")
        opened.append((context, context.__enter__()))
        return Oppi(opened[-1][1]).start()

    yield connect
    for context, rig in opened:
        rig.audit()
        context.__exit__(None, None, None)


def test_an_unknown_session_is_bound(seated):
    """It is taken for the player's newest of that game, and is known from then on."""
    oppi = seated("bind_on_first_use")
    oppi.ok("bet", oppi.bet_body(1, sessionId=UNKNOWN), START - 1)
    assert oppi.ok("balance", oppi.balance_body(sessionId=UNKNOWN))["sessionId"] == UNKNOWN
    oppi.no("bet", oppi.bet_body(1, sessionId="d" * 96, gameId="other"), "RS_ERROR_INVALID_TOKEN")
    oppi.no("bet", oppi.bet_body(1, sessionId=UNKNOWN, gameId="other"), "RS_ERROR_INVALID_GAME")
    oppi.no("bet", oppi.bet_body(1, gameId="other"), "RS_ERROR_INVALID_GAME")
    assert oppi.units() == START - 1


def test_a_session_is_bound_in_the_currency_of_the_bet(seated):
    """Of two launches of one game the one in the bet's currency is meant, the newest or not."""
    oppi = seated("bind_on_first_use")
    oppi.doors.session("oppigames", "in-eur", player=oppi.player, currency="EUR", game=oppi.game)
    oppi.ok("bet", oppi.bet_body(1, sessionId=UNKNOWN), START - 1)
    oppi.ok("bet", oppi.bet_body(0, sessionId="d" * 96, currency="EUR"), 0)
    oppi.no("bet", oppi.bet_body(0, sessionId="d" * 96), "RS_ERROR_WRONG_CURRENCY")
    oppi.no("bet", oppi.bet_body(0, sessionId="e" * 96, currency="BTC"), "RS_ERROR_INVALID_TOKEN")


def test_a_balance_binds_no_session(seated):
    """It names no game: who plays an older launch asks for the balance first, and then bets."""
    oppi = seated("bind_on_first_use")
    oppi.doors.session("oppigames", "newer", player=oppi.player, game="newer")
    oppi.ok("balance", oppi.balance_body(sessionId=UNKNOWN))
    oppi.ok("bet", oppi.bet_body(1, sessionId=UNKNOWN), START - 1)


def test_a_bound_session_is_closed_with_its_launch(seated):
    """Who closes the session that they opened need not know what the vendor calls it."""
    oppi = seated("bind_on_first_use")
    oppi.doors.session("oppigames", "other", player=oppi.player, game="other")
    oppi.ok("bet", oppi.bet_body(1, sessionId=UNKNOWN))
    oppi.leave()
    oppi.no("bet", oppi.bet_body(1, sessionId=UNKNOWN), "RS_ERROR_INVALID_TOKEN")
    oppi.ok("bet", oppi.bet_body(1, sessionId="other", gameId="other"), START - 2)


def test_a_bound_session_is_nobody_elses(seated):
    """Another player who names it is refused, whatever that player has open."""
    oppi = seated("bind_on_first_use")
    oppi.ok("bet", oppi.bet_body(1, sessionId=UNKNOWN))
    oppi.start()
    oppi.no("bet", oppi.bet_body(1, sessionId=UNKNOWN), "RS_ERROR_INVALID_TOKEN")
    assert oppi.units() == START


def test_an_old_launch_is_not_bound(seated):
    """A launch that is older than a day is over."""
    oppi = seated("bind_on_first_use")
    oppi.doors.pass_time(hours=25)
    oppi.no("bet", oppi.bet_body(1, sessionId=UNKNOWN), "RS_ERROR_INVALID_TOKEN")


def test_an_unknown_session_is_refused_where_strict(seated):
    """Bets and balances need the very session; what is owed is paid without."""
    oppi = seated("strict")
    bet = oppi.bet_body(1)
    oppi.ok("bet", bet)
    oppi.no("bet", oppi.bet_body(1, sessionId=UNKNOWN), "RS_ERROR_INVALID_TOKEN")
    refused = oppi.post("balance", oppi.balance_body(sessionId=UNKNOWN))
    assert refused["status"] == "RS_ERROR_INVALID_TOKEN"
    oppi.ok("payout", oppi.payout_body(bet, 1, sessionId=UNKNOWN), START)
    assert oppi.batch("rollback", oppi.undo(bet, sessionId=UNKNOWN))[0]["status"] == "RS_OK"
    assert oppi.units() == START


def test_sessions_do_not_count_where_ignored(seated):
    """Player and currency say whose money it is, in any game, also after the session is over."""
    oppi = seated("ignore")
    oppi.leave()
    bet = oppi.bet_body(1, sessionId=UNKNOWN, gameId="other")
    oppi.ok("bet", bet, START - 1)
    oppi.ok("payout", oppi.payout_body(bet, 5, sessionId="another"), START + 4)
    (told,) = oppi.batch("retry", oppi.again(amount=1))
    assert (told["sessionId"], told["balance"]) == (oppi.session, START + 5)
    oppi.no("bet", oppi.bet_body(1, playerId="nobody"), "RS_ERROR_INVALID_TOKEN")
    oppi.no("bet", oppi.bet_body(1, currency="EUR"), "RS_ERROR_NOT_ENOUGH_MONEY")
    assert oppi.units() == START + 5
