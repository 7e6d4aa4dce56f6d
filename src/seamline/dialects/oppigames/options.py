"""The settings of an integration with OppiGames; the README of this folder explains each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from seamline.dialects.dialect import Secret
from seamline.dialects.oppigames.reasons import Reason
from seamline.wallet import HOUR_MS

#: The only base URL that the vendor's pages name; it looks like staging.
BASE_URL = "https://s-apis.oppigames.com"
#: Demo play; its sessions never touch real money.
DEMO_CURRENCY = "XXX"

_BASE_URL = re.compile(r"https?://[^\s/?#]+(?:/[^\s/?#]+)*")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_CURRENCY = re.compile(r"[A-Z0-9]{3,10}")
_HEADER = re.compile(r"[!-~]+")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys, ids and choices for what the vendor's pages leave open."""

    #: The Auth Key: `x-api-key` of both directions. Public, but not to be spread.
    api_key: str
    #: Secret Keys: any of them verifies a wallet call; the first one signs.
    secrets: tuple[Secret, ...]
    #: A pair of its own for our calls of the vendor's API, where the vendor gave one.
    vendor_api_key: str | None = None
    vendor_secret: Secret | None = None
    vendor_base_url: str = BASE_URL
    #: What is signed where there is no body: two quote characters, or nothing.
    empty_body_mode: Literal["quoted", "bare"] = "quoted"

    #: How far `x-timestamp` may be from our clock, either way, in milliseconds; 0 for any.
    freshness_ms: int = 300_000
    #: Accept a signature over the body as `JSON.stringify` would write it, too.
    lenient_canonical: bool = True
    status_profile: Literal["documented", "extended"] = "documented"
    #: By name of a reason, the code that is answered, whatever the profile says.
    status_codes: Mapping[str, str] = msgspec.field(default_factory=dict)
    http_status_mode: Literal["always_200", "semantic"] = "always_200"
    include_error_message: bool = True
    rollback_path: Literal["/transaction/rollback", "/transaction/revert"] = "/transaction/rollback"

    #: The currencies that the vendor supports for you; none for all that the brand has.
    currencies: tuple[str, ...] = ()
    session_hours: int = 24
    session_policy: Literal["strict", "bind_on_first_use", "ignore"] = "bind_on_first_use"
    payout_unknown_bet: Literal["reject", "accept"] = "reject"
    multi_payout: Literal["reject", "allow"] = "reject"
    bonus_reref: Literal["reject", "ack_no_credit", "allow"] = "reject"
    unknown_bonus: Literal["accept_flag", "reject"] = "accept_flag"
    rollback_paid_bet: Literal["void_round", "refund_only", "reject"] = "void_round"
    rollback_negative: Literal["allow", "reject"] = "allow"
    rollback_unknown: Literal["ok_tombstone", "error"] = "ok_tombstone"
    rollback_accept_single: bool = True
    retry_unknown_ref: Literal["accept", "reject"] = "accept"
    #: By your name of a bonus type, the vendor's; a name that is not here is sent as it is.
    bonus_types: Mapping[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.secrets:
            raise ValueError("secrets: expected at least one secret, got none")
        for field, key in (("api_key", self.api_key), ("vendor_api_key", self.vendor_api_key)):
            if key is not None and not _HEADER.fullmatch(key):
                raise ValueError(f"{field}: expected printable ASCII without spaces, got {key!r}")
        if (self.vendor_api_key is None) != (self.vendor_secret is None):
            raise ValueError(
                "vendor_api_key: expected it together with vendor_secret, or neither of them"
            )
        if not _BASE_URL.fullmatch(self.vendor_base_url):
            raise ValueError(
                "vendor_base_url: expected http(s)://HOST/PATH without a slash at the end, "
                f"got {self.vendor_base_url!r}"
            )
        if self.freshness_ms < 0:
            raise ValueError(f"freshness_ms: expected 0 or more, got {self.freshness_ms}")
        if self.session_hours < 1:
            raise ValueError(f"session_hours: expected 1 or more, got {self.session_hours}")
        self._check_names()

    def _check_names(self) -> None:
        """Codes, currencies and bonus types that nobody could mean are named."""
        for reason, code in self.status_codes.items():
            if reason not in Reason.__members__:
                names = ", ".join(Reason.__members__)
                raise ValueError(f"status_codes: expected some of {names}, got {reason!r}")
            if not _CODE.fullmatch(code) or code == "RS_OK":
                raise ValueError(
                    f"status_codes: expected a code such as RS_ERROR for {reason}, got {code!r}"
                )
        for currency in self.currencies:
            if not _CURRENCY.fullmatch(currency) or currency == DEMO_CURRENCY:
                raise ValueError(
                    f"currencies: expected codes of real money such as EUR, got {currency!r}"
                )
        for name, wire in self.bonus_types.items():
            if not name.strip() or not wire.strip():
                raise ValueError(f"bonus_types: expected two names, got {name!r} and {wire!r}")


def session_ms(options: Options) -> int:
    """How long a new session lives."""
    return options.session_hours * HOUR_MS


def sandbox() -> Options:
    """Made-up keys, for the demo and the tests."""
    return Options(
        api_key="sandbox_oppigames_auth_key",
        secrets=(Secret("sandbox_oppigames_secret_key"),),
    )
