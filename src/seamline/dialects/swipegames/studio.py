"""The Core API as the operator uses it: launch, catalogue, free rounds. Pure; nothing is sent here.

Asks that the vendor would refuse are refused before they are sent, naming the field.
"""

from __future__ import annotations

import re

from seamline.dialects.dialect import (
    BetLine,
    Campaign,
    CampaignId,
    CampaignState,
    Game,
    GamesFilter,
    Launch,
    Launched,
    Malformed,
    Operation,
    Reply,
    Request,
    Studio,
    VendorError,
)
from seamline.dialects.signing import Json
from seamline.dialects.swipegames import core, wire
from seamline.dialects.swipegames.options import Options
from seamline.wallet import DAY_MS, Integration

GROUPS = ("main", "main_fiat", "main_crypto", "sub_fiat", "sub_crypto", "virtual")
PLATFORMS = ("desktop", "mobile")
DEFAULT_LOCALE = "en_us"

_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z]{4})?(?:[-_]([A-Za-z]{2}))?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_GZIP = ((b"accept-encoding", b"gzip"),)
_LONGEST_MS = 30 * DAY_MS


def locale(language: str | None) -> str:
    """The vendor's form `pt_br` of a language tag such as `pt-BR`."""
    if language is None:
        return DEFAULT_LOCALE
    match = _LANGUAGE.fullmatch(language)
    if match is None:
        raise Malformed("expected a language such as de or pt-BR", field="language")
    name, country = match.groups()
    return f"{name}_{country}".lower() if country else name.lower()


