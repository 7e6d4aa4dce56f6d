"""The settings of an integration with Swipe Games."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from seamline.dialects.dialect import Secret
from seamline.wallet import HOUR_MS

STAGING = "https://staging.platform.0.swipegames.io/api/v1"

UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_BASE_URL = re.compile(r"https?://[^\s/?#]+(?:/[^\s/?#]+)*")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys, ids and choices; the README of this folder explains each."""

    #: Any of them verifies a reverse call; the first one signs.
    integration_api_keys: tuple[Secret, ...]
    #: Signs our calls of the Core API.
    api_key: Secret
    cid: str
    ext_cid: str
    base_url: str = STAGING
    era: Literal["live", "seed"] = "live"
    session_hours: int = 4
    win_after_refund: Literal["hold", "pay"] = "hold"
    #: What players may read of a refusal: English, as the document has it, or their own language.
    message_language: Literal["en", "player"] = "en"

    def __post_init__(self) -> None:
        if not self.integration_api_keys:
            raise ValueError("integration_api_keys: expected at least one key, got none")
        if not UUID.fullmatch(self.cid):
            raise ValueError(f"cid: expected the UUID that Swipe Games gave you, got {self.cid!r}")
        if not self.ext_cid.strip():
            raise ValueError("ext_cid: expected the name of your casino, got a blank text")
        if not _BASE_URL.fullmatch(self.base_url):
            raise ValueError(
                "base_url: expected http(s)://HOST/PATH without a slash at the end, "
                f"got {self.base_url!r}"
            )
        if self.session_hours < 1:
            raise ValueError(f"session_hours: expected 1 or more, got {self.session_hours}")


def session_ms(options: Options) -> int:
    """How long a new session lives."""
    return options.session_hours * HOUR_MS


def sandbox() -> Options:
    """Made-up keys and ids, for the demo and the tests."""
    return Options(
        integration_api_keys=(Secret("sandbox_swipegames_integration_key"),),
        api_key=Secret("sandbox_swipegames_api_key"),
        cid="5a9db0c5-0000-4000-8000-000000000001",
        ext_cid="sandbox_casino",
    )
