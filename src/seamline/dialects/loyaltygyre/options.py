"""The settings of an integration with LoyaltyGyre; the README of this folder explains each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec

from seamline.dialects.dialect import Secret
from seamline.dialects.loyaltygyre import checks, mapping, templates
from seamline.dialects.loyaltygyre.fields import (
    ALLOWED,
    DENIED,
    REPLIES,
    REQUESTS,
    TOLD,
    Field,
    Type,
)
from seamline.money import BadQuantity, Quantity
from seamline.wallet import HOUR_MS

#: The key of the vendor's own example; it is the MD5 of nothing.
SAMPLE_KEY = "d41d8cd98f00b204e9800998ecf8427e"
#: Headers that may carry a key; named here, as none of them may ever be recorded.
KEY_HEADERS = ("x-api-key", "x-auth-token", "x-callback-token", "x-lg-key")

_HOST = re.compile(r"https://[^\s/?#@]+(?:/[^\s/?#]+)*")
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~-]+|\{[a-z_][a-z0-9_]*\}))+")

Status = Annotated[int, msgspec.Meta(ge=200, le=599)]
Secrets = Annotated[tuple[Secret, ...], msgspec.Meta(max_length=2)]


#: Any JSON of the settings; `templates.check` says what may be in it.
Tree = dict[str, Any]  # type: ignore[explicit-any]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings; a key that is not a field of it is a mistake."""


class Auth(_Table, frozen=True):
    """`auth`: how LoyaltyGyre shows that a callback is its own; two keys of a kind while changing.

    `tokens` are bearer tokens, the header's values, or `user:password` of basic authentication;
    `secrets` sign. With `hmac`, tokens are wanted as well where there are any.
    """

    type: Literal["bearer", "hmac", "header_key", "basic", "none"] = "bearer"
    tokens: Secrets = ()
    secrets: Secrets = ()
    header: str | None = None

    def __post_init__(self) -> None:
        if self.type == "hmac" and not self.secrets:
            raise ValueError("auth.secrets: expected at least one, as auth.type is hmac")
        if self.type in ("bearer", "header_key", "basic") and not self.tokens:
            raise ValueError(f"auth.tokens: expected at least one, as auth.type is {self.type}")
        if self.secrets and self.type != "hmac":
            raise ValueError(f"auth.secrets: expected none, as auth.type is {self.type}")
        if self.tokens and self.type == "none":
            raise ValueError("auth.tokens: expected none, as auth.type is none")
        if self.type == "basic" and any(":" not in each.reveal() for each in self.tokens):
            raise ValueError("auth.tokens: expected user:password, as auth.type is basic")
        if (self.type == "header_key") != (self.header is not None):
            raise ValueError("auth.header: expected a name with header_key, and none otherwise")
        if self.header is not None and self.header.lower() not in KEY_HEADERS:
            choice = ", ".join(KEY_HEADERS)
            raise ValueError(f"auth.header: expected one of {choice}, got {self.header!r}")


class Mapped(_Table, frozen=True, rename={"source": "from", "longest": "max_len"}):
    """One field of a request: where it stands and how it is read."""

    source: str | tuple[str, ...]
    type: Type | None = None
    scale: int = 1
    map: Mapping[str, str] | None = None
    default: str | None = None
    required: bool = False
    longest: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 128


class Template(_Table, frozen=True):
    """One reply: its status, and its body with `$names`; what is left out is the usual."""

    http: Status | None = None
    body: Tree | None = None


class Denial(Template, frozen=True):
    """The reply to what was denied, with exceptions by reason code."""

    by_code: Mapping[str, Template] = msgspec.field(default_factory=dict)


class Response(_Table, frozen=True):
    """The replies of a call; `scale` makes its amounts whole numbers, 100 for cents."""

    allow: Template = Template()
    deny: Denial = Denial()
    scale: int = 1


