"""The settings of an integration with Naga Games."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from seamline.dialects import rsa
from seamline.dialects.dialect import Secret
from seamline.wallet import HOUR_MS

STAGING = "https://api.stg.game.topplatform.asia"

_BASE_URL = re.compile(r"https?://[^\s/?#]+(?:/[^\s/?#]+)*")
#: What may stand for a game in the address of the games.
_PLAY_URL = re.compile(r"https?://[^\s?#]+")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys, codes and choices; the README of this folder explains each."""

    group_code: str
    brand_code: str
    mode: Literal["seamless", "transfer"] = "seamless"
    #: Seamless mode: any of them verifies.
    public_keys: tuple[Secret, ...] = ()
    #: The vendor's own key. Nobody but a sandbox or a simulator has it.
    private_key: Secret | None = None
    #: Transfer mode: signs in both directions.
    secret_key: Secret | None = None
    #: For the calls of the vendor's API that want one.
    api_key: Secret | None = None
    base_url: str = STAGING
    #: Where games are opened; `{game}` stands for the game's code.
    play_url: str | None = None
    #: The same for single games, as the vendor's catalogue tells it.
    play_urls: Mapping[str, str] = msgspec.field(default_factory=dict)
    #: The games that may be played; None for all.
    games: frozenset[str] | None = None
    session_hours: int = 24
    replayed_balance: Literal["current", "stored"] = "current"
    #: Whether the vendor may ask for the token of a player.
    player_token_call: bool = False
    #: Whether the vendor sends `isLastFreeSpins`; read in any case.
    last_free_spins: bool = True
    #: Whether the vendor's API of transfer mode wants its fields below `data`.
    transfer_body: Literal["flat", "data"] = "flat"

    def __post_init__(self) -> None:
        for field in ("group_code", "brand_code"):
            code = getattr(self, field)
            if len(code) != 4:
                raise ValueError(f"{field}: expected the 4 characters of Naga Games, got {code!r}")
        _check_keys(self)
        if not _BASE_URL.fullmatch(self.base_url):
            raise ValueError(
                "base_url: expected http(s)://HOST/PATH without a slash at the end, "
                f"got {self.base_url!r}"
            )
        for url in (self.play_url, *self.play_urls.values()):
            if url is not None and not _PLAY_URL.fullmatch(url):
                raise ValueError(f"play_url: expected http(s)://HOST/PATH, got {url!r}")
        if self.session_hours < 1:
            raise ValueError(f"session_hours: expected 1 or more, got {self.session_hours}")


def _check_keys(options: Options) -> None:
    """Whether the keys of the mode are there, and are keys."""
    if options.mode == "transfer":
        if options.secret_key is None:
            raise ValueError("secret_key: expected one, as the mode is transfer")
    elif not options.public_keys:
        raise ValueError("public_keys: expected at least one, as the mode is seamless")
    for number, key in enumerate(options.public_keys):
        _check(f"public_keys[{number}]", rsa.check_public, key)
    if options.private_key is not None:
        _check("private_key", rsa.check_private, options.private_key)


def _check(field: str, check: Callable[[str], None], key: Secret) -> None:
    try:
        check(key.reveal())
    except rsa.BadKey as error:
        raise ValueError(f"{field}: {error}") from None


def session_ms(options: Options) -> int:
    """How long a session lives after its last call."""
    return options.session_hours * HOUR_MS
