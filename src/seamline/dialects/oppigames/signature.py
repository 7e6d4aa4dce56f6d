"""The vendor's signature, of both directions: made, checked, and explained when it is wrong.

Root page, "Signature": `x-signature` is lower-case hexadecimal HMAC-SHA256 with the Secret Key over
the body's JSON text, `|`, and the text of `x-timestamp` (Unix milliseconds). Method, path and query
are not signed: a bet's body also verifies as another call's, and only its fields tell them apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from seamline.dialects.dialect import Request, Secret, Trial
from seamline.dialects.oppigames.options import Options
from seamline.dialects.oppigames.reasons import Declined, Reason
from seamline.dialects.signing import BadJson, as_javascript, hmac_sha256, parsed, same
from seamline.wallet import Integration, Rejection

HEADER = b"x-signature"
KEY_HEADER = b"x-api-key"
TIME_HEADER = b"x-timestamp"
TYPE_HEADER = b"content-type"
JSON = b"application/json"

_OWN = frozenset({HEADER, KEY_HEADER, TIME_HEADER, TYPE_HEADER})
_HEX = re.compile(rb"[0-9a-f]{64}|[0-9A-F]{64}")
_TIME = re.compile(rb"[0-9]{1,16}")
_BOM = b"\xef\xbb\xbf"
#: Writing a larger body again would keep everybody else waiting.
_MOST_REWRITTEN = 128 * 1024
_EMPTY = {"quoted": b'""', "bare": b""}


def verify(request: Request, integration: Integration[Options]) -> None:
    """Raise `Declined`, saying which check failed, unless one of the secrets made the signature.

    In this order: the four headers, content type, Auth Key, signature, age.
    """
    options = integration.options
    headers = dict(reversed(request.headers))  # Of two the first counts.
    for name in (KEY_HEADER, HEADER, TIME_HEADER, TYPE_HEADER):
        if not headers.get(name):
            raise _declined(Reason.MISSING_HEADER, f"the header {name.decode()} is missing")
    kind = headers[TYPE_HEADER]
    if kind != JSON and kind.partition(b";")[0].strip().lower() != JSON:
        raise _declined(Reason.BAD_CONTENT_TYPE, "expected content-type application/json")
    given, time = headers[HEADER], headers[TIME_HEADER]
    if _HEX.fullmatch(given) is None:
        raise _declined(Reason.INVALID_SIGNATURE, _header_problem(given))
    # With an unknown key the bytes are checked too, so that the clock does not tell keys apart. To
    # have a body written again takes a known one: it is work that no stranger may ask for.
    body = request.body or _EMPTY[options.empty_body_mode]
    signed = _is_signed(body, given.lower(), time, options)
    if not same(options.api_key, headers[KEY_HEADER]):
        raise _declined(Reason.INVALID_API_KEY, "x-api-key is not this integration's Auth Key")
    if not signed and not _is_signed_rewritten(body, given.lower(), time, options):
        raise _declined(
            Reason.INVALID_SIGNATURE,
            f"signature mismatch: none of the {len(options.secrets)} secret(s) made the one in "
            f"x-signature over the body, {len(request.body)} bytes, '|' and x-timestamp",
        )
    _fresh(time, request.at_ms, options.freshness_ms)


def _is_signed(body: bytes, given: bytes, time: bytes, options: Options) -> bool:
    """Whether one of the secrets made the signature over that text and time."""
    over = b"%b|%b" % (body, time)
    return any(same(hmac_sha256(each.encoded(), over), given) for each in options.secrets)


def _is_signed_rewritten(body: bytes, given: bytes, time: bytes, options: Options) -> bool:
    """The same over the body as JavaScript writes it, where that may be tried."""
    if not options.lenient_canonical or len(body) > _MOST_REWRITTEN:
        return False
    try:
        rewritten = as_javascript(body)
    except BadJson:
        return False
    return _is_signed(rewritten, given, time, options)


def _fresh(time: bytes, now_ms: int, window_ms: int) -> None:
    """Raise `Declined` unless the signed time is Unix milliseconds within the window."""
    why, reason = Rejection.STALE, Reason.STALE_TIMESTAMP
    if _TIME.fullmatch(time) is None:
        raise Declined(why, reason, "expected Unix milliseconds", field=TIME_HEADER.decode())
    off_ms = now_ms - int(time)
    if window_ms and abs(off_ms) > window_ms:
        side = "behind" if off_ms > 0 else "ahead of"
        detail = f"{abs(off_ms)} ms {side} our clock, {window_ms} ms are accepted"
        raise Declined(why, reason, detail, field=TIME_HEADER.decode())


def _declined(reason: Reason, detail: str) -> Declined:
    return Declined(Rejection.SIGNATURE, reason, detail)


def sign(request: Request, integration: Integration[Options]) -> Request:
    """The request with the four headers that OppiGames would send; a time that is there stays."""
    options = integration.options
    time = request.header(TIME_HEADER) or str(request.at_ms).encode()
    return signed(request, key=options.api_key, secret=options.secrets[0], time=time,
                  empty=_EMPTY[options.empty_body_mode])  # fmt: skip


def signed_by_us(request: Request, integration: Integration[Options]) -> Request:
    """The request with the four headers of a call of ours."""
    options = integration.options
    return signed(
        request,
        key=options.vendor_api_key or options.api_key,
        secret=options.vendor_secret or options.secrets[0],
        time=str(request.at_ms).encode(),
        empty=_EMPTY[options.empty_body_mode],
    )


def signed(
    request: Request, *, key: str, secret: Secret, time: bytes, empty: bytes = b'""'
) -> Request:
    """The request with that key, time, and a signature over its body or over *empty*."""
    over = b"%b|%b" % (request.body or empty, time)
    others = [pair for pair in request.headers if pair[0] not in _OWN]
    own = (
        (TYPE_HEADER, JSON),
        (KEY_HEADER, key.encode()),
        (TIME_HEADER, time),
        (HEADER, hmac_sha256(secret.encoded(), over).encode()),
    )
    return replace(request, headers=(*own, *others))


def trials(request: Request, integration: Integration[Options]) -> Sequence[Trial]:
    """Every likely way to have signed the request, the right one first; none comes twice."""
    options = integration.options
    keys = {f"secrets[{n}]": secret for n, secret in enumerate(options.secrets)}
    if options.vendor_secret is not None:
        keys["vendor_secret"] = options.vendor_secret
    time = request.header(TIME_HEADER) or str(request.at_ms).encode()
    found: dict[tuple[str, bytes], Trial] = {}
    for over, text in _candidates(request.body, time, _EMPTY[options.empty_body_mode]):
        for name, key in keys.items():
            trial = Trial(
                key=name, over=over, signed=text, signature=hmac_sha256(key.encoded(), text)
            )
            found.setdefault((name, text), trial)
    return tuple(found.values())


def _candidates(body: bytes, time: bytes, empty: bytes) -> Iterator[tuple[str, bytes]]:
    """What may have been signed: words for people, and the bytes."""
    yield "the raw body, '|' and x-timestamp (right)", b"%b|%b" % (body or empty, time)
    for what, text in _spellings(body):
        yield f"{what}, '|' and x-timestamp", b"%b|%b" % (text, time)
    yield "the raw body alone", body
    yield "the raw body and x-timestamp without '|'", body + time
    yield "x-timestamp, '|' and the raw body", b"%b|%b" % (time, body)
    yield "the raw body, '|' and x-timestamp in seconds", b"%b|%b" % (body, time[:-3])


def _spellings(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Other texts of the same body."""
    if not body:
        yield "two quote characters", b'""'
        yield "nothing", b""
        return
    yield "the body without white space around it", body.removeprefix(_BOM).strip(b" \t\r\n")
    try:
        yield "the body as JSON.stringify writes it", as_javascript(body)
        value = parsed(body.removeprefix(_BOM))
    except BadJson:
        return
    yield "the body as Python's json.dumps writes it", json.dumps(value).encode()
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    yield (
        "the compact body with sorted names",
        json.dumps(
            value,
            sort_keys=True,
            **compact,  # type: ignore[arg-type]
        ).encode(),
    )


def _header_problem(given: bytes) -> str:
    """Say what is wrong with a header that is no signature, without repeating it."""
    wanted = "64 hexadecimal digits of one case expected"
    if not given.isascii():
        return f"the header x-signature has characters outside ASCII; {wanted}"
    if len(given) != 64:
        return f"the header x-signature has {len(given)} characters; {wanted}"
    return f"the header x-signature has other characters or both cases; {wanted}"
