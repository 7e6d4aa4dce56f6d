"""The checklist, rows 26 to 53, over HTTP: payouts, rewards, rollbacks, retries, and trouble."""

import json

import pytest

from kit.oppi import START, Oppi, compact, gateway
from seamline.dialects.dialect import Request

HALF = 50_000_000


@pytest.fixture
def oppi(served):
    """The vendor by raw requests, with a new player who has 1000.00 USD; audited afterwards."""
    yield Oppi(served).start()
    served.audit()


@pytest.fixture
def chosen(place):
    """Connects OppiGames with options of the test's choice."""
    with_options = []

    def connect(**options):
        opened = gateway(place, **options)
        with_options.append((opened, opened.__enter__()))
        return Oppi(with_options[-1][1]).start()

    yield connect
    for opened, rig in with_options:
        rig.audit()
        opened.__exit__(None, None, None)


def staked(oppi, amount=HALF):
    """A bet that was done."""
    fields = oppi.bet_body(amount)
    oppi.ok("bet", fields)
    return fields


def test_row26_a_payout_is_credited(oppi):
    """A payout of 100.00 is added once, in the bet's round."""
    bet = staked(oppi)
    payout = oppi.payout_body(bet)
    assert oppi.ok("payout", payout, 60_000_000) == {
        "status": "RS_OK",
        "transactionId": payout["transactionId"],
        "balance": 60_000_000,
    }
    assert oppi.rows() == [("bet", "500.00", "500.00"), ("win", "100.00", "600.00")]
    (row,) = [each for each in oppi.doors.transactions(player=oppi.player, brand="acme")
              if each["kind"] == "win"]  # fmt: skip
    assert row["round"] == bet["transactionId"]


def test_row27_a_payout_four_times(oppi):
    """The first and its three repeats make one credit and four equal answers."""
    payout = oppi.payout_body(staked(oppi))
    replies = {oppi.reply("payout", payout).body for _ in range(4)}
    assert len(replies) == 1
    assert oppi.units() == 60_000_000


def test_row28_a_bet_that_lost(oppi):
    """A payout of nothing is recorded and moves nothing."""
    payout = oppi.payout_body(staked(oppi), 0)
    assert payout["isWin"] is False
    oppi.ok("payout", payout, HALF)
    assert oppi.rows()[-1] == ("win", "0.00", "500.00")
    assert oppi.alerts(payout["transactionId"]) == []


@pytest.mark.parametrize(("amount", "is_win"), [(1, False), (0, True)])
def test_row28_is_win_that_contradicts_the_amount(oppi, amount, is_win):
    """Money follows the amount; a person is told."""
    payout = oppi.payout_body(staked(oppi), amount, isWin=is_win)
    oppi.ok("payout", payout, HALF + amount)
    assert oppi.alerts(payout["transactionId"]) == ["notice"]


def test_row29_a_payout_before_its_bet(oppi):
    """Refused while the bet is not known, paid when it is sent again after the bet came."""
    bet = oppi.bet_body()
    payout = oppi.payout_body(bet)
    oppi.no("payout", payout)
    assert oppi.rows() == []
    oppi.ok("bet", bet, HALF)
    oppi.ok("payout", payout, 60_000_000)


def test_row29_a_payout_without_a_bet_where_chosen(chosen):
    """Where the operator would rather pay, it is paid, with an alert."""
    oppi = chosen(payout_unknown_bet="accept")
    payout = oppi.payout_body(oppi.bet_body())
    oppi.ok("payout", payout, START + 10_000_000)
    assert oppi.alerts(payout["transactionId"]) == ["win_without_bet"]


def test_row29_a_payout_that_points_at_no_bet(oppi):
    """What pays a payout, a reward or a refused bet pays nothing."""
    bet = staked(oppi)
    payout, reward = oppi.payout_body(bet), oppi.reward_body()
    oppi.ok("payout", payout)
    oppi.ok("reward", reward)
    dear = oppi.bet_body(10 * START)
    oppi.no("bet", dear)
    before = oppi.rows()
    for each in (payout, reward, dear):
        oppi.no("payout", oppi.payout_body(each))
    assert oppi.rows() == before


