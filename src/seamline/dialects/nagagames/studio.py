"""The operator API as every casino uses it: the catalogue, and the URL of a game. Pure."""

from __future__ import annotations

import re

import msgspec

from seamline.dialects.dialect import (
    Game,
    GamesFilter,
    Launch,
    Launched,
    Malformed,
    Operation,
    Reply,
    Request,
    Studio,
)
from seamline.dialects.nagagames import api
from seamline.dialects.nagagames.extras import EXTRAS
from seamline.dialects.nagagames.options import Options
from seamline.dialects.nagagames.transfer import TRANSFER
from seamline.dialects.signing import BadJson, strictly
from seamline.wallet import Integration

#: "Opening a game".
LANGUAGES = frozenset({"en", "zh", "th", "id", "ko", "ja"})
MAX_REDIRECT = 255

#: The vendor wants the address as it is, not encoded, so that nothing may end the parameter.
_RAW_URL = re.compile(r"https?://[^\s&#?\"<>\\^`{|}]+")


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One game of the catalogue, as far as all casinos want it."""

    code: str
    name: str
    preview: str | None = None


LISTED = msgspec.json.Decoder(tuple[Listed, ...])


def open_game(launch: Launch, integration: Integration[Options], _at_ms: int) -> Launched:
    """The URL of a game: asked of nobody, as the vendor asks whose token it is when it opens."""
    options = integration.options
    game = api.text(launch.game, "game")
    if options.games is not None and game not in options.games:
        raise Malformed("expected one of the games in the options", field="game")
    values = {} if launch.demo else {"playerToken": api.text(launch.session, "session")}
    values |= {"groupCode": options.group_code, "brandCode": options.brand_code}
    parts = [api.query_of(values).decode()]
    if launch.return_url is not None:
        parts.append(f"redirectUrl={_redirect(launch.return_url)}")
    language = _language(launch)
    if language is not None:
        parts.append(f"language={language}")
    if launch.demo:
        parts.append("isFun=true")
    return Launched(game_url=f"{_play_url(game, options)}/?{'&'.join(parts)}")


def _play_url(game: str, options: Options) -> str:
    """Where the game lives: its own address, or the one of all games."""
    url = options.play_urls.get(game) or options.play_url
    if url is None:
        raise Malformed(
            "expected play_url or an entry of play_urls in the options: see `catalogue`",
            field="game",
        )
    return url.replace("{game}", api.escaped(game)).rstrip("/")


def _redirect(url: str) -> str:
    """Where the player goes afterwards; a query of its own would end up in the game's."""
    if len(url) > MAX_REDIRECT or _RAW_URL.fullmatch(url) is None:
        raise Malformed(
            f"expected http(s)://HOST/PATH of up to {MAX_REDIRECT} characters without ?, & and #",
            field="return_url",
        )
    return url


def _language(launch: Launch) -> str | None:
    """The vendor's language: `th` of `th-TH`; None for the vendor's default."""
    if launch.language is None:
        return None
    language = re.split("[-_]", launch.language)[0].lower()
    if language in LANGUAGES:
        return language
    if launch.fallback_language:
        return None
    raise Malformed(f"expected one of {', '.join(sorted(LANGUAGES))}", field="language")


def compose_games(_wanted: GamesFilter, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for the catalogue; the vendor has no filters of ours."""
    options = integration.options
    return api.get(
        "/client/game", {"groupCode": options.group_code, "brandCode": options.brand_code}
    )


def read_games(
    reply: Reply,
    ask: GamesFilter,  # noqa: ARG001  the same shape for every operation
    integration: Integration[Options],
) -> tuple[Game, ...]:
    """The catalogue, less the games that the options leave out."""
    api.ok(reply)
    try:
        listed = strictly(reply.body, LISTED)
    except BadJson as error:
        raise api.unusable(reply, f"with no list of games: {error}") from error
    wanted = integration.options.games
    return tuple(_game(each) for each in listed if wanted is None or each.code in wanted)


def _game(listed: Listed) -> Game:
    images = {} if listed.preview is None else {"preview": listed.preview}
    return Game(id=listed.code, title=listed.name, images=images)


def base_url(integration: Integration[Options]) -> str:
    """Where the operator API lives."""
    return integration.options.base_url


STUDIO: Studio[Options] = Studio(
    base_url=base_url,
    open=open_game,
    games=Operation(compose=compose_games, read=read_games, deadline_s=30.0, repeatable=True),
    extras=(*EXTRAS, *TRANSFER),
)
