"""The provider's API as the operator uses it: launch, jackpots, free spins.

Each call has an endpoint of its own, agreed with the provider. Asks that the provider would refuse
are refused before they are sent, naming the field.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from seamline.dialects.dialect import (
    Campaign,
    CampaignId,
    CampaignState,
    Jackpot,
    Launch,
    Launched,
    Malformed,
    Operation,
    Reply,
    Request,
    Studio,
    VendorError,
)
from seamline.dialects.signing import BadJson, Json, strictly
from seamline.dialects.slotegrator import decimals, wire
from seamline.dialects.slotegrator.options import Options
from seamline.dialects.slotegrator.signature import sign
from seamline.wallet import Integration

T = TypeVar("T")

DEFAULT_LANGUAGE = "en"
MAX_TEXT = 2_000
#: The largest campaign, by our choice; the document names no limit.
MAX_SPINS = 100_000

_LANGUAGE = re.compile(r"([A-Za-z]{2})(?:[-_][A-Za-z0-9_-]+)?")
_SECOND_MS = 1_000
_SHOWN = 200


class Opened(msgspec.Struct, frozen=True):
    """Where a game is; this answer, unlike all others, has no `status`."""

    url: str


class Level(msgspec.Struct, frozen=True):
    """One level of a jackpot; the amount is kept as it was written."""

    name: str
    amount: msgspec.Raw
    currency: str


class Jackpots(msgspec.Struct, frozen=True):
    """The jackpots of a client; there may be none."""

    status: bool
    jackpots: tuple[Level, ...]


class Created(msgspec.Struct, frozen=True):
    """A new campaign under the provider's own id."""

    status: bool
    new_campaign_id: str


class Cancelled(msgspec.Struct, frozen=True):
    """A campaign that is over."""

    status: bool


class Failed(msgspec.Struct, frozen=True):
    """What may say that a call failed; some providers give the code as a number."""

    status: bool | None = None
    code: str | int | None = None
    message: str | None = None


#: What a URL of a game begins with; `javascript:` and the like would run in the casino's page.
_PAGE = re.compile(r"https?://[^\s/]", re.IGNORECASE)

OPENED = msgspec.json.Decoder(Opened)
JACKPOTS = msgspec.json.Decoder(Jackpots)
CREATED = msgspec.json.Decoder(Created)
CANCELLED = msgspec.json.Decoder(Cancelled)
FAILED = msgspec.json.Decoder(Failed)


def compose_launch(launch: Launch, integration: Integration[Options], at_ms: int) -> Request:
    """Ask for a game's URL; a demo names no session, player or currency and never calls back."""
    options = integration.options
    who: dict[str, Json] = {}
    if not launch.demo:
        who = {
            "session_id": _limited(launch.session, "session", wire.MAX_ID),
            "player_id": player_id(launch.player, launch.currency, options),
        }
    body: dict[str, Json] = {
        "client_id": options.client_id,
        "game_id": _limited(launch.game, "game", wire.MAX_ID),
        **({} if launch.demo else {"currency": _limited(launch.currency, "currency")}),
        "language": _language(launch),
        **who,
    }
    if launch.return_url is not None:
        body["return_url"] = _limited(launch.return_url, "return_url")
    endpoint = options.demo_url if launch.demo else options.game_url
    return _post(endpoint, body, integration, at_ms)


def player_id(player: str | None, currency: str, options: Options) -> str:
    """The player's name at the provider, which may keep but one currency for each.

    The document's samples end in the currency.
    """
    name = _limited(player, "player")
    whole = name + currency if options.player_ids == "per_currency" else name
    return _limited(whole, "player", wire.MAX_ID)


def _language(launch: Launch) -> str:
    """Two letters (ISO 639-1) of a tag such as `pt-BR`."""
    if launch.language is None:
        return DEFAULT_LANGUAGE
    match = _LANGUAGE.fullmatch(launch.language)
    if match is not None:
        return match[1].lower()
    if launch.fallback_language:
        return DEFAULT_LANGUAGE
    raise Malformed("expected a language such as de or pt-BR", field="language")


def read_launch(
    reply: Reply,
    ask: Launch,  # noqa: ARG001  the same shape for every operation
    integration: Integration[Options],  # noqa: ARG001
) -> Launched:
    """Where the player goes; a browser is sent to nothing but a page of the web."""
    url = _answer(reply, OPENED).url
    if not _PAGE.match(url):
        said = "the provider answered a url that is none: expected http:// or https://"
        raise VendorError(said, status=reply.status)
    return Launched(game_url=url)


def compose_jackpots(_ask: None, integration: Integration[Options], at_ms: int) -> Request:
    """Ask for the jackpots."""
    options = integration.options
    endpoint = _agreed(options.jackpots_url, "jackpots_url")
    return _post(endpoint, {"client_id": options.client_id}, integration, at_ms)