def test_row30_a_payout_for_anothers_bet(oppi):
    """Refused with an alert, and nobody is paid."""
    bet = staked(oppi)
    first = oppi.player
    oppi.start()
    payout = oppi.payout_body(bet)
    oppi.no("payout", payout)
    assert oppi.units() == START
    assert oppi.doors.balance(first) == "500.00"
    assert oppi.alerts(payout["transactionId"]) == ["target_foreign"]


def test_row31_a_second_payout(oppi):
    """A bet is paid once: a second payout under a new id is refused, with an alert."""
    bet = staked(oppi)
    oppi.ok("payout", oppi.payout_body(bet))
    second = oppi.payout_body(bet)
    oppi.no("payout", second)
    assert oppi.units() == 60_000_000
    assert oppi.alerts(second["transactionId"]) == ["second_payout"]


def test_row31_a_second_payout_where_chosen(chosen):
    """Games with several payouts are a matter of settings; each is paid, with an alert."""
    oppi = chosen(multi_payout="allow")
    bet = staked(oppi)
    oppi.ok("payout", oppi.payout_body(bet), 60_000_000)
    second = oppi.payout_body(bet)
    oppi.ok("payout", second, 70_000_000)
    assert oppi.alerts(second["transactionId"]) == ["second_payout"]


def test_row32_a_payout_after_the_session(oppi):
    """What is owed is paid after the session is closed, and on a session nobody knows."""
    first, second = staked(oppi, 1), staked(oppi, 1)
    oppi.leave()
    oppi.no("bet", oppi.bet_body())
    oppi.ok("payout", oppi.payout_body(first), START + 10_000_000 - 2)
    oppi.ok("payout", oppi.payout_body(second, sessionId="x" * 384), START + 20_000_000 - 2)


def test_row33_a_reward(oppi):
    """A bonus of 257.00 is added."""
    reward = oppi.reward_body()
    assert oppi.ok("reward", reward) == {
        "status": "RS_OK",
        "transactionId": reward["transactionId"],
        "balance": START + 25_700_000,
    }
    assert oppi.rows() == [("reward", "257.00", "1257.00")]


def test_row34_a_reward_again(oppi):
    """The same reward again gets the first answer; one credit."""
    reward = oppi.reward_body()
    oppi.ok("reward", reward)
    staked(oppi)
    oppi.ok("reward", reward, START + 25_700_000)
    assert oppi.units() == START + 25_700_000 - HALF


@pytest.mark.parametrize(
    "change", [{"refTransactionId": "another"}, {"rewardType": "bonus"}, {"rewardedAmount": 1}]
)
def test_row34_a_known_reward_with_other_content(oppi, change):
    """Another jackpot, another kind or another amount under a known id is a conflict."""
    reward = oppi.reward_body(kind="jackpot")
    oppi.ok("reward", reward)
    oppi.no("reward", reward | change)
    assert oppi.alerts(reward["transactionId"]) == ["duplicate_changed"]
    assert oppi.units() == START + 25_700_000


def test_row35_a_bonus_that_was_paid(oppi):
    """A second reward of one bonus is refused under a new id, with an alert."""
    reward = oppi.reward_body()
    oppi.ok("reward", reward)
    second = oppi.reward_body(reward["refTransactionId"])
    oppi.no("reward", second)
    assert oppi.units() == START + 25_700_000
    assert "second_payout" in oppi.alerts(second["transactionId"])


def test_row35_a_bonus_that_another_player_was_paid(oppi):
    """A bonus id is paid once, whoever asks: also one that nobody gave here."""
    reward = oppi.reward_body()
    oppi.ok("reward", reward)
    oppi.start()
    second = oppi.reward_body(reward["refTransactionId"])
    oppi.no("reward", second)
    assert oppi.units() == START
    assert oppi.alerts(second["transactionId"]) == ["second_payout"]
    oppi.ok("reward", oppi.reward_body(reward["refTransactionId"], kind="jackpot"))


def test_row35_a_bonus_that_was_paid_where_chosen(chosen):
    """It may be acknowledged without money."""
    oppi = chosen(bonus_reref="ack_no_credit")
    reward = oppi.reward_body()
    oppi.ok("reward", reward)
    oppi.ok("reward", oppi.reward_body(reward["refTransactionId"]), START + 25_700_000)
    assert oppi.rows() == [("reward", "257.00", "1257.00")]


