"""The wire of the operator API: requests of the casino, answers and the three shapes of errors.

The vendor knows the casino by its two codes, by an API key, or by neither; nothing is signed but in
transfer mode.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast
from urllib.parse import quote

import msgspec

from seamline.dialects.dialect import Malformed, Reply, Request, VendorError
from seamline.dialects.nagagames import wire
from seamline.dialects.nagagames.options import Options
from seamline.dialects.signing import BadJson, Json, strictly
from seamline.wallet import Integration

ACCEPT = ((b"accept", b"application/json"),)
JSON = (*ACCEPT, (b"content-type", b"application/json"))

#: Fields that hold money: told as decimal text, whatever the vendor's number looks like.
AMOUNTS = frozenset(
    {"amount", "balance", "betSize", "earn", "endingBalance", "playerBalance", "totalAmount"}
)
_SHOWN = 200


class ApiError(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An error of the vendor's API.

    Three shapes have been seen: with `code` and a timestamp, with `status_code`, and with the
    message alone, which may be several.
    """

    message: str | tuple[str, ...]
    code: int | str | None = None
    status_code: int | None = None


ERROR = msgspec.json.Decoder(ApiError)


def codes(integration: Integration[Options]) -> dict[str, str]:
    """Who asks, by the two codes."""
    options = integration.options
    return {"brandCode": options.brand_code, "groupCode": options.group_code}


def api_key(integration: Integration[Options]) -> str:
    """The key of the API, or `Malformed` where the settings have none."""
    key = integration.options.api_key
    if key is None:
        raise Malformed("expected an api_key in the options: the vendor wants it", field="api_key")
    return key.reveal()


def get(path: str, values: Mapping[str, str]) -> Request:
    """A GET with these values in its query."""
    return Request("GET", path, query_of(values), headers=ACCEPT)


def query_of(values: Mapping[str, str]) -> bytes:
    """The values as a query."""
    return "&".join(f"{name}={escaped(value)}" for name, value in values.items()).encode()


def escaped(value: str) -> str:
    """The text as a part of a path or a query, percent-encoded."""
    return quote(value, safe="")


def answer(reply: Reply) -> Json:
    """The body of a 2xx as JSON, its money as decimal text; else `VendorError`."""
    ok(reply)
    return _money(_decoded(reply))


def ok(reply: Reply) -> None:
    """Raise `VendorError` with the vendor's words unless the status is 2xx."""
    if 200 <= reply.status < 300:
        return
    try:
        error = strictly(reply.body, ERROR)
    except BadJson:
        message = f"Naga Games answered {reply.status} without a message"
        # Nobody says that nothing was done, so that nobody gives money back for it.
        raise VendorError(message, status=reply.status, refused=False) from None
    message = error.message if isinstance(error.message, str) else "; ".join(error.message)
    code = error.code if error.code is not None else error.status_code
    raise VendorError(
        message[:_SHOWN], status=reply.status, code=None if code is None else str(code)
    )


def unusable(reply: Reply, what: str) -> VendorError:
    """The vendor answered something else than what was asked for."""
    return VendorError(f"Naga Games answered {reply.status} {what}", status=reply.status)


def _decoded(reply: Reply) -> Json:
    """The body, numbers with a fraction kept as they were written."""
    try:
        decoded = json.loads(reply.body.decode(), parse_float=str, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise unusable(reply, "with a body that nobody can read") from error
    return cast(Json, decoded)


def _constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _money(value: Json, name: str = "") -> Json:
    """The value with every amount of money as text."""
    if isinstance(value, dict):
        return {key: _money(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_money(each) for each in value]
    if name in AMOUNTS and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def text(value: str | None, field: str, longest: int = wire.MAX_ID) -> str:
    """A text of the ask that must be there."""
    if value is None or not value.strip() or len(value) > longest:
        raise Malformed(f"expected a text of 1 to {longest} characters", field=field)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Malformed("expected text that UTF-8 can carry", field=field) from error
    return value
