"""How a callback shows that it is LoyaltyGyre's: our own contract, as the vendor documents none.

`hmac` signs: lower-case hexadecimal HMAC-SHA256 over the raw body, a `|` and the time in Unix
milliseconds, which must lie within five minutes. The other types carry a key that stands for
itself: they do not cover the body, so they need TLS and an allow-list of addresses.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256

from msgspec.structs import replace

from seamline.dialects.dialect import BadSignature, Request, Secret, Trial
from seamline.dialects.loyaltygyre.options import Options
from seamline.dialects.signing import BadJson, canonical, hmac_sha256, parsed, same
from seamline.wallet import Integration

HEADER = b"x-lg-signature"
TIMESTAMP = b"x-lg-timestamp"
WINDOW_MS = 300_000

_AUTHORIZATION = b"authorization"
_HEX = re.compile(rb"[0-9a-f]{64}")
_MS = re.compile(rb"[1-9][0-9]{0,15}")


def verify(request: Request, integration: Integration[Options]) -> None:
    """Raise `BadSignature`, saying which check failed, unless the callback is the vendor's."""
    _VERIFY[integration.options.auth.type](request, integration.options)


def sign(request: Request, integration: Integration[Options]) -> Request:
    """The request with what LoyaltyGyre would send to be believed; a time that is there stays."""
    options = integration.options
    auth = options.auth
    ours = {HEADER, TIMESTAMP, _AUTHORIZATION, (auth.header or "").lower().encode()}
    headers = [pair for pair in request.headers if pair[0] not in ours]
    if auth.type == "hmac":
        moment = request.header(TIMESTAMP) or b"%d" % request.at_ms
        made = hmac_sha256(auth.secrets[0].encoded(), _signed(request.body, moment))
        headers += [(TIMESTAMP, moment), (HEADER, made.encode())]
    if auth.tokens:
        token = auth.tokens[0].encoded()
        if auth.type == "header_key":
            headers.append(((auth.header or "").lower().encode(), token))
        elif auth.type == "basic":
            headers.append((_AUTHORIZATION, b"Basic " + base64.b64encode(token)))
        elif auth.type in ("bearer", "hmac"):
            headers.append((_AUTHORIZATION, b"Bearer " + token))
    return replace(request, headers=tuple(headers))


def trials(request: Request, integration: Integration[Options]) -> Sequence[Trial]:
    """Every likely way to have signed the request, the right one first; none without `hmac`."""
    options = integration.options
    keys = {f"auth.secrets[{n}]": key for n, key in enumerate(options.auth.secrets)}
    if keys:
        keys |= {f"auth.tokens[{n}]": key for n, key in enumerate(options.auth.tokens)}
        keys |= {f"api_keys[{n}]": key for n, key in enumerate(options.api_keys)}
    found: dict[tuple[str, bytes], Trial] = {}
    for over, text in _candidates(request):
        for name, key in keys.items():
            made = hmac_sha256(key.encoded(), text)
            trial = Trial(key=name, over=over, signed=text, signature=made)
            found.setdefault((name, text), trial)
    return tuple(found.values())


def _signed(body: bytes, moment: bytes) -> bytes:
    """The bytes that the signature is made over."""
    return body + b"|" + moment


def _candidates(request: Request) -> Iterator[tuple[str, bytes]]:
    """What may have been signed: words for people, and the bytes."""
    moment = request.header(TIMESTAMP) or b"%d" % request.at_ms
    yield "the raw body, | and the time (right)", _signed(request.body, moment)
    yield "the raw body and the time without |", request.body + moment
    yield "the raw body alone", request.body
    yield "the time, | and the raw body", moment + b"|" + request.body
    yield "the body without white space around it", _signed(request.body.strip(), moment)
    seconds = moment[:-3] or b"0"
    yield "the raw body, | and the time in seconds", _signed(request.body, seconds)
    try:
        again = canonical(parsed(request.body))
    except BadJson:
        return
    yield "the canonical JSON of the body, | and the time", _signed(again, moment)


def _hmac(request: Request, options: Options) -> None:
    """Signature and time; a token as well where there are any."""
    moment, given = request.header(TIMESTAMP), request.header(HEADER)
    if moment is None or _MS.fullmatch(moment) is None:
        raise BadSignature("the header X-LG-Timestamp is missing, or no Unix milliseconds")
    if given is None or _HEX.fullmatch(given) is None:
        problem = "is missing" if given is None else "is not 64 lower-case hexadecimal digits"
        raise BadSignature(f"the header X-LG-Signature {problem}")
    over = _signed(request.body, moment)
    if not any(same(hmac_sha256(key.encoded(), over), given) for key in options.auth.secrets):
        keys = len(options.auth.secrets)
        raise BadSignature(
            f"signature mismatch: none of the {keys} secret(s) made the one in X-LG-Signature over "
            f"the raw body, | and the time, {len(over)} bytes"
        )
    if abs(request.at_ms - int(moment)) > WINDOW_MS:
        away_s = abs(request.at_ms - int(moment)) // 1000
        allowed_s = WINDOW_MS // 1000
        raise BadSignature(
            f"the time in X-LG-Timestamp is {away_s} s away, at most {allowed_s} are allowed"
        )
    if options.auth.tokens:
        _bearer(request, options)


def _bearer(request: Request, options: Options) -> None:
    _one_of(_credentials(request, b"bearer"), options.auth.tokens, "the bearer token")


def _basic(request: Request, options: Options) -> None:
    try:
        given = base64.b64decode(_credentials(request, b"basic"), validate=True)
    except binascii.Error as error:
        raise BadSignature("the credentials of basic authentication are not base64") from error
    _one_of(given, options.auth.tokens, "user and password")


def _header_key(request: Request, options: Options) -> None:
    name = (options.auth.header or "").lower()
    given = request.header(name.encode())
    if given is None:
        raise BadSignature(f"the header {name} is missing")
    _one_of(given, options.auth.tokens, f"the key in {name}")


def _none(request: Request, options: Options) -> None:
    """Nothing to check here: the integration's `allow_from` is all there is."""


def _credentials(request: Request, scheme: bytes) -> bytes:
    """What follows the scheme in the Authorization header, which must be there once."""
    given = [value for name, value in request.headers if name == _AUTHORIZATION]
    if len(given) != 1:
        raise BadSignature(f"expected one Authorization header, got {len(given)}")
    found, _, rest = given[0].partition(b" ")
    if found.lower() != scheme:
        raise BadSignature(f"expected the Authorization scheme {scheme.decode()}")
    return rest.strip()


def _one_of(given: bytes, keys: Sequence[Secret], what: str) -> None:
    """Refuse what is none of the keys, in a time that tells nothing of them."""
    digest = sha256(given).digest()
    found = [hmac.compare_digest(digest, sha256(key.encoded()).digest()) for key in keys]
    if not any(found):
        raise BadSignature(f"{what} is none of the {len(keys)} in auth.tokens")


_VERIFY: Mapping[str, Callable[[Request, Options], None]] = {
    "hmac": _hmac,
    "bearer": _bearer,
    "basic": _basic,
    "header_key": _header_key,
    "none": _none,
}
