"""The operator API as operators use it: launch and bonuses. Pure; nothing is sent here.

Asks that the vendor could not understand are refused before they are sent, naming the field.
"""

from __future__ import annotations

from itertools import product

from seamline.dialects.dialect import (
    Campaign,
    CampaignId,
    CampaignState,
    Granted,
    Launch,
    Launched,
    Malformed,
    Operation,
    Reply,
    Request,
    Studio,
    VendorError,
)
from seamline.dialects.oppigames import api, wire
from seamline.dialects.oppigames.extras import EXTRAS
from seamline.dialects.oppigames.options import DEMO_CURRENCY, Options
from seamline.dialects.oppigames.reasons import OK
from seamline.wallet import Integration

#: How far ahead a start may be and still mean "now"; the wire cannot say a later one.
_NOW_MS = 60_000


def compose_launch(launch: Launch, integration: Integration[Options], at_ms: int) -> Request:
    """Ask for a new session. All five fields are sent, as none is marked optional."""
    player = api.identifier(launch.player, "player")
    body = {
        "playerId": player,
        "playerName": api.identifier(_name(launch) or player, "nickname", 255),
        "balance": _shown(launch),
        "gameId": api.identifier(launch.game, "game"),
        "currency": _currency(launch, integration.options),
    }
    return api.post("/game/url", body, integration, at_ms)


def _name(launch: Launch) -> str | None:
    """What the player is called."""
    full = " ".join(each for each in (launch.first_name, launch.last_name) if each)
    return launch.nickname or full or None


def _shown(launch: Launch) -> int:
    """What the player has, as the wire counts it; finer than that is left out."""
    text = launch.demo_balance if launch.demo else launch.balance
    if text is None:
        return 0
    whole, _, fraction = text.partition(".")
    return api.counted(f"{whole}.{fraction[: wire.PLACES]}" if fraction else whole, "balance")


def _currency(launch: Launch, options: Options) -> str:
    """The currency; demo play has one of its own."""
    if launch.demo:
        return DEMO_CURRENCY
    currency = launch.currency.upper()
    if currency == DEMO_CURRENCY:
        raise Malformed("expected a currency of real money", field="currency")
    if options.currencies and currency not in options.currencies:
        raise Malformed(f"expected one of {', '.join(options.currencies)}", field="currency")
    return currency


def read_launch(
    reply: Reply,
    ask: Launch,  # noqa: ARG001  the same shape for every operation
    integration: Integration[Options],  # noqa: ARG001
) -> Launched:
    """Where the player goes, and the vendor's id of the session."""
    opened = api.answer(reply, api.OPENED)
    return Launched(game_url=opened.game_url, vendor_session=opened.session_id)


def compose_create(campaign: Campaign, integration: Integration[Options], at_ms: int) -> Request:
    """Give a bonus to each of the players in each of the games.

    The vendor has no idempotency key: asked twice, it gives twice.
    """
    if campaign.valid_from_ms > at_ms + _NOW_MS:
        raise Malformed("expected now: bonuses start at once", field="valid_from_ms")
    if campaign.bet_line is not None:
        raise Malformed("expected none: the stake is an amount here", field="bet_line")
    kind = api.identifier(campaign.feature, "feature")
    said: dict[str, object] = {"currency": campaign.currency.upper()}
    if campaign.valid_until_ms is not None:
        said["expiredAt"] = api.date_text(campaign.valid_until_ms, "valid_until_ms")
    said["totalSpinCount"] = campaign.quantity
    if campaign.stake is not None:
        said["spinBetAmount"] = api.counted(campaign.stake, "stake")
    if campaign.reward is not None:
        said["bonusAmount"] = api.counted(campaign.reward, "reward")
    bonuses = [
        {
            "playerId": player,
            "bonusType": integration.options.bonus_types.get(kind, kind),
            "gameId": game,
            "index": index,
            **said,
        }
        for index, (player, game) in enumerate(_parts(campaign))
    ]
    return api.post("/game/bonus-configure", {"bonuses": bonuses}, integration, at_ms)


def _parts(campaign: Campaign) -> tuple[tuple[str, str], ...]:
    """Every player with every game, in the order of their indexes."""
    players, games = campaign.players or (), campaign.games or ()
    for ids, field in ((players, "players"), (games, "games")):
        if not ids:
            raise Malformed("expected at least one: a bonus is one player's in one game",
                            field=field)  # fmt: skip
        for each in ids:
            api.identifier(each, field)
    if len(players) * len(games) > wire.MAX_BATCH:
        raise Malformed(f"expected at most {wire.MAX_BATCH} players times games", field="players")
    return tuple(product(players, games))


def read_create(
    reply: Reply,
    ask: Campaign,
    integration: Integration[Options],  # noqa: ARG001
) -> CampaignState:
    """The bonuses that were given, each with its own id, and those that were not, with why.

    `VendorError` when none was.
    """
    told = {each.index: each for each in api.answer(reply, api.GIVEN).data}
    parts = tuple(
        _granted(player, game, told.get(index)) for index, (player, game) in enumerate(_parts(ask))
    )
    ids = [each.vendor_id for each in parts if each.vendor_id is not None]
    if not ids:
        codes = sorted({each.problem or "" for each in parts})
        raise VendorError(f"no bonus was given: {', '.join(codes)}", status=reply.status,
                          code=codes[0], refused=True)  # fmt: skip
    only = ids[0] if len(parts) == 1 else None
    return CampaignState(id=ask.id, vendor_id=only, parts=parts)


def _granted(player: str, game: str, told: api.Given | None) -> Granted:
    """One player's bonus in one game."""
    if told is not None and told.status == OK and told.bonus_id:
        return Granted(player=player, game=game, vendor_id=told.bonus_id)
    problem = "no answer" if told is None else told.message or told.status
    return Granted(player=player, game=game, problem=problem)


def compose_cancel(campaign: CampaignId, integration: Integration[Options], at_ms: int) -> Request:
    """Cancel one bonus, by the vendor's id."""
    body = {"bonusId": api.identifier(campaign.vendor_id, "vendor_id")}
    return api.post("/game/bonus-cancel", body, integration, at_ms)


def read_cancel(
    reply: Reply,
    ask: CampaignId,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> None:
    """Nothing to tell."""
    api.answer(reply, api.SAID)


def base_url(integration: Integration[Options]) -> str:
    """Where the operator API lives."""
    return integration.options.vendor_base_url


STUDIO: Studio[Options] = Studio(
    base_url=base_url,
    # A session that nobody uses costs nothing, so a launch may be asked again.
    launch=Operation(compose=compose_launch, read=read_launch, repeatable=True),
    create_campaign=Operation(compose=compose_create, read=read_create),
    cancel_campaign=Operation(compose=compose_cancel, read=read_cancel, repeatable=True),
    extras=EXTRAS,
)
