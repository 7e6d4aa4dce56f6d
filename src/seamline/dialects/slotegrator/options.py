"""The settings of an integration with a provider that speaks Slotegrator's protocol."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from seamline.dialects.dialect import Secret

_BASE_URL = re.compile(r"https?://[^\s/?#]+(?:/[^\s/?#]+)*")
_PATH = re.compile(r"(?:/[^\s?#]*)?(?:\?[^\s#]*)?")
_HOUR_MS = 3_600_000
_MAX_ID = 255


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tokens, addresses and choices; the README of this folder explains each."""

    #: Any of them verifies a provider's call; the first one signs.
    tokens: tuple[Secret, ...]
    client_id: str
    base_url: str
    #: Below `base_url`; several may be the same. None: the provider has no such endpoint.
    demo_path: str = ""
    game_path: str = ""
    jackpots_path: str | None = None
    create_campaign_path: str | None = None
    cancel_campaign_path: str | None = None
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
        if not _BASE_URL.fullmatch(self.base_url):
            raise ValueError(
                "base_url: expected http(s)://HOST/PATH without a slash at the end, "
                f"got {self.base_url!r}"
            )
        for name, path in self.paths().items():
            if path is not None and not _PATH.fullmatch(path):
                raise ValueError(f"{name}: expected an empty text or /PATH, got {path!r}")
        if self.session_hours < 1:
            raise ValueError(f"session_hours: expected 1 or more, got {self.session_hours}")

    def paths(self) -> dict[str, str | None]:
        """The provider's endpoints below `base_url`, by the name of the option."""
        return {
            "demo_path": self.demo_path,
            "game_path": self.game_path,
            "jackpots_path": self.jackpots_path,
            "create_campaign_path": self.create_campaign_path,
            "cancel_campaign_path": self.cancel_campaign_path,
        }


def session_ms(options: Options) -> int:
    """How long a session lives after its last call."""
    return options.session_hours * _HOUR_MS


def sandbox() -> Options:
    """A made-up token and provider, for the demo and the tests."""
    return Options(
        tokens=(Secret("sandbox_slotegrator_token"),),
        client_id="sandbox_casino",
        base_url="https://provider.invalid",
        demo_path="/demo",
        game_path="/game",
        jackpots_path="/jackpots",
        create_campaign_path="/campaigns/create",
        cancel_campaign_path="/campaigns/cancel",
    )
