"""The aggregator's checklist, rows A20 to A35, over HTTP: the order of events."""

import asyncio
import json

import msgspec
import pytest

from kit.gateway import GatewayRig
from kit.processes import wait_for
from kit.slotegrator import Slotegrator, ok, refused_by
from seamline.dialects.slotegrator import DIALECT
from seamline.ledger.store import StoreUnavailable


@pytest.fixture
def slote(served):
    """A provider by raw requests, with a new player who has 100.0001 USD; audited afterwards."""
    yield Slotegrator(served).sit_down("100.0001")
    served.audit()


def key(action, members):
    """The key of a call."""
    return f"{action}/{members['transaction_id']}"


@pytest.mark.parametrize("lost", [False, True], ids=["it came through", "it was lost"])
def test_a20_a_bet_whose_outcome_does_not_come(slote, lost):
    """A bet that the store does not answer in time is in doubt; its refund makes all well.

    Whether the bet came through after all or not, the balance is what it was.
    """
    bet, gate = slote.body("bet"), asyncio.Event()

    async def held():
        await gate.wait()
        if lost:
            raise StoreUnavailable("gone")

    with slote.doors.before_batches(held, deadline_ms=200):
        assert slote.code(bet) == "BET_FAILED_UNKNOWN_ERROR"
    slote.doors.run(release(gate))
    refund = slote.request(slote.undo(bet))
    assert sent_until_done(slote, refund) == ok("100.0001")
    assert slote.balance() == "100.0001"
    assert slote.code(bet) == "TRANSACTION_DENIED"


async def release(gate):
    """Let the store answer again."""
    gate.set()


def sent_until_done(slote, request):
    """The answer once it is no refusal, as a provider sends refunds and wins."""

    def done():
        status, body = slote.raw(request)
        if json.loads(body)["status"]:
            return status, body
        assert refused_by(status, body) in {"INTERNAL_ERROR", "TRANSACTION_IN_PROGRESS"}
        return None

    return wait_for(done)


@pytest.mark.parametrize("action", ["win", "refund", "balance"])
def test_a20_other_calls_whose_outcome_does_not_come(slote, action):
    """A win or refund without an outcome in time is to be sent again, and moves once."""
    bet = slote.body("bet")
    slote.post(bet)
    said = {"win": slote.result(bet), "refund": slote.undo(bet), "balance": slote.body("balance")}
    gate = asyncio.Event()
    with slote.doors.before_batches(gate.wait, deadline_ms=200):
        assert slote.code(said[action]) == "INTERNAL_ERROR"
    slote.doors.run(release(gate))
    balance = "90" if action == "balance" else "100.0001"
    assert sent_until_done(slote, slote.request(said[action])) == ok(balance)
    assert len(slote.rows()) == (1 if action == "balance" else 2)


def test_a20_a_store_that_is_away(slote):
    """With the store away a bet is in doubt, and anything else is to be sent again."""
    bet = slote.body("bet")
    with slote.doors.away():
        assert slote.code(bet) == "BET_FAILED_UNKNOWN_ERROR"
        for action in ("win", "refund", "balance"):
            assert slote.code(slote.body(action)) == "INTERNAL_ERROR"
    assert slote.post(slote.undo(bet)) == ok("100.0001")
    assert slote.code(bet) == "TRANSACTION_DENIED"


def test_a21_a_bet_and_its_win_may_have_one_id(slote):
    """The samples give both the same id: two transactions."""
    bet = slote.body("bet")
    assert slote.post(bet) == ok("90")
    win = slote.result(bet, transaction_id=bet["transaction_id"])
    assert slote.post(win) == ok("100.0001")
    assert slote.rows() == [("bet", "10.0001", "90.00"), ("win", "10.0001", "100.0001")]


def test_a22_wins_in_a_round(slote):
    """Each win of a round is paid once, whatever their number; a changed repeat is denied."""
    bet = slote.body("bet")
    slote.post(bet)
    one, two = slote.result(bet, "1"), slote.result(bet, "2")
    assert slote.post(one) == ok("91")
    assert slote.post(one) == ok("91")
    assert slote.post(two) == ok("93")
    assert slote.post(one) == ok("93")
    assert slote.code(one | {"amount": "3"}) == "TRANSACTION_DENIED"
    assert slote.balance() == "93.00"


def test_a23_a_win_before_its_bet(slote):
    """A win without a bet is denied and done as soon as the bet is there."""
    bet = slote.body("bet")
    win = slote.result(bet, "5")
    assert slote.code(win) == "TRANSACTION_DENIED"
    assert slote.rows() == []
    assert slote.post(bet) == ok("90")
    assert slote.post(win) == ok("95")


def test_a23_a_win_whose_bets_are_all_refunded(slote):
    """A win of a round whose only bet was undone is denied; a second bet brings it back."""
    bet = slote.body("bet")
    slote.post(bet)
    slote.post(slote.undo(bet))
    win = slote.result(bet, "5")
    assert slote.code(win) == "TRANSACTION_DENIED"
    slote.post(slote.body("bet", amount="1", round_id=bet["round_id"]))
    assert slote.post(win) == ok("104.0001")


