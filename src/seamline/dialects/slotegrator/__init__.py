"""Slotegrator's Reverse Integration 1.0.3, the aggregator's end. The README tells the rest."""

from __future__ import annotations

from typing import Literal

from seamline.dialects.dialect import Call, Dialect
from seamline.dialects.slotegrator import adapter, sender
from seamline.dialects.slotegrator.options import Options, sandbox, session_ms
from seamline.dialects.slotegrator.refusals import refuse
from seamline.dialects.slotegrator.signature import HEADER, sign, trials, verify
from seamline.dialects.slotegrator.studio import STUDIO
from seamline.wallet import Policy

# One endpoint for all: `adapter.which` tells them apart by their member `action`.
CALLS = (
    Call(
        name="balance",
        method="POST",
        path="",
        read=adapter.read_balance,
        write=adapter.write_balance,
        compose=sender.compose_balance,
        judge=sender.judge_balance,
    ),
    Call(
        name="bet",
        method="POST",
        path="",
        read=adapter.read_bet,
        write=adapter.write_bet,
        compose=sender.compose_bet,
        judge=sender.judge_bet,
    ),
    Call(
        name="win",
        method="POST",
        path="",
        read=adapter.read_win,
        write=adapter.write_win,
        compose=sender.compose_win,
        judge=sender.judge_win,
    ),
    Call(
        name="refund",
        method="POST",
        path="",
        read=adapter.read_refund,
        write=adapter.write_refund,
        compose=sender.compose_refund,
        judge=sender.judge_win,
    ),
)


def policy(options: Options) -> Policy:
    """A repeat hears the balance now, only what was done is remembered, and a win needs its bet.

    The game may change within a session, so it is no part of what a repeat must share.
    """
    alone: Literal["reject", "pay"] = "reject" if options.win_requires_bet else "pay"
    return Policy(
        fingerprint=("kind", "session", "round", "target", "free", "feature"),
        # The bet's id decides, whatever round and session a refund names beside it.
        refund_fingerprint=("kind", "target"),
        # In a lobby a round may go on in another game (2.3, `game_id`).
        round_game="any",
        replayed_balance="current",
        refunded_bet_again="reject",
        session_slides_ms=session_ms(options),
        win_without_bet=alone,
        win_after_refund=alone,
        campaigns="attributed",
    )


DIALECT = Dialect[Options](
    name="slotegrator",
    title="Slotegrator",
    document="Slotegrator Reverse Integration 1.0.3",
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
    which=adapter.which,
    studio=STUDIO,
)