def test_row35_a_bonus_that_is_paid_again_where_chosen(chosen):
    """It may be paid again, with an alert."""
    oppi = chosen(bonus_reref="allow")
    reward = oppi.reward_body()
    oppi.ok("reward", reward)
    oppi.ok("reward", oppi.reward_body(reward["refTransactionId"]), START + 2 * 25_700_000)


def test_row36_a_jackpot_pays_many(oppi):
    """One jackpot pays two players, and one of them again, each under an id of its own."""
    jackpot = oppi.ids.uuid()
    for _ in range(2):
        oppi.start()
        oppi.ok("reward", oppi.reward_body(jackpot, kind="jackpot"), START + 25_700_000)
    again = oppi.reward_body(jackpot, kind="jackpot")
    oppi.ok("reward", again, START + 2 * 25_700_000)
    assert oppi.alerts(again["transactionId"]) == []


@pytest.mark.parametrize("kind", ["Free Spin", " BONUS ", "free  bets", "Card Scratch"])
def test_row37_other_words_for_a_bonus(oppi, kind):
    """The vendor's samples and bonus types name bonuses in many ways."""
    oppi.ok("reward", oppi.reward_body(kind=kind), START + 25_700_000)


@pytest.mark.parametrize("kind", ["lottery", "", "bonus|jackpot", 7, None])
def test_row37_words_that_nobody_knows(oppi, kind):
    """Anything else is refused and pays nothing."""
    oppi.no("reward", oppi.reward_body(kind=kind))
    assert oppi.rows() == []


def test_row39_a_rollback(oppi):
    """The stake comes back; the answer has one entry and no balance."""
    item = oppi.undo(staked(oppi))
    answer = oppi.post("rollback", {"transactions": [item]})
    assert answer == {
        "status": "RS_OK",
        "data": [{"status": "RS_OK", "transactionId": item["transactionId"]}],
    }
    assert oppi.rows() == [("bet", "500.00", "500.00"), ("refund", "500.00", "1000.00")]


def test_row40_a_rollback_again(oppi):
    """Under the same id or a new one it is acknowledged, and nothing moves a second time."""
    bet = staked(oppi)
    item = oppi.undo(bet)
    for each in (item, item, oppi.undo(bet)):
        assert oppi.batch("rollback", each)[0]["status"] == "RS_OK"
    (first, second) = oppi.batch("rollback", item, item)
    assert first == second
    assert oppi.units() == START


def test_row40_a_bet_again_after_its_rollback(oppi):
    """It is told its first answer, old balance and all, and nothing is debited."""
    bet = oppi.bet_body()
    first = oppi.reply("bet", bet).body
    oppi.batch("rollback", oppi.undo(bet))
    assert oppi.reply("bet", bet).body == first
    oppi.no("bet", bet | {"amount": 1})
    assert oppi.units() == START


def test_row41_a_rollback_before_its_bet(oppi):
    """Acknowledged; the bet is refused when it comes, and nothing is debited."""
    bet = oppi.bet_body()
    assert oppi.batch("rollback", oppi.undo(bet))[0]["status"] == "RS_OK"
    oppi.no("bet", bet)
    oppi.no("payout", oppi.payout_body(bet))
    assert oppi.units() == START


@pytest.mark.parametrize("stranger", ["sessionId", "playerId"])
def test_row41_a_rollback_before_its_bet_by_a_stranger(oppi, stranger):
    """Whose it was to be does not matter where nothing was booked: it is acknowledged and kept."""
    bet = oppi.bet_body()
    item = oppi.undo(bet, **{stranger: "nobody", "gameId": "unheard of"})
    for _ in range(2):
        assert oppi.batch("rollback", item)[0]["status"] == "RS_OK"
    oppi.no("bet", bet)
    assert oppi.units() == START