def test_a23_a_win_on_another_players_bet(slote):
    """A round of the same name at another player is another round."""
    bet = slote.body("bet")
    slote.post(bet)
    other = Slotegrator(slote.doors).sit_down("50.00")
    assert other.code(other.result(bet)) == "TRANSACTION_DENIED"
    assert (slote.balance(), other.balance()) == ("90.00", "50.00")


def test_a23_a_win_without_a_bet_where_that_is_allowed(place):
    """Without `win_requires_bet` such a win is paid, and a person hears of it."""
    options = msgspec.structs.replace(DIALECT.sandbox(), win_requires_bet=False)
    rig = GatewayRig(place, options={"slotegrator": options}).serve()
    slote = Slotegrator(rig).sit_down("100.0001")
    win = slote.body("win", amount="5")
    assert slote.post(win) == ok("105.0001")
    assert slote.alerts(key("win", win)) == ["win_without_bet"]
    rig.audit()
    rig.close()


@pytest.mark.parametrize("type_", ["jackpot", "freespin"])
def test_a24_wins_that_need_no_bet(slote, type_):
    """A jackpot, and the win of a free spin, is paid without a bet, and its type is kept."""
    assert slote.post(slote.body("win", type=type_, amount="25")) == ok("125.0001")
    (row,) = slote.doors.transactions(brand="acme", player=slote.player)[1:]
    assert (row["kind"], row["feature"]) == ("reward", type_)


@pytest.mark.parametrize("over", ["closed", "expired"])
def test_a25_a_win_on_a_session_that_is_over_and_a26_a_bet(slote, over):
    """What is owed is paid on a session that is over; a bet and a balance call are refused."""
    bet, lost = slote.body("bet"), slote.body("bet", amount="5")
    slote.post(bet)
    slote.post(lost)
    if over == "closed":
        slote.leave()
    else:
        slote.doors.pass_time(hours=24.01)
    assert slote.post(slote.result(bet, "10")) == ok("95")
    assert slote.post(slote.body("win", type="jackpot", amount="1")) == ok("96")
    assert slote.post(slote.undo(lost)) == ok("101")
    assert slote.code(slote.body("bet")) == "SESSION_NOT_FOUND"
    assert slote.code(slote.body("balance")) == "SESSION_NOT_FOUND"
    assert slote.post(bet) == ok("101"), "a repeat is known on any session"


def test_a26_a_session_that_is_used_lives_on(slote):
    """Every call keeps a session open for the rest of a day, or nearly."""
    for _ in range(4):
        slote.doors.pass_time(hours=17)
        assert slote.post(slote.body("balance")) == ok("100.0001")
    slote.doors.pass_time(hours=25)
    assert slote.code(slote.body("balance")) == "SESSION_NOT_FOUND"


def test_a27_a_refund(slote):
    """A refund gives the whole stake back."""
    bet = slote.body("bet")
    slote.post(bet)
    assert slote.post(slote.undo(bet)) == ok("100.0001")
    assert slote.rows() == [("bet", "10.0001", "90.00"), ("refund", "10.0001", "100.0001")]


@pytest.mark.parametrize(
    "changed",
    [{"round_id": "another"}, {"round_id": ...}, {"round_id": 7}, {"game_id": "another"}],
    ids=repr,
)
def test_a27_a_refund_with_another_round_or_game(slote, changed):
    """The id alone says which bet it is."""
    bet = slote.body("bet")
    slote.post(bet)
    assert slote.post(slote.undo(bet, **changed)) == ok("100.0001")


def test_a27_a_refund_from_another_session_of_the_player(slote):
    """The same player may have opened the game anew."""
    bet = slote.body("bet")
    slote.post(bet)
    slote.open_session()
    assert slote.post(slote.undo(bet, session_id=slote.session)) == ok("100.0001")


def test_a28_a_refund_three_times(slote):
    """One credit; the answer is the balance now."""
    bet = slote.body("bet")
    slote.post(bet)
    refund = slote.undo(bet)
    assert [slote.post(refund) for _ in range(3)] == [ok("100.0001")] * 3
    slote.post(slote.body("bet", amount="1"))
    assert slote.post(refund) == ok("99.0001")


def test_a29_a_refund_before_its_bet(slote):
    """It is done and moves nothing; the bet is denied when it comes, and stays so."""
    bet = slote.body("bet")
    assert slote.post(slote.undo(bet)) == ok("100.0001")
    for _ in range(2):
        assert slote.code(bet) == "TRANSACTION_DENIED"
    assert slote.post(slote.undo(bet)) == ok("100.0001")
    assert slote.balance() == "100.0001"


def test_a29_a_bet_after_its_refund(slote):
    """A bet that was undone is not made again."""
    bet = slote.body("bet")
    slote.post(bet)
    slote.post(slote.undo(bet))
    assert slote.code(bet) == "TRANSACTION_DENIED"
    assert slote.balance() == "100.0001"


