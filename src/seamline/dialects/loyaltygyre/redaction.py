"""What may be recorded of an exchange: everything but who gets a prize sent, and where.

Nobody documents how LoyaltyGyre tells an address, so of a shipment only what the settings' mapping
reads is shown, and of that nothing is an address. Elsewhere, where none is expected, values are
hidden by their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode

import msgspec
from msgspec.structs import replace

from seamline.dialects.dialect import Reply, Request
from seamline.dialects.loyaltygyre.mapping import Source
from seamline.dialects.loyaltygyre.options import Options
from seamline.wallet import Integration

HIDDEN = "[hidden]"
_HIDDEN = HIDDEN.encode()
#: The kinds of sources that are known by a name alone.
_NAMED = ("path", "query", "header")
#: Headers of a shipment that are about the exchange and not about a person.
_PLAIN = frozenset(
    {
        b"host",
        b"user-agent",
        b"content-type",
        b"content-length",
        b"transfer-encoding",
        b"accept",
        b"accept-encoding",
        b"connection",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-request-id",
        b"idempotency-key",
        b"x-lg-timestamp",
    }
)

#: Names of members that say who somebody is or where they live, without case and separators.
_PERSONAL = frozenset(
    {
        "recipient",
        "recipientname",
        "name",
        "firstname",
        "lastname",
        "fullname",
        "surname",
        "address",
        "addressline",
        "addressline1",
        "addressline2",
        "address1",
        "address2",
        "addr",
        "line1",
        "line2",
        "line3",
        "street",
        "street1",
        "street2",
        "streetaddress",
        "city",
        "town",
        "state",
        "province",
        "region",
        "county",
        "zip",
        "zipcode",
        "postcode",
        "postalcode",
        "country",
        "phone",
        "phonenumber",
        "tel",
        "telephone",
        "mobile",
        "email",
        "emailaddress",
        "notes",
        "additionalnotes",
        "shipping",
        "shippingaddress",
        "shippinginfo",
        "deliveryaddress",
    }
)
_MAY_HOLD = re.compile(
    rb"recipient|name|address|street|city|town|province|region|county|zip|post.?code|postal"
    rb"|country|phone|mobile|e.?mail|notes|shipping|state|addr|line.?[123]|tel",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[^a-z0-9]")


def redact(
    request: Request, reply: Reply, call: str | None, integration: Integration[Options]
) -> tuple[Request, Reply]:
    """The exchange with personal values hidden; of a body that nobody can read, all of it."""
    if call == "shipment" or call is None:
        request = _as_mapped(request, call, integration.options)
    else:
        query = by_name(request.query)
        request = replace(request, query=query, body=by_name(request.body))
    return request, replace(reply, body=by_name(reply.body))


def _as_mapped(request: Request, call: str | None, options: Options) -> Request:
    """The request with nothing in it but what is read of a shipment, or of any call at all."""
    plans = [plan for name, plan in options.plans.items() if call in (None, name)]
    read = [
        place for plan in plans for each in plan.readings.values() for place in each.sources
    ] + [place for plan in plans if plan.only is not None for place in plan.only.sources]
    shown = {kind: {place.name for place in read if place.kind == kind} for kind in _NAMED}
    return replace(
        request,
        path=_path(request.path, plans[0].path if call is not None else "", shown["path"]),
        query=_pairs(request.query, shown["query"]),
        headers=[
            (
                name,
                value if name in _PLAIN or name.decode("latin-1") in shown["header"] else _HIDDEN,
            )
            for name, value in request.headers
        ],
        body=_body(request.body, read),
    )


def _body(body: bytes, read: Iterable[Source]) -> bytes:
    ways = {place.steps for place in read if place.kind == "body"}
    try:
        return msgspec.json.encode(_led_to(msgspec.json.decode(body), ways))
    except (ValueError, RecursionError):
        return _pairs(body, {steps[0] for steps in ways if len(steps) == 1})


def _led_to(node: object, ways: set[tuple[str, ...]]) -> object:
    """What of a body the ways lead to; anything else of it is hidden whole."""
    if () in ways and not isinstance(node, dict | list):
        return node
    if not isinstance(node, dict):
        return HIDDEN
    return {
        name: _led_to(each, {way[1:] for way in ways if way[:1] == (name,)})
        for name, each in node.items()
    }


def _pairs(text: bytes, shown: set[str]) -> bytes:
    """A query, or a form, with the values of those names alone."""
    if not text:
        return text
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return _HIDDEN
    return urlencode([(name, each if name in shown else HIDDEN) for name, each in pairs]).encode()


def _path(path: str, template: str, shown: set[str]) -> str:
    """A path in which parameters that are not read are hidden."""
    parts = template.split("/")
    if len(parts) != path.count("/") + 1:
        return path
    return "/".join(
        HIDDEN if part.startswith("{") and part[1:-1] not in shown else segment
        for part, segment in zip(parts, path.split("/"), strict=True)
    )


def by_name(body: bytes) -> bytes:
    """The body with values under personal names hidden; all of it where it cannot be read."""
    if not _MAY_HOLD.search(body) and b"\\" not in body and b"%" not in body:
        return body
    try:
        return msgspec.json.encode(_hidden(msgspec.json.decode(body)))
    except (ValueError, RecursionError):
        return _form(body)


def _form(body: bytes) -> bytes:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return _HIDDEN
    return urlencode([(name, _kept(name, text)) for name, text in pairs]).encode()


def _hidden(node: object) -> object:
    if isinstance(node, dict):
        return {name: _kept(name, each) for name, each in node.items()}
    return [_hidden(each) for each in node] if isinstance(node, list) else node


def _kept(name: str, value: object) -> object:
    """A value, hidden whole under a personal name; `recipient[street]` is one too."""
    parts = {_SEPARATORS.sub("", each) for each in re.split(r"[\[\]./]", name.lower())}
    return HIDDEN if parts & _PERSONAL else _hidden(value)
