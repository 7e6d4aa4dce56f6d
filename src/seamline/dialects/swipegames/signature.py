"""The vendor's signature of reverse calls: made, checked, and explained when it does not match.

"Verify signatures": the header is lower-case hexadecimal HMAC-SHA256 with the Integration API key,
over the raw body, or for GET over the canonical JSON of all query parameters. Method, path and time
are not signed, so a captured bet also verifies as a win: only the ledger's keys stand against that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from seamline.dialects.dialect import BadSignature, Malformed, Request, Secret, Trial
from seamline.dialects.signing import BadJson, Json, canonical, hmac_sha256, parsed, same
from seamline.dialects.swipegames import wire
from seamline.dialects.swipegames.options import Options
from seamline.wallet import Integration

HEADER = b"x-request-sign"

_HEX = re.compile(rb"[0-9a-f]{64}")
_BOM = b"\xef\xbb\xbf"


def verify(request: Request, integration: Integration[Options]) -> None:
    """Raise `BadSignature`, saying which check failed, unless an active key made the signature."""
    given = request.header(HEADER)
    if given is None or _HEX.fullmatch(given) is None:
        raise BadSignature(_header_problem(given))
    over = _signed(request)
    keys = integration.options.integration_api_keys
    for key in keys:
        if same(hmac_sha256(key.encoded(), over), given):
            return
    raise BadSignature(
        f"signature mismatch: none of the {len(keys)} integration key(s) made the one in "
        f"X-REQUEST-SIGN over {_what(request)}, {len(over)} bytes"
    )


def sign(request: Request, integration: Integration[Options]) -> Request:
    """The request with the signature that Swipe Games would send."""
    return signed(request, over=_signed(request), key=integration.options.integration_api_keys[0])


def signed(request: Request, *, over: bytes, key: Secret) -> Request:
    """The request with a signature over those bytes, instead of any that it had."""
    others = [(name, value) for name, value in request.headers if name != HEADER]
    signature = hmac_sha256(key.encoded(), over).encode()
    return replace(request, headers=(*others, (HEADER, signature)))


def trials(request: Request, integration: Integration[Options]) -> Sequence[Trial]:
    """Every likely way to have signed the request, the right one first; none comes twice."""
    options = integration.options
    keys = {f"integration_api_keys[{n}]": key for n, key in enumerate(options.integration_api_keys)}
    keys["api_key"] = options.api_key
    found: dict[tuple[str, bytes], Trial] = {}
    for over, text in _candidates(request):
        for name, key in keys.items():
            trial = Trial(
                key=name, over=over, signed=text, signature=hmac_sha256(key.encoded(), text)
            )
            found.setdefault((name, text), trial)
    return tuple(found.values())


def _signed(request: Request) -> bytes:
    """The bytes that the signature is made over."""
    if request.method != "GET":
        return request.body
    try:
        return canonical(wire.parameters(request.query))
    except Malformed as error:
        raise BadSignature(f"the query cannot be signed: {error.rejected.detail}") from error


def _what(request: Request) -> str:
    """Name what was signed, for people."""
    if request.method == "GET":
        return "the canonical JSON of all query parameters"
    return "the raw body"


def _header_problem(given: bytes | None) -> str:
    """Say what is wrong with a header that is no signature, without repeating it."""
    if given is None:
        return "the header X-REQUEST-SIGN is missing"
    if not given:
        return "the header X-REQUEST-SIGN is empty"
    wanted = "64 lower-case hexadecimal digits expected"
    if not given.isascii():
        return f"the header X-REQUEST-SIGN has characters outside ASCII; {wanted}"
    if given[:2] in (b"0x", b"0X"):
        return f"the header X-REQUEST-SIGN starts with 0x; {wanted}"
    if len(given) != 64:
        return f"the header X-REQUEST-SIGN has {len(given)} characters; {wanted}"
    if _HEX.fullmatch(given.lower()):
        return f"the header X-REQUEST-SIGN has upper-case digits; {wanted}"
    return f"the header X-REQUEST-SIGN has characters that are not hexadecimal; {wanted}"


def _candidates(request: Request) -> Iterator[tuple[str, bytes]]:
    """What may have been signed: words for people, and the bytes."""
    if request.method == "GET":
        yield from _query_candidates(request.query)
    else:
        yield from _body_candidates(request.body)


def _body_candidates(body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "the raw body (right)", body
    bare = body.removeprefix(_BOM).strip(b" \t\r\n")
    yield "the body without byte order mark and white space around it", bare
    yield "the body with a newline at the end", bare + b"\n"
    try:
        value = parsed(bare)
        yield "the canonical JSON of the body", canonical(value)
    except BadJson:
        return
    yield from _spellings("the body", value)


def _query_candidates(query: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        values = wire.parameters(query)
    except Malformed:
        yield "the raw query", query
        return
    yield "the canonical JSON of all query parameters (right)", canonical(values)
    yield from _spellings("the query", values)
    undecoded = dict(pair.partition("=")[::2] for pair in query.decode("ascii").split("&"))
    yield "the canonical JSON of the query, not URL-decoded", canonical(undecoded)
    numbers = {name: int(text) if _is_number(text) else text for name, text in values.items()}
    yield "the canonical JSON of the query with numbers as numbers", canonical(numbers)
    session = {name: text for name, text in values.items() if name == "sessionID"}
    yield "the canonical JSON of sessionID alone", canonical(session)
    yield "the raw query", query
    yield "an empty object", b"{}"
    yield "an empty body", b""


def _spellings(what: str, value: Json) -> Iterator[tuple[str, bytes]]:
    """JSON as common libraries write it, which is not canonical."""
    ascii_only = json.dumps(value, sort_keys=True, separators=(",", ":"))
    yield f"ASCII-escaped JSON of {what} (ensure_ascii left on)", ascii_only.encode()
    spaced = json.dumps(value, sort_keys=True, ensure_ascii=False)
    yield f"JSON of {what} with a space after each colon and comma", spaced.encode()
    escaped = canonical(value)
    for character in "<>&\u2028\u2029":
        escaped = escaped.replace(character.encode(), f"\\u{ord(character):04x}".encode())
    yield f"JSON of {what} with < > & escaped (Go's encoder)", escaped


def _is_number(text: str) -> bool:
    """Whether the text could have been taken for a JSON number that has an exact form."""
    return text.isascii() and text.isdigit() and len(text) < 16 and str(int(text)) == text
