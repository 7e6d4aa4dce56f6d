"""Sessions: opened, launched at the vendor, shown and closed."""

from __future__ import annotations

import secrets

import structlog

from seamline.dialects.dialect import Launch
from seamline.edge.api import shapes
from seamline.edge.api.endpoint import Answer
from seamline.edge.api.launches import check_offer, launched
from seamline.edge.api.problems import REFUSALS, Code, Problem
from seamline.edge.api.vendors import connection
from seamline.edge.gateway import Connection, Gateway
from seamline.ledger.rows import Player, Session
from seamline.ledger.rules.view import BARRED
from seamline.ledger.store import Conflict, NewSession, Unknown, Writer
from seamline.money import Amount

_LOG = structlog.get_logger("seamline.api")


async def open_(gateway: Gateway, *, body: shapes.NewSessionBody) -> Answer:
    """201 when the session is new, 200 when the same one was there and is still live."""
    target = connection(gateway, body.integration)
    if body.currency not in target.terms.currencies:
        detail = f"{body.currency!r} is not a currency of brand {target.terms.brand!r}"
        raise Problem(Code.CURRENCY_UNKNOWN, detail, field="currency")
    if body.launch:
        check_offer(target)
    if body.demo:
        return await _demo(gateway, target, body)
    name = body.session_id or secrets.token_hex(16)
    session, new = await _opened(gateway, target, body, name)
    # The row is durable before the vendor hears of the session: it may call back at once.
    game_url = await _launched(gateway, target, body, session) if body.launch else None
    answer = shapes.LaunchAnswer(
        session_id=name, player=body.player, currency=body.currency, game_url=game_url
    )
    return Answer(status=201 if new else 200, body=answer)


async def _opened(
    gateway: Gateway, target: Connection, body: shapes.NewSessionBody, name: str
) -> tuple[Session, bool]:
    """The session's row, and whether it is new."""

    def errand(writer: Writer, now_ms: int) -> tuple[Session, bool, int]:
        wanted = NewSession(
            name=name,
            player=body.player,
            currency=body.currency,
            game=body.game,
            opened_ms=now_ms,
            expires_ms=now_ms + target.dialect.session_ms(target.integration.options),
        )
        session, new = writer.open_session(target.terms, wanted)
        # Who may not play gets no game; raised in here, it also undoes the row.
        barred = BARRED.get(session.player.status) if body.launch else None
        if barred is not None:
            raise Problem(REFUSALS[barred], field="player")
        return session, new, now_ms

    try:
        session, new, now_ms = await gateway.ledger.run(errand)
    except Unknown as error:
        raise Problem(Code.PLAYER_UNKNOWN, str(error), field="player") from error
    except Conflict as error:
        raise Problem(Code.SESSION_CHANGED, str(error), field="session_id") from error
    if session.closed_ms is not None or session.expires_ms <= now_ms:
        detail = f"session {name!r} is over; leave session_id out for a new one"
        raise Problem(Code.SESSION_OVER, detail, field="session_id")
    return session, new


async def _launched(
    gateway: Gateway, target: Connection, body: shapes.NewSessionBody, session: Session
) -> str:
    """The vendor's URL for the session."""
    account = session.account
    balance = str(Amount(account.balance, account.currency))
    wanted = _launch(body, session.player, session.name, balance)
    try:
        told = await launched(gateway, target, wanted)
    except Problem as problem:
        problem.tell(session_id=session.name)
        raise
    if told.vendor_session is not None:
        # Nobody plays before the answer with the URL is out.
        await _named(gateway, target, session, told.vendor_session)
    return told.game_url


async def _named(gateway: Gateway, target: Connection, session: Session, name: str) -> None:
    """Let the vendor's calls name the session by the vendor's own id of it.

    An id that was another session's before stays that one's: the player can play only where the
    dialect adopts sessions.
    """
    wanted = NewSession(
        name=name,
        player=session.player.name,
        currency=session.account.currency.code,
        game=session.game,
        opened_ms=session.opened_ms,
        expires_ms=session.expires_ms,
    )
    try:
        known, _ = await gateway.ledger.run(
            lambda writer, _: writer.open_session(target.terms, wanted)
        )
    except Conflict as error:
        _LOG.warning("vendor_session_not_taken", session=session.name, why=str(error))
        return
    if known.opened_ms != session.opened_ms:
        why = f"session {name!r} is an earlier launch's"
        _LOG.warning("vendor_session_not_taken", session=session.name, why=why)


async def _demo(gateway: Gateway, target: Connection, body: shapes.NewSessionBody) -> Answer:
    """Play money: no session, so that nothing the vendor may send can touch real money."""
    if not body.launch:
        raise Problem(Code.MALFORMED, "expected launch: true with demo: true", field="launch")
    if body.session_id is not None:
        raise Problem(Code.MALFORMED, "expected none, a demo has no session", field="session_id")
    brand = target.terms.brand
    found = await gateway.read(lambda reader: reader.player(brand, body.player))
    if found is None:
        detail = f"no player {body.player!r} of brand {brand!r}"
        raise Problem(Code.PLAYER_UNKNOWN, detail, field="player")
    opened = await launched(gateway, target, _launch(body, found[0], None, None))
    answer = shapes.LaunchAnswer(
        session_id=None,
        player=body.player,
        currency=body.currency,
        game_url=opened.game_url,
    )
    return Answer(status=201, body=answer)


def _launch(
    body: shapes.NewSessionBody, player: Player, session: str | None, balance: str | None
) -> Launch:
    """What the vendor is asked; the language is the player's where the body has none."""
    return Launch(
        game=body.game,
        currency=body.currency,
        session=session,
        player=player.name,
        country=player.country,
        nickname=body.nickname,
        fallback_language=body.fallback_language,
        first_name=body.first_name,
        last_name=body.last_name,
        language=body.language or player.language,
        platform=body.platform,
        demo=body.demo,
        return_url=body.return_url,
        deposit_url=body.deposit_url,
        demo_balance=body.demo_balance,
        balance=balance,
    )


async def show(gateway: Gateway, *, path: shapes.SessionPath) -> Answer:
    """The session as it stands."""
    connection(gateway, path.integration)
    found = await gateway.read(lambda reader: reader.session(path.integration, path.session_id))
    if found is None:
        detail = f"no session {path.session_id!r} at integration {path.integration!r}"
        raise Problem(Code.SESSION_UNKNOWN, detail, field="session_id")
    account = found.account
    shown = shapes.SessionAnswer(
        integration=found.integration,
        brand=found.player.brand,
        session_id=found.name,
        player=found.player.name,
        currency=account.currency.code,
        balance=str(Amount(account.balance, account.currency)),
        game=found.game,
        opened_ms=found.opened_ms,
        expires_ms=found.expires_ms,
        closed_ms=found.closed_ms,
    )
    return Answer(body=shown)


async def close(gateway: Gateway, *, path: shapes.SessionPath) -> Answer:
    """No more bets on it; closing twice is no mistake."""
    terms = connection(gateway, path.integration).terms
    try:
        await gateway.ledger.run(
            lambda writer, now_ms: writer.close_session(terms, path.session_id, now_ms)
        )
    except Unknown as error:
        raise Problem(Code.SESSION_UNKNOWN, str(error), field="session_id") from error
    return Answer(status=204)
