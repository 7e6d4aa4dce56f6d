"""Swipe Games: Integration Adapter API and Core API. The README of this folder tells the rest."""

from __future__ import annotations

from seamline.dialects.dialect import Call, Dialect
from seamline.dialects.swipegames import adapter, sender
from seamline.dialects.swipegames.options import Options, sandbox, session_ms
from seamline.dialects.swipegames.refusals import refuse
from seamline.dialects.swipegames.signature import HEADER, sign, trials, verify
from seamline.dialects.swipegames.studio import STUDIO
from seamline.wallet import Kind, Policy

CALLS = (
    Call(
        name="balance",
        method="GET",
        path="/balance",
        read=adapter.read_balance,
        write=adapter.write_balance,
        compose=sender.compose_balance,
        judge=sender.judge_balance,
    ),
    Call(
        name="bet",
        method="POST",
        path="/bet",
        read=adapter.read_bet,
        write=adapter.write_bet,
        compose=sender.compose_bet,
        judge=sender.judge_bet,
    ),
    Call(
        name="win",
        method="POST",
        path="/win",
        read=adapter.read_win,
        write=adapter.write_win,
        compose=sender.compose_win,
        judge=sender.judge_win,
    ),
    Call(
        name="refund",
        method="POST",
        path="/refund",
        read=adapter.read_refund,
        write=adapter.write_refund,
        compose=sender.compose_refund,
        judge=sender.judge_refund,
    ),
)


def policy(options: Options) -> Policy:
    """A repeat gets the first answer, and only bets are undone.

    Refused bets are remembered. The path is not signed, so a refused bet that is sent again as a
    win must find its `txID` taken; the vendor itself never sends a bet twice.
    """
    return Policy(
        win_after_refund=options.win_after_refund,
        remembered_refusals=frozenset({Kind.BET}),
    )


DIALECT = Dialect[Options](
    name="swipegames",
    title="Swipe Games",
    document="Swipe Games Public API 1.10.2",
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
    studio=STUDIO,
)
