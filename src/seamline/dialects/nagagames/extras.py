"""What only this vendor's API has: lobby, histories, locks. Pure; nothing is sent here.

Histories are told in pages of at most 100 rows and 24 hours. Each answer has the ask of the page
after it as `next`: whoever repeats until there is none has every row of the range once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec.structs import replace

from seamline.dialects.dialect import AnyExtra, Extra, Malformed, Operation, Reply, Request
from seamline.dialects.nagagames import api, wire
from seamline.dialects.nagagames.options import Options
from seamline.dialects.signing import Json
from seamline.wallet import Integration

#: The most that one page holds, and the longest range that is asked for at once.
PAGE = 100
RANGE = timedelta(hours=24)
#: Consolidated records are of five minutes each.
BLOCK = timedelta(minutes=5)
_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Moment = Annotated[datetime, msgspec.Meta(tz=True, description="With a time zone.")]
Rows = Annotated[int, msgspec.Meta(ge=1, le=PAGE)]


class Lobby(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A player who wants to see all games."""

    session: Annotated[str, msgspec.Meta(description="An open session of the player.")]


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The catalogue with all that it tells of a game, such as where it is played."""

    locale: str | None = None
    #: The most played games first.
    by_plays: bool = False


class BetId(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bet, by the vendor's id."""

    bet_id: str


