"""What may be recorded of a body: everything but who gets a prize sent, and where."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

import msgspec

HIDDEN = "[hidden]"

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


def redact(body: bytes) -> bytes:
    """The body with personal values hidden; all of it where it cannot be read."""
    if not _MAY_HOLD.search(body) and b"\\" not in body and b"%" not in body:
        return body
    try:
        tree: object = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return _form(body)
    return msgspec.json.encode(_hidden(tree))


def _form(body: bytes) -> bytes:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return HIDDEN.encode()
    return urlencode([(name, _kept(name, text)) for name, text in pairs]).encode()


def _hidden(node: object) -> object:
    if isinstance(node, dict):
        return {name: _kept(name, each) for name, each in node.items()}
    return [_hidden(each) for each in node] if isinstance(node, list) else node


def _kept(name: str, value: object) -> object:
    """A value, hidden whole under a personal name; `recipient[street]` is one too."""
    parts = {_SEPARATORS.sub("", each) for each in re.split(r"[\[\]./]", name.lower())}
    return HIDDEN if parts & _PERSONAL else _hidden(value)
