"""The settings of an integration with a provider that speaks Slotegrator's protocol."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from seamline.dialects.dialect import Secret
from seamline.wallet import HOUR_MS

_BASE_URL = re.compile(r"https?://[^\s/?#]+(?:/[^\s/?#]+)*")
#: What an endpoint may be: the rest of a URL, or a whole one; both may have a query.
_REST = re.compile(r"(?:/[^\s?#]*)?(?:\?[^\s#]*)?")
_WHOLE = re.compile(r"https?://[^\s/?#]+(?:/[^\s?#]*)?(?:\?[^\s#]*)?")
_MAX_ID = 255


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tokens, addresses and choices; the README of this folder explains each."""

    #: Any of them verifies a provider's call; the first one signs.
    tokens: tuple[Secret, ...]
    client_id: str
    #: What the endpoints have in common; empty where each is a whole URL.
    base_url: str = ""
    #: One endpoint each (document: what is handed over), the rest after `base_url` or a whole URL.
    #: Several may be the same. None: the provider has no such endpoint.
    demo_url: str = ""
    game_url: str = ""
    jackpots_url: str | None = None
    create_campaign_url: str | None = None
    cancel_campaign_url: str | None = None
    player_ids: Literal["per_currency", "plain"] = "per_currency"
    session_hours: int = 24
    win_requires_bet: bool = True
    allow_zero: bool = True
    amount_as: Literal["string", "number"] = "string"

    def __post_init__(self) -> None:
        if not 1 <= len(self.tokens) <= 2:
            raise ValueError(
                f"tokens: expected one, or two during a change, got {len(self.tokens)}"
            )
        if not self.client_id.strip() or len(self.client_id) > _MAX_ID:
            raise ValueError(
                f"client_id: expected a text of 1 to {_MAX_ID} characters, got {self.client_id!r}"
            )
        if self.base_url and not _BASE_URL.fullmatch(self.base_url):
            raise ValueError(
                "base_url: expected http(s)://HOST/PATH without a slash at the end, "
                f"got {self.base_url!r}"
            )
        for name, given in self.endpoints().items():
            self._check_endpoint(name, given)
        if self.session_hours < 1:
            raise ValueError(f"session_hours: expected 1 or more, got {self.session_hours}")

    def _check_endpoint(self, name: str, given: str | None) -> None:
        if given is None or _WHOLE.fullmatch(given):
            return
        if not self.base_url:
            raise ValueError(f"{name}: expected a whole URL without base_url, got {given!r}")
        if not _REST.fullmatch(given):
            raise ValueError(f"{name}: expected an empty text, /PATH or a URL, got {given!r}")

    def endpoints(self) -> dict[str, str | None]:
        """The provider's endpoints as they were given, by the name of the option."""
        return {
            "demo_url": self.demo_url,
            "game_url": self.game_url,
            "jackpots_url": self.jackpots_url,
            "create_campaign_url": self.create_campaign_url,
            "cancel_campaign_url": self.cancel_campaign_url,
        }

    def whole(self, endpoint: str) -> str:
        """The URL of an endpoint."""
        return endpoint if _WHOLE.fullmatch(endpoint) else self.base_url + endpoint


def session_ms(options: Options) -> int:
    """How long a session lives after its last call."""
    return options.session_hours * HOUR_MS


def sandbox() -> Options:
    """A made-up token and provider, for the demo and the tests."""
    return Options(
        tokens=(Secret("sandbox_slotegrator_token"),),
        client_id="sandbox_casino",
        base_url="https://provider.invalid",
        demo_url="/demo",
        game_url="/game",
        jackpots_url="/jackpots",
        create_campaign_url="/campaigns/create",
        cancel_campaign_url="/campaigns/cancel",
    )