def test_row41_a_rollback_before_its_bet_where_chosen(chosen):
    """It may be told as an error; the bet is refused all the same."""
    oppi = chosen(rollback_unknown="error", status_profile="extended")
    bet = oppi.bet_body()
    item = oppi.undo(bet)
    for _ in range(2):
        (told,) = oppi.batch("rollback", item)
        assert told["status"] == "RS_ERROR_TRANSACTION_DOES_NOT_EXIST"
    oppi.no("bet", bet, "RS_ERROR_TRANSACTION_ROLLED_BACK")
    nothing = staked(oppi, 0)
    assert oppi.batch("rollback", oppi.undo(nothing))[0]["status"] == "RS_OK"


def test_row42_a_paid_bet_is_undone(oppi):
    """A bet whose payout's answers were lost is undone with its payout: net zero."""
    bet = staked(oppi)
    payout = oppi.payout_body(bet)
    oppi.ok("payout", payout)
    assert oppi.batch("rollback", oppi.undo(bet))[0]["status"] == "RS_OK"
    assert oppi.units() == START
    oppi.ok("payout", payout, 60_000_000)
    assert oppi.units() == START


def test_row42_only_the_stake_where_chosen(chosen):
    """It may be the stake alone that comes back."""
    oppi = chosen(rollback_paid_bet="refund_only")
    bet = staked(oppi)
    oppi.ok("payout", oppi.payout_body(bet))
    assert oppi.batch("rollback", oppi.undo(bet))[0]["status"] == "RS_OK"
    assert oppi.units() == START + 10_000_000


def test_row42_not_at_all_where_chosen(chosen):
    """It may be refused."""
    oppi = chosen(rollback_paid_bet="reject")
    bet = staked(oppi)
    oppi.ok("payout", oppi.payout_body(bet))
    assert oppi.batch("rollback", oppi.undo(bet))[0]["status"] == "RS_ERROR"
    assert oppi.units() == 60_000_000


def test_row43_a_payout_that_was_spent_is_undone(oppi):
    """The books stay true: the balance goes below zero, with an alert, and is told as 0."""
    payout = oppi.payout_body(staked(oppi, START), START)
    oppi.ok("payout", payout, START)
    oppi.ok("bet", oppi.bet_body(START), 0)
    item = oppi.undo(payout)
    assert oppi.batch("rollback", item)[0]["status"] == "RS_OK"
    assert oppi.balance() == "-1000.00"
    assert oppi.alerts(item["transactionId"]) == ["overdrawn"]
    assert oppi.ok("balance", oppi.balance_body())["balance"] == 0


def test_row43_a_payout_that_was_spent_is_kept_where_chosen(chosen):
    """Where a balance may not go below zero, the item is an error and nothing moves."""
    oppi = chosen(rollback_negative="reject")
    payout = oppi.payout_body(staked(oppi, START), START)
    oppi.ok("payout", payout)
    oppi.ok("bet", oppi.bet_body(START), 0)
    assert oppi.batch("rollback", oppi.undo(payout))[0]["status"] == "RS_ERROR"
    assert oppi.balance() == "0.00"


def test_row43_rewards_are_undone_too(oppi):
    """A rollback undoes whatever it names: a reward as well, and once."""
    reward = oppi.reward_body()
    oppi.ok("reward", reward)
    assert oppi.batch("rollback", oppi.undo(reward), oppi.undo(reward)) is not None
    assert oppi.units() == START


def test_row44_a_payout_after_the_rollback(oppi):
    """Refused: the bet is void."""
    bet = staked(oppi)
    oppi.batch("rollback", oppi.undo(bet))
    payout = oppi.payout_body(bet)
    oppi.no("payout", payout)
    assert oppi.units() == START
    assert oppi.alerts(payout["transactionId"]) == ["win_after_refund"]


def test_row45_a_batch_of_three(oppi):
    """A good item, one of an unknown target, one that cannot be read: three entries in order."""
    good, unknown = oppi.undo(staked(oppi)), oppi.undo(oppi.ids.uuid())
    broken = oppi.undo(oppi.ids.uuid(), playerId=None)
    assert oppi.batch("rollback", good, unknown, broken) == [
        {"status": "RS_OK", "transactionId": good["transactionId"]},
        {"status": "RS_OK", "transactionId": unknown["transactionId"]},
        {"status": "RS_ERROR", "transactionId": broken["transactionId"]},
    ]
    assert oppi.units() == START
    assert oppi.batch("rollback", 7, "x", None, [], {}) == [{"status": "RS_ERROR"}] * 5


