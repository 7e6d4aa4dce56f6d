"""Naga Games: seamless wallet, transfer mode, operator API. The README tells the rest."""

from __future__ import annotations

import re
from hashlib import sha256

from msgspec.structs import replace

from seamline.dialects.dialect import Call, Dialect, Reply, Request
from seamline.dialects.nagagames import adapter, sender
from seamline.dialects.nagagames.options import Options, session_ms
from seamline.dialects.nagagames.refusals import refuse
from seamline.dialects.nagagames.sandbox import sandbox
from seamline.dialects.nagagames.signature import HEADER, sign, trials, verify
from seamline.dialects.nagagames.studio import STUDIO
from seamline.wallet import Integration, Kind, Policy

#: No body of the vendor comes near it.
BODY_LIMIT = 64 * 1024

_TOKEN = re.compile(rb'("playerToken"\s*:\s*")([^"\\]*(?:\\.[^"\\]*)*)(?=")')


def policy(options: Options) -> Policy:
    """A bet is known by its id alone, and refusals are forgotten: the vendor repeats what failed.

    Transaction id, parent, type and the last-spin flag may differ in a repeat, and so may the
    token, as long as it is the same player's.
    """
    return Policy(
        fingerprint=("kind", "currency", "game", "target"),
        replayed_balance=options.replayed_balance,
        refunded_bet_again="reject",
        session_slides_ms=session_ms(options),
        win_without_bet="reject",
        win_after_refund="reject",
        second_win="reject",
        bet_as_win="reject",
        refund_after_win="reject",
        overdue_bet="undo",
        noted_refusals=frozenset({Kind.BET}),
    )


def redact(
    request: Request,
    reply: Reply,
    _call: str | None,
    _integration: Integration[Options],
) -> tuple[Request, Reply]:
    """Both with the hash of each player's token in its place: whoever has one can play."""
    asked, told = (_TOKEN.sub(_hashed, each) for each in (request.body, reply.body))
    return replace(request, body=asked), replace(reply, body=told)


def _hashed(found: re.Match[bytes]) -> bytes:
    return found[1] + b"sha256:" + sha256(found[2]).hexdigest()[:16].encode()


CALLS = (
    Call(
        name="authorize",
        method="POST",
        path="/authorize",
        read=adapter.read_authorize,
        write=adapter.write_authorize,
        compose=sender.compose_authorize,
        judge=sender.judge_authorize,
        body_limit=BODY_LIMIT,
    ),
    Call(
        name="place-bet",
        method="POST",
        path="/place-bet",
        read=adapter.read_place_bet,
        write=adapter.write_place_bet,
        compose=sender.compose_place_bet,
        judge=sender.judge_place_bet,
        body_limit=BODY_LIMIT,
    ),
    Call(
        name="payout",
        method="POST",
        path="/payout",
        read=adapter.read_payout,
        write=adapter.write_payout,
        compose=sender.compose_payout,
        judge=sender.judge_payout,
        body_limit=BODY_LIMIT,
    ),
    Call(
        name="cancel-bet",
        method="POST",
        path="/cancel-bet",
        read=adapter.read_cancel_bet,
        write=adapter.write_cancel_bet,
        compose=sender.compose_cancel_bet,
        judge=sender.judge_cancel_bet,
        body_limit=BODY_LIMIT,
    ),
    Call(
        name="bet-status",
        method="POST",
        path="/bet-status",
        read=adapter.read_bet_status,
        write=adapter.write_bet_status,
        compose=sender.compose_bet_status,
        judge=sender.judge_bet_status,
        body_limit=BODY_LIMIT,
    ),
    Call(
        name="balance",
        method="POST",
        path="/balance",
        read=adapter.read_balance,
        write=adapter.write_balance,
        compose=sender.compose_balance,
        judge=sender.judge_balance,
        body_limit=BODY_LIMIT,
    ),
    Call(
        name="player-token",
        method="POST",
        path="/player-token",
        read=adapter.read_player_token,
        write=adapter.write_player_token,
        compose=sender.compose_player_token,
        judge=sender.judge_player_token,
        body_limit=BODY_LIMIT,
    ),
)

DIALECT = Dialect[Options](
    name="nagagames",
    title="Naga Games",
    document="Naga Games operator API, its public pages as of 2024.11",
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
    secret_headers=frozenset({HEADER, b"x-api-key"}),
    redact=redact,
    studio=STUDIO,
)
