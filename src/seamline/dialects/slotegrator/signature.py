"""The signature of calls in both directions: made, checked, and explained when it does not match.

Document, "X-Sign": the header is hexadecimal HMAC-SHA256 over the body, with the token as key.
Method, path and time are not signed, and answers carry no signature; only the ledger's keys stand
against a captured request that is sent again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from seamline.dialects.dialect import BadSignature, Request, Trial
from seamline.dialects.signing import BadJson, Json, canonical, hmac_sha256, parsed, same
from seamline.dialects.slotegrator.options import Options
from seamline.wallet import Integration

HEADER = b"x-sign"

_HEX = re.compile(rb"[0-9a-fA-F]{64}")
_BOM = b"\xef\xbb\xbf"
_WANTED = "64 hexadecimal digits expected"


def verify(request: Request, integration: Integration[Options]) -> None:
    """Raise `BadSignature`, saying which check failed, unless a token made the signature.

    The document writes hexadecimal digits in small letters; capitals are taken too.
    """
    given = request.header(HEADER)
    if given is None or _HEX.fullmatch(given) is None:
        raise BadSignature(_header_problem(given))
    given, tokens = given.lower(), integration.options.tokens
    for token in tokens:
        if same(hmac_sha256(token.encoded(), request.body), given):
            return
    raise BadSignature(
        f"signature mismatch: none of the {len(tokens)} token(s) made the one in X-Sign "
        f"over the raw body, {len(request.body)} bytes"
    )


def sign(request: Request, integration: Integration[Options]) -> Request:
    """The request with the signature of the first token, instead of any that it had."""
    others = [(name, value) for name, value in request.headers if name != HEADER]
    signature = hmac_sha256(integration.options.tokens[0].encoded(), request.body).encode()
    return replace(request, headers=(*others, (HEADER, signature)))


def trials(request: Request, integration: Integration[Options]) -> Sequence[Trial]:
    """Every likely way to have signed the request, the right one first; none comes twice."""
    tokens = integration.options.tokens
    found: dict[tuple[str, bytes], Trial] = {}
    for over, text in _candidates(request.body):
        for number, token in enumerate(tokens):
            name = f"tokens[{number}]"
            signature = hmac_sha256(token.encoded(), text)
            trial = Trial(key=name, over=over, signed=text, signature=signature)
            found.setdefault((name, text), trial)
    return tuple(found.values())


def _header_problem(given: bytes | None) -> str:
    """Say what is wrong with a header that is no signature, without repeating it."""
    if given is None:
        return "the header X-Sign is missing"
    if not given:
        return "the header X-Sign is empty"
    if not given.isascii():
        return f"the header X-Sign has characters outside ASCII; {_WANTED}"
    if len(given) != 64:
        return f"the header X-Sign has {len(given)} characters; {_WANTED}"
    return f"the header X-Sign has characters that are not hexadecimal; {_WANTED}"


def _candidates(body: bytes) -> Iterator[tuple[str, bytes]]:
    """What may have been signed: words for people, and the bytes."""
    yield "the raw body (right)", body
    bare = body.removeprefix(_BOM).strip(b" \t\r\n")
    yield "the body without byte order mark and white space around it", bare
    yield "the body with a newline at the end", bare + b"\n"
    try:
        value = parsed(bare)
    except BadJson:
        return
    yield from _spellings(value)


def _spellings(value: Json) -> Iterator[tuple[str, bytes]]:
    """The body as common libraries would write it after reading it."""
    escaped = json.dumps(value, separators=(",", ":"))
    yield "the body written again by PHP's json_encode", escaped.replace("/", "\\/").encode()
    yield "the body written again, slashes not escaped", escaped.encode()
    raw = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    yield "the body written again as UTF-8, slashes not escaped", raw.encode()
    yield "the body written again as UTF-8, slashes escaped", raw.replace("/", "\\/").encode()
    yield "the body with a space after each colon and comma", json.dumps(value).encode()
    try:
        yield "the canonical JSON of the body", canonical(value)
    except BadJson:
        return
