"""The wallet's end of the single calls: balance, bet, payout, reward.

One id space serves bets, payouts, rewards and rollbacks: the key is the `transactionId`, so that
the same id under another call is refused as changed. A bet is a round of its own, named by its id,
as the wire has no rounds; its payout belongs to it.
"""

from __future__ import annotations

from seamline.dialects.dialect import Items, Reply, Request
from seamline.dialects.fields import identifier
from seamline.dialects.oppigames import wire
from seamline.dialects.oppigames.options import DEMO_CURRENCY, Options
from seamline.dialects.oppigames.reasons import OK, Declined, Reason
from seamline.dialects.oppigames.refusals import refuse
from seamline.wallet import (
    Command,
    Integration,
    Kind,
    Outcome,
    Rejected,
    Rejection,
)

#: What a person is told of a payout whose two fields do not fit.
CONTRADICTION = "isWin and amount contradict each other"

BONUS, JACKPOT = "bonus", "jackpot"
#: Other words for a bonus that the vendor's samples and bonus types use (page "Reward").
REWARD_TYPES = {
    BONUS: BONUS,
    JACKPOT: JACKPOT,
    "free spin": BONUS,
    "free spins": BONUS,
    "free bet": BONUS,
    "free bets": BONUS,
    "wheel of fortune": BONUS,
    "cascading reels": BONUS,
    "fortune guess": BONUS,
    "wagering": BONUS,
    "card scratch": BONUS,
}


def read_balance(request: Request, integration: Integration[Options]) -> Items:
    """Read whose balance is asked for; the currency hangs on the session."""
    asked = wire.decode(request.body, wire.ASKED, "sessionId")
    return (
        Command(
            kind=Kind.BALANCE,
            integration=integration.name,
            session=identifier(asked.session_id, "sessionId"),
            player=identifier(asked.player_id, "playerId", asked.session_id),
        ),
    )


def read_bet(request: Request, integration: Integration[Options]) -> Items:
    """Read a bet. One in a demo currency, or one that is not the integration's, is objected to."""
    bet = wire.decode(request.body, wire.BET)
    key = identifier(bet.transaction_id, "transactionId")
    currency = bet.currency.upper()
    session, reference = seat(bet.session_id, key, integration.options)
    return (
        Command(
            kind=Kind.BET,
            integration=integration.name,
            key=key,
            session=session,
            player=identifier(bet.player_id, "playerId", key),
            currency=identifier(currency, "currency", key),
            amount=wire.quantity(bet.amount, "amount", key),
            game=identifier(bet.game_id, "gameId", key),
            round=key,
            reference=reference,
            objection=None if plays_in(currency, integration.options) else Rejection.CURRENCY,
        ),
    )


def read_payout(request: Request, integration: Integration[Options]) -> Items:
    """Read the result of a bet. Money follows the amount; `isWin` that says otherwise is noted."""
    payout = wire.decode(request.body, wire.PAYOUT)
    key = identifier(payout.transaction_id, "transactionId")
    bet = identifier(payout.ref_transaction_id, "refTransactionId", key)
    amount = wire.quantity(payout.amount, "amount", key)
    session, reference = seat(payout.session_id, key, integration.options)
    return (
        Command(
            kind=Kind.WIN,
            integration=integration.name,
            key=key,
            session=session,
            player=identifier(payout.player_id, "playerId", key),
            currency=identifier(payout.currency.upper(), "currency", key),
            amount=amount,
            game=identifier(payout.game_id, "gameId", key),
            round=bet,
            target=bet,
            reference=reference,
            note=None if payout.is_win == bool(amount.coefficient) else CONTRADICTION,
        ),
    )


def read_reward(request: Request, integration: Integration[Options]) -> Items:
    """Read a reward: a bonus is paid once, a jackpot may pay many players and again."""
    reward = wire.decode(request.body, wire.REWARD)
    key = identifier(reward.transaction_id, "transactionId")
    about = identifier(reward.ref_transaction_id, "refTransactionId", key)
    is_bonus = reward_type(reward.reward_type, key) == BONUS
    return (
        Command(
            kind=Kind.REWARD,
            integration=integration.name,
            key=key,
            session=identifier(reward.session_id, "sessionId", key),
            player=identifier(reward.player_id, "playerId", key),
            amount=wire.quantity(reward.rewarded_amount, "rewardedAmount", key),
            game=identifier(reward.game_id, "gameId", key),
            campaign=about if is_bonus else None,
            claim=claim_of(about) if is_bonus else None,
            feature=reward.reward_type,
            reference=None if is_bonus else about,
        ),
    )


def reward_type(text: str, key: str | None = None) -> str:
    """`bonus` or `jackpot`, for any word of the vendor's for them."""
    known = REWARD_TYPES.get(" ".join(text.lower().split()))
    if known is None:
        raise Declined(
            Rejection.MALFORMED,
            Reason.BAD_REWARD_TYPE,
            "expected bonus, jackpot or a bonus type",
            field="rewardType",
            key=key,
        )
    return known


def claim_of(bonus: str) -> str:
    """What a player is paid once, under whatever transaction."""
    return f"reward of {bonus}"


def plays_in(currency: str, options: Options) -> bool:
    """Whether real bets are taken in that currency, as far as the integration's settings say."""
    if currency == DEMO_CURRENCY:
        return False
    return not options.currencies or currency in options.currencies


def seat(session: str, key: str, options: Options) -> tuple[str | None, str | None]:
    """The session of a command that names a currency; where sessions do not count, its echo."""
    text = identifier(session, "sessionId", key)
    return (None, text) if options.session_policy == "ignore" else (text, None)


def write_balance(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write the balance with the session that was asked for."""
    outcome, item = outcomes[0], items[0]
    session = item.session if isinstance(item, Command) else item.key
    if isinstance(outcome, Rejected):
        return refuse(outcome, "balance", integration, key=session)
    body = wire.Told(OK, session or "", wire.told(outcome.balance))
    return Reply(200, wire.encode(body))


def write_bet(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write the balance after the bet; a repeat's answer is equal byte for byte."""
    return _written(items, outcomes, integration, "bet")


def write_payout(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write the balance after the payout."""
    return _written(items, outcomes, integration, "payout")


def write_reward(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write the balance after the reward; one that was paid before may be acknowledged."""
    outcome = outcomes[0]
    if (
        isinstance(outcome, Rejected)
        and outcome.why is Rejection.ALREADY_CLAIMED
        and outcome.balance is not None
        and integration.options.bonus_reref == "ack_no_credit"
    ):
        return Reply(200, wire.encode(wire.Done(OK, key_of(items[0]), wire.told(outcome.balance))))
    return _written(items, outcomes, integration, "reward")


def _written(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options], call: str
) -> Reply:
    outcome = outcomes[0]
    key = key_of(items[0])
    if isinstance(outcome, Rejected):
        return refuse(outcome, call, integration, key=key)
    return Reply(200, wire.encode(wire.Done(OK, key, wire.told(outcome.balance))))


def key_of(item: Command | Rejected) -> str:
    """The vendor's own id of a command; empty where it could not be read."""
    return item.key or ""