class Only(_Table, frozen=True, rename={"source": "from"}):
    """What tells a call from another one at the same method and path."""

    source: str
    values: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class Endpoint(_Table, frozen=True):
    """`endpoints.CALL`: where a call comes in and what it looks like."""

    method: Literal["POST", "PUT", "GET"] = "POST"
    path: str | None = None
    body: Literal["json", "form"] = "json"
    request: Mapping[str, Mapped] | None = None
    response: Response = Response()
    only: Only | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One call, compiled."""

    method: str
    path: str
    form: bool
    readings: Mapping[str, mapping.Reading]
    allow: Template
    deny: Denial
    fill_allow: templates.Fill
    fill_deny: templates.Fill
    places: int
    only: mapping.Reading | None
    values: tuple[str, ...]


class Options(_Table, frozen=True, dict=True):
    """Keys, ids and choices."""

    casino_id: str
    #: The first one signs and authenticates; the second is one that is being replaced.
    api_keys: Annotated[tuple[Secret, ...], msgspec.Meta(min_length=1, max_length=2)]
    auth: Auth
    base_url: str = "https://app.loyaltygyre.com"
    currency: str = "CREDITS"
    credit_decimals: Annotated[int, msgspec.Meta(ge=0, le=5)] = 2
    player_field: Literal["player_id", "user_id"] = "player_id"
    #: Whether an allowed purchase is debited here, or only checked, as the casino debits it itself.
    settlement: Literal["debit_on_allow", "check_only"] = "debit_on_allow"
    missing_id: Literal["reject", "window"] = "reject"
    price_source: Literal["request", "catalogue"] = "request"
    price_check: bool = False
    on_balance_mismatch: Literal["log", "deny"] = "log"
    cancel_window_h: Annotated[int, msgspec.Meta(ge=1, le=8760)] = 24
    cashback_dedupe: Literal["request_id", "player_prize"] = "request_id"
    cashback_max: str | None = None
    #: Of a prize's price, as a decimal; what a prize that is cashed back through the API is worth.
    cashback_rate: str | None = None
    #: How many calls a player may cause in how many seconds; 0 for any number.
    rate_per_player: tuple[int, int] = (10, 10)
    deny_http: Status = 200
    #: Player messages by language and reason code, in place of ours.
    messages: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = msgspec.field(default_factory=dict)
    session_hours: Annotated[int, msgspec.Meta(ge=1, le=8760)] = 24

    def __post_init__(self) -> None:
        for name, text in (("casino_id", self.casino_id), ("currency", self.currency)):
            if not text or set(text) & set("|;") or not text.isprintable():
                raise ValueError(f"{name}: expected text without | and ;, got {text!r}")
        if any(each.reveal() == SAMPLE_KEY for each in self.api_keys):
            raise ValueError("api_keys: expected your own key, got the one of the vendor's example")
        given = {each.reveal() for each in (*self.auth.tokens, *self.auth.secrets)}
        if given & {each.reveal() for each in self.api_keys}:
            raise ValueError("auth: expected keys of your own, got the LoyaltyGyre API key")
        if not _HOST.fullmatch(self.base_url):
            raise ValueError(f"base_url: expected https://HOST, got {self.base_url!r}")
        for name in ("cashback_max", "cashback_rate"):
            _amount(getattr(self, name), name)
        count, seconds = self.rate_per_player
        if count < 0 or seconds < 1:
            raise ValueError(f"rate_per_player: expected calls and seconds, got {count}, {seconds}")
        checks.check_messages(self.messages)
        _check_paths(self.plans)

    @cached_property
    def plans(self) -> Mapping[str, Plan]:
        """The calls, compiled; `ValueError` naming the key that leads nowhere."""
        for name in self.endpoints:
            if name not in REQUESTS:
                raise ValueError(f"endpoints.{name}: expected one of {', '.join(REQUESTS)}")
        return {name: _plan(name, self.endpoints.get(name, Endpoint()), self) for name in REQUESTS}


def _amount(text: str | None, key: str) -> None:
    if text is None:
        return
    try:
        Quantity.parse(text)
    except BadQuantity as error:
        detail = f"expected a plain decimal such as 12 or 0.90, got {text[:40]!r}"
        raise ValueError(f"{key}: {detail}") from error


def _plan(call: str, endpoint: Endpoint, options: Options) -> Plan:
    key = f"endpoints.{call}"
    path = endpoint.path if endpoint.path is not None else f"/{call}"
    if not _PATH.fullmatch(path):
        raise ValueError(f"{key}.path: expected a path such as /v1/{call}, got {path!r}")
    checks.check_path(path, f"{key}.path")
    if endpoint.method == "GET" and endpoint.request is None:
        raise ValueError(f"{key}.request: expected sources, as a GET has no body")
    response = endpoint.response
    _check_response(call, response, f"{key}.response")
    allow = Template(http=response.allow.http, body=response.allow.body or dict(ALLOWED[call]))
    deny = Denial(
        http=response.deny.http,
        body=response.deny.body or dict(DENIED),
        by_code=response.deny.by_code,
    )
    _check_denials(allow, deny, options, f"{key}.response")
    places = mapping.scale_places(response.scale, f"{key}.response.scale")
    return Plan(
        method=endpoint.method,
        path=path,
        form=endpoint.body == "form",
        readings=_readings(call, endpoint, path, options),
        allow=allow,
        deny=deny,
        fill_allow=templates.compiled(allow.body, places),
        fill_deny=templates.compiled(deny.body, places),
        places=places,
        only=_only(endpoint.only, path, f"{key}.only.from"),
        values=endpoint.only.values if endpoint.only is not None else (),
    )


def _check_response(call: str, response: Response, key: str) -> None:
    """The replies name nothing that there is not."""
    templates.check(response.allow.body, REPLIES[call], f"{key}.allow.body")
    templates.check(response.deny.body, REPLIES[call], f"{key}.deny.body")
    checks.check_reasons(response.deny.by_code, f"{key}.deny.by_code")
    for code, each in response.deny.by_code.items():
        templates.check(each.body, REPLIES[call], f"{key}.deny.by_code.{code}.body")


def _check_denials(allow: Template, deny: Denial, options: Options, key: str) -> None:
    """No denial reads like what was allowed."""
    allowed = (allow.http or 200, _shown(allow.body, "allow", "OK"))
    usual = deny.http or options.deny_http
    if allowed == (usual, _shown(deny.body, "deny", "NOT_ELIGIBLE")):
        raise ValueError(f"{key}: expected allow and deny to differ, they are the same")
    for code, each in deny.by_code.items():
        if allowed == (each.http or usual, _shown(each.body or deny.body, "deny", code)):
            where = f"{key}.deny.by_code.{code}"
            raise ValueError(f"{where}: expected it to differ from allow, they are the same")


def _shown(body: Tree | None, decision: str, code: str) -> templates.Json:
    """What a reply of that decision looks like, all else being equal."""
    said = dict.fromkeys(TOLD, "") | {"decision": decision, "reason_code": code}
    return templates.compiled(body, 0)(said)


def _only(only: Only | None, path: str, key: str) -> mapping.Reading | None:
    if only is None:
        return None
    return mapping.Reading(
        name="only", sources=(mapping.source(only.source, path, key),), type="text"
    )


def _readings(
    call: str, endpoint: Endpoint, path: str, options: Options
) -> Mapping[str, mapping.Reading]:
    """How each field of a call is read; every one that is needed has a source."""
    key, fields = f"endpoints.{call}.request", REQUESTS[call]
    given = endpoint.request
    if given is None:
        given = {name: Mapped(source=field.source) for name, field in fields.items()}
    for name in given:
        if name not in fields:
            raise ValueError(f"{key}.{name}: expected one of {', '.join(fields)}")
    needed = {name for name, field in fields.items() if field.required}
    if options.missing_id == "window" and call == "authorize":
        needed.discard("request_id")
    for name in sorted(needed - set(given)):
        raise ValueError(f"{key}.{name}: expected a source, as {call} needs {name}")
    if call == "cancel" and not given.keys() & {"authorize_request_id", "authorization_id"}:
        raise ValueError(f"{key}: expected authorize_request_id or authorization_id")
    readings = {
        name: _reading(name, each, fields[name], path, f"{key}.{name}", name in needed)
        for name, each in given.items()
    }
    bodiless, form = endpoint.method == "GET", endpoint.body == "form"
    for name, reading in readings.items():
        checks.check_reading(reading, f"{key}.{name}", bodiless=bodiless, form=form)
    return readings


def _reading(
    name: str, given: Mapped, field: Field, path: str, key: str, needed: bool
) -> mapping.Reading:
    texts = given.source if isinstance(given.source, tuple) else (given.source,)
    if not texts:
        raise ValueError(f"{key}.from: expected at least one source")
    kind = given.type or field.type
    if field.type == "decimal" and kind not in ("decimal", "integer"):
        raise ValueError(f"{key}.type: expected decimal, got {kind}")
    if field.type == "iso_time" and kind not in ("iso_time", "epoch_s", "epoch_ms"):
        raise ValueError(f"{key}.type: expected iso_time, epoch_s or epoch_ms, got {kind}")
    if field.type == "text" and kind not in ("text", "integer"):
        raise ValueError(f"{key}.type: expected text, got {kind}")
    sources = tuple(mapping.source(text, path, f"{key}.from") for text in texts)
    return mapping.Reading(
        name=name,
        sources=sources,
        member=sources[0].steps[0] if len(sources[0].steps) == 1 else None,
        # Ids are texts whatever they look like; an amount in whole numbers is a decimal too.
        type=field.type if field.type != "iso_time" else kind,
        places=mapping.scale_places(given.scale, f"{key}.scale"),
        map=given.map,
        default=given.default,
        required=needed or given.required,
        longest=given.longest,
        numbers=field.numbers or field.type != "text" or given.type is not None,
    )


def _check_paths(plans: Mapping[str, Plan]) -> None:
    """No two calls may come in at one place, unless a field tells them apart."""
    for name, plan in plans.items():
        for other, their in plans.items():
            place, there = checks.shape(plan.path), checks.shape(their.path)
            if name >= other or (plan.method, place) != (their.method, there):
                continue
            if (
                plan.path != their.path
                or plan.only is None
                or their.only is None
                or set(plan.values) & set(their.values)
            ):
                raise ValueError(
                    f"endpoints.{other}.path: expected another one than that of {name}, or `only` "
                    "with different values in both"
                )


def session_ms(options: Options) -> int:
    """How long a new session lives; no call of the vendor looks at it."""
    return options.session_hours * HOUR_MS


def sandbox() -> Options:
    """Made-up keys and ids, for the demo and the tests; credits are dollars there."""
    return Options(
        casino_id="5a9db0c5-0000-4000-8000-000000000005",
        api_keys=(Secret("sandbox_loyaltygyre_api_key"),),
        auth=Auth(type="hmac", secrets=(Secret("sandbox_loyaltygyre_callback_secret"),)),
        currency="USD",
        rate_per_player=(0, 10),
    )