def compose_launch(launch: Launch, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for a new game session. Not idempotent: after a timeout simply open another one."""
    if launch.platform not in PLATFORMS:
        raise Malformed(f"expected {' or '.join(PLATFORMS)}", field="platform")
    body: dict[str, Json] = {
        **core.client(integration),
        "currency": core.limited(launch.currency, "currency"),
        "demo": launch.demo,
        "gameID": core.limited(launch.game, "game"),
        "locale": locale(launch.language),
        "platform": launch.platform,
    }
    if launch.fallback_language:
        body["fallbackToDefaultLocale"] = True
    user = _user(launch)
    if user:
        body["user"] = user
    body.update(_optional(launch))
    return core.send("POST", "/create-new-game", body, integration)


def _user(launch: Launch) -> dict[str, Json]:
    """The player; needed unless the game is a demo, where the vendor makes one up."""
    if launch.player is None and launch.demo:
        return {}
    user: dict[str, Json] = {"id": core.limited(launch.player, "player")}
    if launch.country is not None:
        if _COUNTRY.fullmatch(launch.country) is None:
            raise Malformed("expected two capital letters (ISO 3166-1)", field="country")
        user["country"] = launch.country
    names = {"firstName": "first_name", "lastName": "last_name", "nickName": "nickname"}
    for member, field in names.items():
        name = getattr(launch, field)
        if name is not None:
            user[member] = core.limited(name, field)
    return user


def _optional(launch: Launch) -> dict[str, Json]:
    """The members that may be left out; real play needs a session, a demo has the pot."""
    members: dict[str, Json] = {}
    if launch.session is not None or not launch.demo:
        members["sessionID"] = core.limited(launch.session, "session", wire.MAX_ID)
    if launch.return_url is not None:
        members["returnURL"] = core.limited(launch.return_url, "return_url")
    if launch.deposit_url is not None:
        members["depositURL"] = core.limited(launch.deposit_url, "deposit_url")
    if launch.demo_balance is not None:
        if not launch.demo:
            raise Malformed("expected none, as real play has a real balance", field="demo_balance")
        members["initDemoBalance"] = str(wire.quantity(launch.demo_balance, "demo_balance"))
    return members


def read_launch(
    reply: Reply,
    ask: Launch,  # noqa: ARG001  the same shape for every operation
    integration: Integration[Options],  # noqa: ARG001
) -> Launched:
    """Where the player goes. The vendor's id of the session is in no call of the vendor's."""
    return Launched(game_url=core.answer(reply, core.OPENED).game_url)


def compose_games(wanted: GamesFilter, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for the catalogue, packed: it can be over 1 MB and take 10 to 20 seconds."""
    values = core.client(integration)
    if not wanted.bet_lines:
        values["excludeBetLines"] = "true"
    if wanted.currency_groups:
        values["currencyFilters"] = ",".join(_groups(wanted.currency_groups))
    if wanted.currencies:
        values["additionalCurrencies"] = ",".join(_codes(wanted.currencies))
    return core.ask("/games", values, integration, headers=_GZIP)


def _groups(groups: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise Malformed(f"expected some of {', '.join(GROUPS)}", field="currency_groups")
    return groups


def _codes(codes: tuple[str, ...]) -> tuple[str, ...]:
    if any(not code.strip() or "," in code for code in codes):
        raise Malformed("expected currency codes without commas", field="currencies")
    return codes


def read_games(
    reply: Reply,
    ask: GamesFilter,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> tuple[Game, ...]:
    """The catalogue. Without bet lines the vendor says of every game that it has no free rounds."""
    return tuple(_game(listed) for listed in core.answer(reply, core.GAMES))


def _game(listed: core.Listed) -> Game:
    base = listed.images.get("baseURL", "").rstrip("/")
    return Game(
        id=listed.id,
        title=listed.title,
        currencies=listed.currencies,
        languages=listed.locales,
        platforms=listed.platforms,
        images={
            name: f"{base}/{path.lstrip('/')}"
            for name, path in listed.images.items()
            if name != "baseURL"
        },
        free_rounds=listed.has_free_spins,
        rtp=listed.rtp,
        bet_lines={
            lines.currency: tuple(
                BetLine(stake=line.largest_bet, largest_multiple=line.coefficient)
                for line in lines.values
            )
            for lines in listed.bet_lines
        },
    )


def compose_create(campaign: Campaign, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for a campaign. Its id is the idempotency key, and comes back as `frID`."""
    if campaign.stake is not None:
        raise Malformed("expected none: the stake is a bet line here", field="stake")
    body: dict[str, Json] = {
        **core.client(integration),
        "betLine": _up_to_99(campaign.bet_line, "bet_line"),
        "currency": core.limited(campaign.currency, "currency"),
        "extID": core.limited(campaign.id, "id", wire.MAX_ID),
        "quantity": _up_to_99(campaign.quantity, "quantity"),
        "validFrom": core.date_text(campaign.valid_from_ms, "valid_from_ms"),
    }
    if campaign.valid_until_ms is not None:
        body["validUntil"] = _end(campaign.valid_from_ms, campaign.valid_until_ms)
    if campaign.games is not None:
        body["gameIDs"] = _some(campaign.games, "games")
    if campaign.players is not None:
        body["userIDs"] = _some(campaign.players, "players")
    return core.send("POST", "/free-rounds", body, integration)


def _up_to_99(value: int | None, field: str) -> int:
    if value is None or type(value) is not int or not 1 <= value <= 99:
        raise Malformed("expected a whole number from 1 to 99", field=field)
    return value


def _end(from_ms: int, until_ms: int) -> str:
    """The end of a campaign: after its start, by 30 days at most."""
    if not from_ms < until_ms <= from_ms + _LONGEST_MS:
        raise Malformed("expected a time up to 30 days after the start", field="valid_until_ms")
    return core.date_text(until_ms, "valid_until_ms")


def _some(ids: tuple[str, ...], field: str) -> tuple[str, ...]:
    """A list that narrows; an empty one could be taken for "all" and is refused."""
    if not ids:
        raise Malformed("expected at least one id, or None for all", field=field)
    return tuple(core.limited(each, field) for each in ids)


def read_create(
    reply: Reply,
    ask: Campaign,
    integration: Integration[Options],  # noqa: ARG001
) -> CampaignState:
    """The new campaign. 409 says that it exists: an earlier try, whose answer was lost, made it."""
    if reply.status == 409:
        return CampaignState(id=ask.id)
    created = core.answer(reply, core.CREATED)
    return CampaignState(id=created.ext_id, vendor_id=created.id)


def compose_read(campaign: CampaignId, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for a campaign's configuration; the vendor tells no counters."""
    values = core.client(integration) | _which(campaign)
    return core.ask("/free-rounds", values, integration)


def _which(campaign: CampaignId) -> dict[str, str]:
    """One of the two ids: ours where known, as the vendor does not say which of two would win."""
    if campaign.id is not None:
        return {"extID": core.limited(campaign.id, "id", wire.MAX_ID)}
    if campaign.vendor_id is not None:
        return {"id": core.uuid(campaign.vendor_id, "vendor_id")}
    raise Malformed("expected the operator's or the vendor's id", field="id")


def read_read(
    reply: Reply,
    ask: CampaignId,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> CampaignState:
    """The campaign as the vendor has it."""
    found = core.answer(reply, core.CONFIGURED)
    return CampaignState(
        id=found.ext_id,
        vendor_id=found.id,
        currency=found.currency,
        quantity=found.quantity,
        largest_stake=found.max_bet,
        largest_multiple=_number(bytes(found.max_mult)),
        valid_from_ms=core.date_ms(found.valid_from),
        valid_until_ms=None if found.valid_until is None else core.date_ms(found.valid_until),
        cancelled_at_ms=None if found.deleted_at is None else core.date_ms(found.deleted_at),
        games=found.game_ids,
    )


def _number(token: bytes) -> str:
    """A JSON number as it was written."""
    text = token.decode(errors="replace")
    if _NUMBER.fullmatch(text) is None:
        raise VendorError("Swipe Games answered a maxMult that is no number", status=200)
    return text


def compose_cancel(campaign: CampaignId, integration: Integration[Options], _at_ms: int) -> Request:
    """Cancel a campaign: a DELETE that carries a body. Rounds in progress go on."""
    body: dict[str, Json] = {**core.client(integration), **_which(campaign)}
    return core.send("DELETE", "/free-rounds", body, integration)


def read_cancel(
    reply: Reply,
    ask: CampaignId,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> None:
    """Nothing to tell; the vendor documents no body."""
    core.ok(reply)


def base_url(integration: Integration[Options]) -> str:
    """Where the Core API lives."""
    return integration.options.base_url


STUDIO: Studio[Options] = Studio(
    base_url=base_url,
    launch=Operation(compose=compose_launch, read=read_launch),
    games=Operation(compose=compose_games, read=read_games, deadline_s=30.0),
    create_campaign=Operation(compose=compose_create, read=read_create),
    read_campaign=Operation(compose=compose_read, read=read_read),
    cancel_campaign=Operation(compose=compose_cancel, read=read_cancel),
)