class Histories(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bets of one player or of all; `player_id` is the vendor's own id of a player."""

    start: Moment
    end: Moment
    player_id: str | None = None
    game: str | None = None
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Rows = PAGE
    #: Ids of rows at the start that an earlier page told.
    told: tuple[str, ...] = ()


class Consolidated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all players bet and won, by blocks of five minutes."""

    start: Moment
    end: Moment
    page: Annotated[int, msgspec.Meta(ge=1)] = 1
    limit: Rows = PAGE


class PlayerId(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One player, by the vendor's own id."""

    player_id: str


class Player(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One player, by the casino's id."""

    player: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as the vendor tells them, money as decimal text, and what to ask for after them."""

    items: tuple[Json, ...]
    total: int | None = None
    next: Histories | Consolidated | None = None


def compose_lobby(ask: Lobby, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask where the lobby is."""
    token = api.text(ask.session, "session")
    return api.get("/client/lobby-url", api.codes(integration) | {"playerToken": token})


def compose_catalogue(ask: Catalogue, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for all games; names and images are in the language of the locale where it has any."""
    values = api.codes(integration)
    if ask.locale is not None:
        values["locale"] = api.text(ask.locale, "locale")
    if ask.by_plays:
        values |= {"sortBy": "playCount", "orderBy": "DESC"}
    return api.get("/client/game", values)


def compose_details(ask: BetId, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for the details of a bet."""
    values = {"betId": api.text(ask.bet_id, "bet_id")} | api.codes(integration)
    return api.get("/operator/bet/history", values)


def compose_record(ask: BetId, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for the record of a bet."""
    options = integration.options
    body = {
        "betId": api.text(ask.bet_id, "bet_id"),
        "groupCode": options.group_code,
        "brandCode": options.brand_code,
    }
    path = "/operator/bet/bet-history"
    return Request("POST", path, headers=api.JSON, body=wire.encode(body))


def compose_histories(ask: Histories, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for one page of bets, of the first 24 hours of the range."""
    values = {}
    if ask.player_id is not None:
        values["playerId"] = api.text(ask.player_id, "player_id")
    if ask.game is not None:
        values["gameCode"] = api.text(ask.game, "game")
    values |= {
        "skip": str(ask.skip),
        "limit": str(ask.limit),
        "startDate": moment_text(ask.start),
        "endDate": moment_text(_until(ask)),
        "apiKey": api.api_key(integration),
    }
    return api.get("/client/player/bet-histories", values)


def compose_consolidated(
    ask: Consolidated, integration: Integration[Options], _at_ms: int
) -> Request:
    """Ask for one page of records, of the first 24 hours of the range."""
    if (ask.start - _EPOCH) % BLOCK:
        detail = "expected a time on a mark of five minutes, as records are of five minutes"
        raise Malformed(detail, field="start")
    values = {
        "apiKey": api.api_key(integration),
        "startDateTime": moment_text(ask.start),
        # A block that begins where the range ends belongs to the range after it.
        "endDateTime": moment_text(_until(ask) - _MS),
        "limit": str(ask.limit),
        "page": str(ask.page),
    }
    return api.get("/operator/bet/consolidated-bet-history", values)


def compose_lock(ask: PlayerId, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask that a player can play no more. The page is lost: the path is the one of unlock."""
    return _on_player(ask, "lock", integration)


def compose_unlock(ask: PlayerId, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask that a player can play again, such as after an answer that the vendor could not read."""
    return _on_player(ask, "unlock", integration)


def compose_delete_session(ask: Player, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask that the vendor forgets a player's session."""
    headers = (*api.JSON, (b"x-api-key", api.api_key(integration).encode()))
    body = wire.encode({"nativeId": api.text(ask.player, "player")})
    return Request("POST", "/operator/player/delete-session", headers=headers, body=body)


def _on_player(ask: PlayerId, what: str, integration: Integration[Options]) -> Request:
    player = api.escaped(api.text(ask.player_id, "player_id"))
    query = api.query_of({"apiKey": api.api_key(integration)})
    return Request("POST", f"/operator/player/{player}/{what}", query, headers=api.ACCEPT)


def _until(ask: Histories | Consolidated) -> datetime:
    """The end of what is asked for at once."""
    if ask.end <= ask.start:
        raise Malformed("expected a time after the start", field="end")
    return min(ask.end, ask.start + RANGE)


def moment_text(moment: datetime) -> str:
    """A time as `2026-01-01T00:00:00.000Z`."""
    utc = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return utc.replace("+00:00", "Z")


def read_told(
    reply: Reply,
    ask: msgspec.Struct,  # noqa: ARG001  the same shape for every operation
    integration: Integration[Options],  # noqa: ARG001
) -> Json:
    """What the vendor told, its money as decimal text."""
    return api.answer(reply)


def read_histories(
    reply: Reply,
    ask: Histories,
    integration: Integration[Options],  # noqa: ARG001
) -> Page:
    """One page of bets, without the rows that the page before told."""
    rows, total = _rows(reply)
    until = _until(ask)
    # A row at the very end of a range may come again at the start of the one after it.
    told = (*ask.told, *_ids_at(rows, until))
    skipped = ask.skip + ask.limit
    after: Histories | None = None
    if rows and (skipped < total if total is not None else len(rows) == ask.limit):
        after = replace(ask, skip=skipped, told=told)
    elif until < ask.end:
        after = replace(ask, start=until, skip=0, told=told)
    known = frozenset(ask.told)
    items = tuple(each for each in rows if _member(each, "id") not in known)
    return Page(items=items, total=total, next=after)


def read_consolidated(
    reply: Reply,
    ask: Consolidated,
    integration: Integration[Options],  # noqa: ARG001
) -> Page:
    """One page of records."""
    rows, total = _rows(reply)
    until = _until(ask)
    more = len(rows) == ask.limit if total is None else ask.page * ask.limit < total
    after: Consolidated | None = None
    if rows and more:
        after = replace(ask, page=ask.page + 1)
    elif until < ask.end:
        after = replace(ask, start=until, page=1)
    return Page(items=rows, total=total, next=after)


def _rows(reply: Reply) -> tuple[tuple[Json, ...], int | None]:
    """The rows of a page, and how many there are in all where the vendor says so."""
    told = api.answer(reply)
    total = None
    if isinstance(told, dict):
        total = told.get("total")
        told = told.get("data")
    if not isinstance(told, list) or isinstance(total, bool):
        raise api.unusable(reply, "with no list of rows")
    return tuple(told), total if isinstance(total, int) else None


def _ids_at(rows: tuple[Json, ...], moment: datetime) -> Iterator[str]:
    """The ids of the rows that were made at that moment."""
    for each in rows:
        name, made = _member(each, "id"), _member(each, "created")
        if isinstance(name, str) and isinstance(made, str) and _is_at(made, moment):
            yield name


def _is_at(text: str, moment: datetime) -> bool:
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        return False
    return made.tzinfo is not None and made == moment


def _member(row: Json, name: str) -> Json:
    return row.get(name) if isinstance(row, dict) else None


EXTRAS: tuple[AnyExtra[Options], ...] = (
    Extra(
        name="lobby-url",
        summary="Where a player finds all games",
        ask=Lobby,
        operation=Operation(compose=compose_lobby, read=read_told, repeatable=True),
    ),
    Extra(
        name="catalogue",
        summary="All games with all that the vendor tells of them",
        ask=Catalogue,
        operation=Operation(
            compose=compose_catalogue, read=read_told, deadline_s=30.0, repeatable=True
        ),
    ),
    Extra(
        name="bet-details",
        summary="The details of one bet",
        ask=BetId,
        operation=Operation(compose=compose_details, read=read_told, repeatable=True),
    ),
    Extra(
        name="bet-record",
        summary="The record of one bet",
        ask=BetId,
        operation=Operation(compose=compose_record, read=read_told, repeatable=True),
    ),
    Extra(
        name="bet-histories",
        summary="The bets of one player or of all, in pages",
        ask=Histories,
        operation=Operation(
            compose=compose_histories, read=read_histories, deadline_s=30.0, repeatable=True
        ),
    ),
    Extra(
        name="consolidated-history",
        summary="Bets and wins by player and blocks of five minutes, in pages",
        ask=Consolidated,
        operation=Operation(
            compose=compose_consolidated, read=read_consolidated, deadline_s=30.0, repeatable=True
        ),
    ),
    Extra(
        name="lock-player",
        summary="Keep a player from playing",
        ask=PlayerId,
        operation=Operation(compose=compose_lock, read=read_told, repeatable=True),
    ),
    Extra(
        name="unlock-player",
        summary="Let a player play again",
        ask=PlayerId,
        operation=Operation(compose=compose_unlock, read=read_told, repeatable=True),
    ),
    Extra(
        name="delete-session",
        summary="Make the vendor forget a player's session",
        ask=Player,
        operation=Operation(compose=compose_delete_session, read=read_told, repeatable=True),
    ),
)
