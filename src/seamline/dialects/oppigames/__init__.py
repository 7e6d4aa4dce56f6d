"""OppiGames: wallet API and operator API. The README of this folder tells the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from seamline.dialects.dialect import Call, Dialect
from seamline.dialects.oppigames import adapter, batches, sender
from seamline.dialects.oppigames.options import Options, sandbox, session_ms
from seamline.dialects.oppigames.refusals import refuse
from seamline.dialects.oppigames.signature import HEADER, sign, trials, verify
from seamline.dialects.oppigames.studio import STUDIO
from seamline.wallet import Kind, Policy

CALLS = (
    Call(
        name="balance",
        method="POST",
        path="/user/balance",
        read=adapter.read_balance,
        write=adapter.write_balance,
        compose=sender.compose_balance,
        judge=sender.judge_balance,
    ),
    Call(
        name="bet",
        method="POST",
        path="/transaction/bet",
        read=adapter.read_bet,
        write=adapter.write_bet,
        compose=sender.compose_bet,
        judge=sender.judge_bet,
    ),
    Call(
        name="payout",
        method="POST",
        path="/transaction/payout",
        read=adapter.read_payout,
        write=adapter.write_payout,
        compose=sender.compose_payout,
        judge=sender.judge_payout,
    ),
    Call(
        name="reward",
        method="POST",
        path="/transaction/reward",
        read=adapter.read_reward,
        write=adapter.write_reward,
        compose=sender.compose_reward,
        judge=sender.judge_payout,
    ),
    Call(
        name="rollback",
        method="POST",
        path="/transaction/rollback",
        read=batches.read_rollback,
        write=batches.write_rollback,
        compose=sender.compose_rollback,
        judge=sender.judge_rollback,
        body_limit=batches.BODY_LIMIT,
    ),
    Call(
        name="retry",
        method="POST",
        path="/transaction/retry",
        read=batches.read_retry,
        write=batches.write_retry,
        compose=sender.compose_retry,
        judge=sender.judge_retry,
        body_limit=batches.BODY_LIMIT,
    ),
)


def policy(options: Options) -> Policy:
    """A repeat gets its first answer; a refused bet stays refused; any credit can be undone.

    A bet that had no outcome in time is undone at once: nobody knows whether the vendor would.
    """
    adopts = options.session_policy != "strict"
    return Policy(
        fingerprint=(
            "kind",
            "session",
            "player",
            "currency",
            "game",
            "round",
            "target",
            "campaign",
            "reference",
        ),
        remembered_refusals=frozenset({Kind.BET}),
        # A retry names no bet: what its payout was refused for is all that tells.
        noted_refusals=frozenset({Kind.WIN}),
        unknown_session="adopt" if adopts else "reject",
        # Without a session nobody knows which game was launched.
        bet_game="any" if options.session_policy == "ignore" else "launched",
        win_without_bet="reject" if options.payout_unknown_bet == "reject" else "pay",
        late_space=batches.RETRY,
        late_win_without_bet="reject" if options.retry_unknown_ref == "reject" else "pay",
        win_after_refund="reject",
        second_win="reject" if options.multi_payout == "reject" else "pay",
        reversible=frozenset({Kind.BET, Kind.WIN, Kind.REWARD}),
        irreversible="reject",
        refund_after_win=_AFTER_WIN[options.rollback_paid_bet],
        overdraft="reject" if options.rollback_negative == "reject" else "allow_negative",
        # A bonus is one player's, so that its id is paid once whoever it is for (page "Reward").
        claimants="one",
        second_claim="alert" if options.bonus_reref == "allow" else "reject",
        campaigns="checked",
        unknown_campaign="reject" if options.unknown_bonus == "reject" else "alert",
        overdue_bet="undo",
    )


_AFTER_WIN: Mapping[str, Literal["void", "refund", "reject"]] = {
    "void_round": "void",
    "refund_only": "refund",
    "reject": "reject",
}


def routes(options: Options) -> Mapping[str, tuple[str, str]]:
    """Rollbacks, whose page and whose other pages disagree about the name (page "Payout")."""
    return {"rollback": ("POST", options.rollback_path)}


DIALECT = Dialect[Options](
    name="oppigames",
    title="OppiGames",
    document="OppiGames wallet API and operator API, pages as of 2024.11",
    options=Options,
    sandbox=sandbox,
    policy=policy,
    session_ms=session_ms,
    calls=CALLS,
    verify=verify,
    sign=sign,
    trials=trials,
    signature_header=HEADER,
    refuse=refuse,
    secret_headers=frozenset({HEADER}),
    routes=routes,
    studio=STUDIO,
)