def test_row45_the_size_of_a_batch(oppi):
    """None is fine, 500 are done, 501 and 10,000 are refused as a whole."""
    assert oppi.batch("rollback") == []
    assert oppi.batch("retry") == []
    bet = staked(oppi)
    many = [oppi.undo(bet) for _ in range(500)]
    assert {each["status"] for each in oppi.batch("rollback", *many)} == {"RS_OK"}
    for items in ([*many, oppi.undo(bet)], [{}] * 10_000):
        answer = oppi.post("rollback", {"transactions": items})
        assert answer["status"] == "RS_ERROR"
        assert "data" not in answer
    assert oppi.units() == START


def test_row45_anothers_bet_is_not_undone(oppi):
    """An item that names another player's bet is an error with an alert."""
    bet = staked(oppi)
    first = oppi.player
    oppi.start()
    item = oppi.undo(bet)
    assert oppi.batch("rollback", item)[0]["status"] == "RS_ERROR"
    assert oppi.doors.balance(first) == "500.00"
    assert oppi.alerts(item["transactionId"]) == ["target_foreign"]


def test_row45_a_rollback_is_not_undone(oppi):
    """An item that names a rollback is an error with an alert; nothing moves."""
    first = oppi.undo(staked(oppi))
    oppi.batch("rollback", first)
    second = oppi.undo(first)
    assert oppi.batch("rollback", second)[0]["status"] == "RS_ERROR"
    assert oppi.alerts(second["transactionId"]) == ["refund_of_other_kind"]
    assert oppi.units() == START


def test_row46_a_rollback_as_a_bare_object(oppi):
    """The request table reads like that: it is a batch of one, and answered as one."""
    item = oppi.undo(staked(oppi))
    answer = oppi.post("rollback", item)
    assert answer["data"] == [{"status": "RS_OK", "transactionId": item["transactionId"]}]
    assert oppi.units() == START


def test_row46_a_bare_object_where_not_chosen(chosen):
    """Where the operator wants batches alone, it is refused."""
    oppi = chosen(rollback_accept_single=False)
    answer = oppi.post("rollback", oppi.undo(staked(oppi)))
    assert answer["status"] == "RS_ERROR"
    assert oppi.units() == HALF


def test_row52_the_store_is_away(oppi):
    """A bet that met a store that is away is an error and debits nothing; later it is done."""
    fields = oppi.bet_body()
    with oppi.doors.away():
        assert oppi.post("bet", fields)["status"] == "RS_ERROR"
    assert oppi.rows() == []
    oppi.ok("bet", fields, HALF)


def test_row53_other_methods_and_paths(oppi):
    """GET is 405, an unknown path 404, both in the vendor's words."""
    for method, path, status in (
        ("GET", "/transaction/bet", 405),
        ("POST", "/transaction/bets", 404),
        ("POST", "/transaction/revert", 404),
    ):
        reply = oppi.doors.send(oppi.name, Request(method, path))
        assert reply.status == status
        assert json.loads(reply.body)["status"] == "RS_ERROR"


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
def test_row53_a_body_of_two_megabytes(oppi):
    """Too large a body is 413, for every call; a batch may have one megabyte."""
    body = b'{"transactions":[],"x":"' + b"x" * 2_097_152 + b'"}'
    for call in ("bet", "rollback", "retry"):
        assert oppi.reply(call, raw=body).status == 413
    body = b'{"transactions":[],"x":"' + b"x" * 1_000_000 + b'"}'
    assert oppi.post("rollback", raw=body)["status"] == "RS_OK"


def test_ids_may_hold_anything(oppi):
    """Ids with separators, slashes and characters of all kinds are ids; NUL is refused."""
    for odd in ("a|b;c", "retry/x", "ключ 玩家", "../..", "'; --", '\u2028\\"'):
        bet = oppi.bet_body(1, transactionId=f"{odd}{oppi.ids.uuid()}")
        oppi.ok("bet", bet)
        assert oppi.batch("rollback", oppi.undo(bet))[0]["status"] == "RS_OK"
    nul = oppi.bet_body(1, transactionId="a\0b")
    assert oppi.post("bet", raw=compact(nul))["status"] == "RS_ERROR"
    assert oppi.units() == START