def test_a29_a_refund_of_a_refused_bet(slote):
    """A refused bet has nothing to give back; it is denied from then on."""
    bet = slote.body("bet", amount="500")
    assert slote.code(bet) == "INSUFFICIENT_BALANCE"
    assert slote.post(slote.undo(bet)) == ok("100.0001")
    slote.doors.deposit(f"more-{bet['transaction_id']}", "1000", player=slote.player)
    assert slote.code(bet) == "TRANSACTION_DENIED"


def test_a30_a_refund_that_races_its_bet(slote):
    """A hundred times at once, in either order: nothing is taken in the end."""
    for turn in range(100):
        bet = slote.body("bet")
        pair = [slote.request(bet), slote.request(slote.undo(bet))]
        replies = slote.doors.send_all(slote.name, pair[:: 1 if turn % 2 else -1])
        assert {reply.status for reply in replies} == {200}
        assert slote.balance() == "100.0001"


def test_a31_a_refund_after_the_win(slote):
    """The stake is given back, the win stays, and a person hears of it."""
    bet = slote.body("bet")
    slote.post(bet)
    slote.post(slote.result(bet, "25"))
    assert slote.post(slote.undo(bet)) == ok("125.0001")
    assert slote.alerts(key("refund", bet)) == ["refund_after_win"]


def test_a32_a_refund_of_a_wins_id(slote):
    """Wins are not undone: the refund is done, moves nothing, and a bet of that id is denied."""
    bet = slote.body("bet")
    slote.post(bet)
    win = slote.result(bet, "25")
    slote.post(win)
    assert slote.post(slote.undo(win)) == ok("115")
    assert slote.code(slote.body("bet", transaction_id=win["transaction_id"])) == (
        "TRANSACTION_DENIED"
    )


def test_a33_a_refund_from_another_players_session(slote):
    """It is denied, and a person hears of it."""
    bet = slote.body("bet")
    slote.post(bet)
    other = Slotegrator(slote.doors).sit_down("50.00")
    assert other.code(other.undo(bet, session_id=other.session)) == "TRANSACTION_DENIED"
    assert (slote.balance(), other.balance()) == ("90.00", "50.00")
    assert "target_foreign" in slote.alerts(key("refund", bet))
    assert slote.post(slote.undo(bet)) == ok("100.0001")


def test_a34_a_free_spin(slote):
    """A free spin is recorded and not debited, its refund credits nothing, its win is paid."""
    bet = slote.body("bet", type="freespin", amount="1.00")
    assert slote.post(bet) == ok("100.0001")
    win = slote.result(bet, "3", type="freespin")
    assert slote.post(win) == ok("103.0001")
    assert slote.post(slote.undo(bet)) == ok("103.0001")
    rows = slote.doors.transactions(brand="acme", player=slote.player)[1:]
    assert [row["feature"] for row in rows[:2]] == ["freespin", "freespin"]
    assert "campaign_unknown" in slote.alerts(key("bet", bet))


def test_a34_a_free_spin_with_an_empty_purse(slote):
    """A free spin needs no money."""
    slote.sit_down(None)
    slote.doors.deposit(f"d-{slote.player}", "0.01", player=slote.player)
    assert slote.post(slote.body("bet", type="freespin", amount="5")) == ok("0.01")


def test_a35_a_tip(slote):
    """A tip is debited and is no bet that a win could belong to; it can be undone."""
    tip = slote.body("bet", type="tip", amount="2")
    assert slote.post(tip) == ok("98.0001")
    assert slote.code(slote.result(tip, "5")) == "TRANSACTION_DENIED"
    assert slote.post(slote.undo(tip)) == ok("100.0001")
    assert [kind for kind, _, _ in slote.rows()] == ["tip", "refund"]
    large = slote.body("bet", type="tip", amount="500")
    assert slote.code(large) == "INSUFFICIENT_BALANCE"


def test_a38_the_end_of_a_round(slote):
    """A round that a newer provider keeps open is unsettled until a win ends it."""
    bet = slote.body("bet")
    slote.post(bet)

    def unsettled():
        query = {"brand": "acme", "player": slote.player, "unsettled": "true"}
        return [each["round"] for each in slote.doors.rounds(**query)]

    slote.post(slote.result(bet, "1", is_finished=False))
    assert unsettled() == [bet["round_id"]]
    slote.post(slote.result(bet, "1", is_finished=True))
    assert unsettled() == []


def test_a27_a_refund_on_a_session_that_nobody_knows(slote):
    """A known bet is given back to whom it was taken from; of an unknown one nothing is known."""
    bet = slote.body("bet")
    slote.post(bet)
    assert slote.post(slote.undo(bet, session_id="nobody")) == ok("100.0001")
    assert slote.code(slote.body("refund", session_id="nobody")) == "SESSION_NOT_FOUND"