def read_jackpots(
    reply: Reply,
    ask: None,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> tuple[Jackpot, ...]:
    """The jackpots, with the decimals that the provider shows."""
    return tuple(_jackpot(level) for level in _answer(reply, JACKPOTS).jackpots)


def _jackpot(level: Level) -> Jackpot:
    amount = decimals.told(level.amount)
    if amount is None:
        raise VendorError(f"the provider answered no amount for jackpot {level.name[:_SHOWN]!r}")
    return Jackpot(name=level.name, amount=str(amount), currency=level.currency)


def compose_create(campaign: Campaign, integration: Integration[Options], at_ms: int) -> Request:
    """Ask for free spins of one player in one game, which is all that this protocol can say.

    `bet_id` is an index into the stakes per line; the document does not say from where it counts,
    public code of a provider counts from 0.
    """
    options = integration.options
    endpoint = _agreed(options.create_campaign_url, "create_campaign_url")
    player = _only(campaign.players, "players")
    body: dict[str, Json] = {
        "client_id": options.client_id,
        "game_id": _limited(_only(campaign.games, "games"), "games", wire.MAX_ID),
        "player_id": player_id(player, campaign.currency, options),
        "campaign_id": _limited(campaign.id, "id", wire.MAX_ID),
        "currency": _limited(campaign.currency, "currency"),
        "quantity": _within(campaign.quantity, MAX_SPINS, "quantity"),
        "valid_from": campaign.valid_from_ms // _SECOND_MS,
        "valid_until": _end(campaign, at_ms),
        "bet_id": _within(campaign.bet_line, MAX_SPINS, "bet_line") - 1,
    }
    return _post(endpoint, body, integration, at_ms)


def _only(names: tuple[str, ...] | None, field: str) -> str:
    """The one of a list: a campaign of this protocol has one player and one game."""
    if names is None or len(names) != 1:
        raise Malformed("expected exactly one", field=field)
    return names[0]


def _within(value: int | None, most: int, field: str) -> int:
    if value is None or type(value) is not int or not 1 <= value <= most:
        raise Malformed(f"expected a whole number from 1 to {most}", field=field)
    return value


def _end(campaign: Campaign, at_ms: int) -> int:
    """The end in seconds: needed, after the start, and not over yet."""
    until = (campaign.valid_until_ms or 0) // _SECOND_MS
    if until <= campaign.valid_from_ms // _SECOND_MS or until <= at_ms // _SECOND_MS:
        raise Malformed("expected a time after the start that is to come", field="valid_until_ms")
    return until


def read_create(
    reply: Reply,
    ask: Campaign,
    integration: Integration[Options],  # noqa: ARG001
) -> CampaignState:
    """The new campaign, under the provider's id as well."""
    return CampaignState(id=ask.id, vendor_id=_answer(reply, CREATED).new_campaign_id)


def compose_cancel(campaign: CampaignId, integration: Integration[Options], at_ms: int) -> Request:
    """Cancel a campaign by our id: the provider's own is not asked for."""
    options = integration.options
    endpoint = _agreed(options.cancel_campaign_url, "cancel_campaign_url")
    body: dict[str, Json] = {
        "client_id": options.client_id,
        "campaign_id": _limited(campaign.id, "id", wire.MAX_ID),
    }
    return _post(endpoint, body, integration, at_ms)


def read_cancel(
    reply: Reply,
    ask: CampaignId,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> None:
    """Nothing to tell: spins that are left lapse, one that is running goes on."""
    _answer(reply, CANCELLED)


def _agreed(endpoint: str | None, option: str) -> str:
    """The endpoint of a call that a provider may lack."""
    if endpoint is None:
        raise Malformed("expected an endpoint of the provider in the settings", field=option)
    return endpoint


def _limited(value: str | None, field: str, longest: int = MAX_TEXT) -> str:
    """A text of the ask that must be there."""
    if value is None or not value.strip() or len(value) > longest:
        raise Malformed(f"expected a text of 1 to {longest} characters", field=field)
    return value


def _post(
    endpoint: str, members: dict[str, Json], integration: Integration[Options], at_ms: int
) -> Request:
    """The signed call; an endpoint may have a query of its own, which is not signed."""
    headers = ((b"content-type", b"application/json"), (b"accept", b"application/json"))
    path, _, query = integration.options.whole(endpoint).partition("?")
    body = wire.php(members)
    return sign(Request("POST", path, query.encode(), headers, body, at_ms), integration)


def _answer(reply: Reply, decoder: msgspec.json.Decoder[T]) -> T:
    """The body of an answer, or `VendorError`; a refusal in the body counts under any status."""
    _refused(reply)
    try:
        return strictly(reply.body, decoder)
    except BadJson as error:
        place = f" at {error.field}" if error.field else ""
        message = f"the provider answered a body that nobody can read{place}: {error}"
        raise VendorError(message, status=reply.status) from error


def _refused(reply: Reply) -> None:
    """Raise `VendorError` for a status that is not of success, or a body that says it failed."""
    try:
        said = strictly(reply.body, FAILED)
    except BadJson:
        message = f"the provider answered {reply.status} without a body that can be read"
        raise VendorError(message, status=reply.status) from None
    if said.status is not False and 200 <= reply.status < 300:
        return
    code = None if said.code is None else str(said.code)
    message = said.message or f"the provider answered {reply.status} and said nothing"
    ours = code == "WRONG_INPUT_PARAMETERS" or None
    raise VendorError(message[:_SHOWN], status=reply.status, code=code, ask_at_fault=ours)


def base_url(_integration: Integration[Options]) -> str:
    """None: each endpoint is a URL of its own, and the request has the whole of it."""
    return ""


STUDIO: Studio[Options] = Studio(
    base_url=base_url,
    launch=Operation(compose=compose_launch, read=read_launch, repeatable=True),
    create_campaign=Operation(compose=compose_create, read=read_create),
    cancel_campaign=Operation(compose=compose_cancel, read=read_cancel, repeatable=True),
    jackpots=Operation(compose=compose_jackpots, read=read_jackpots, repeatable=True),
)
