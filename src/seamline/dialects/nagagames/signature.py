"""The vendor's signature: made, checked, and explained when it does not match.

Two checks, both needed ("How to sign and verify", proved on the published samples). `dataHash` is
the SHA-256 of `data` as JavaScript's `JSON.stringify` wrote it; anybody can make one. `x-signature`
is RSA over the 64 characters of the hash, and says nothing of `data` by itself. In transfer mode
the header is an HMAC over `data`, or over the whole body where there is no envelope. Neither path
nor time are signed, so only the ledger's keys stand against a captured request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from seamline.dialects import rsa
from seamline.dialects.dialect import BadSignature, Malformed, Refused, Request, Trial
from seamline.dialects.nagagames import wire
from seamline.dialects.nagagames.options import Options
from seamline.dialects.signing import BadJson, as_javascript, hmac_sha256, same
from seamline.wallet import Integration, Rejection

HEADER = b"x-signature"
#: What a refusal names: the hash is not the one of `data`, or the header cannot be used at all.
HASH = "dataHash"
UNUSABLE = "x-signature"

_SPACE = b" \t\r\n"
#: A string, which may hold spaces, or space outside of one.
_STRING_OR_SPACE = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\r\n]+', re.DOTALL)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])

#: The documented order of the fields of each call, by its path.
ORDERS = {
    "/authorize": wire.Authorize.__struct_encode_fields__,
    "/place-bet": wire.Play.__struct_encode_fields__,
    "/payout": wire.Play.__struct_encode_fields__,
    "/cancel-bet": wire.Cancel.__struct_encode_fields__,
    "/bet-status": wire.Status.__struct_encode_fields__,
    "/balance": wire.Balance.__struct_encode_fields__,
    "/player-token": wire.PlayerToken.__struct_encode_fields__,
}


class BadHash(BadSignature):
    """The hash in the envelope is not the one of `data`."""

    def __init__(self, detail: str) -> None:
        Refused.__init__(self, Rejection.SIGNATURE, detail, field=HASH)


class NoSignature(BadSignature):
    """The header that carries the signature is missing, or cannot be one."""

    def __init__(self, detail: str) -> None:
        Refused.__init__(self, Rejection.SIGNATURE, detail, field=UNUSABLE)


def verify(request: Request, integration: Integration[Options]) -> None:
    """Raise `BadSignature`, saying which check failed; `Malformed` where there is no envelope."""
    given = request.header(HEADER)
    if not given:
        raise NoSignature("the header x-signature is missing")
    if integration.options.mode == "transfer":
        _verify_hmac(request, integration, given)
    else:
        _verify_rsa(request, integration, given)


def _verify_rsa(request: Request, integration: Integration[Options], given: bytes) -> None:
    """The hash of `data`, then the signature of the hash."""
    envelope = enveloped(request.body)
    if not _hashes(envelope, request.path):
        text = compact(bytes(envelope.data))
        raise BadHash(
            "dataHash is not the SHA-256 of data as JSON.stringify writes it: expected "
            f"{sha256(text).hexdigest()} over {len(text)} bytes"
        )
    signature = rsa.from_base64(given)
    if signature is None:
        raise BadSignature("the header x-signature is not base64")
    keys = integration.options.public_keys
    # The hash as it was received is what was signed, but for a proxy that wrote it in capitals.
    received = envelope.data_hash.encode()
    for over in dict.fromkeys((received, received.lower())):
        if any(rsa.verifies(key.reveal(), signature, over) for key in keys):
            return
    raise BadSignature(
        f"none of the {len(keys)} public key(s) verifies x-signature over the dataHash"
    )


def _hashes(envelope: wire.Envelope, path: str) -> bool:
    """Whether the hash in the envelope is the one of its data, in one of the accepted spellings."""
    given = envelope.data_hash.lower().encode()
    return any(
        same(sha256(text).hexdigest(), given) for text in spellings(bytes(envelope.data), path)
    )


def _verify_hmac(request: Request, integration: Integration[Options], given: bytes) -> None:
    """Transfer mode: the HMAC of `data`."""
    key = integration.options.secret_key
    for text in spellings(signed_part(request.body), request.path):
        if key is not None and same(hmac_sha256(key.encoded(), text), given):
            return
    raise BadSignature("the secret key did not make the one in x-signature over data")


def enveloped(body: bytes) -> wire.Envelope:
    """The envelope of a seamless call, or `Malformed`. Its data is not looked into."""
    try:
        return wire.ENVELOPE.decode(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("expected an object with data and dataHash") from error


def signed_part(body: bytes) -> bytes:
    """Transfer mode: `data`, or the whole body where its fields are not below `data`."""
    try:
        members = _MEMBERS.decode(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("expected a JSON object") from error
    return bytes(members["data"]) if "data" in members else body


def spellings(raw: bytes, path: str) -> Iterator[bytes]:
    """What may have been hashed: the text without space, as JavaScript writes it, in order."""
    plain = compact(raw)
    yield plain
    try:
        yield as_javascript(plain)
        yield as_javascript(_ordered(plain, path))
    except BadJson:
        return  # What is no JSON is for the reader to refuse.


def compact(raw: bytes) -> bytes:
    """JSON without the space between its tokens; every token stays as it is."""
    if len(raw.translate(None, _SPACE)) == len(raw):
        return raw
    return _STRING_OR_SPACE.sub(lambda found: found[1] or b"", raw)


def _ordered(raw: bytes, path: str) -> bytes:
    """The object with the fields of that call in the documented order, others behind them."""
    try:
        members = _MEMBERS.decode(raw)
    except (ValueError, RecursionError) as error:
        raise BadJson("expected an object") from error
    names = [name for name in ORDERS.get(path, ()) if name in members]
    names += [name for name in members if name not in names]
    return wire.encode({name: members[name] for name in names})


def sign(request: Request, integration: Integration[Options]) -> Request:
    """The request as Naga Games would send it: hash in the envelope, signature in the header.

    A hash that is missing or wrong is put right. Where there is no `data` the whole body is signed
    as it is, and refused by whoever reads it.
    """
    options = integration.options
    if options.mode == "transfer":
        key = options.secret_key.encoded() if options.secret_key is not None else b""
        return with_signature(request, hmac_sha256(key, _hmac_texts(request)[0][1]).encode())
    request = hashed(request)
    over = _signed_texts(request)[0][1]
    return with_signature(request, rsa.to_base64(rsa.signature_of(private_key(integration), over)))


def hashed(request: Request) -> Request:
    """The request with the right hash in its envelope, if it has one; its data stays as it is."""
    try:
        data = _MEMBERS.decode(request.body)["data"]
    except (ValueError, KeyError, RecursionError):
        return request  # There is nothing to hash.
    digest = sha256(compact(bytes(data))).hexdigest()
    try:
        right = _hashes(enveloped(request.body), request.path)
    except Malformed:
        right = False
    if right:
        return request
    return replace(request, body=wire.encode(wire.Envelope(data=data, data_hash=digest)))


def private_key(integration: Integration[Options]) -> str:
    """The vendor's own key, which sandboxes have; `Malformed` without one."""
    key = integration.options.private_key
    if key is None:
        raise Malformed("expected a private key: only the vendor can sign", field="private_key")
    return key.reveal()


def with_signature(request: Request, signature: bytes) -> Request:
    """The request with that signature, instead of any that it had."""
    others = [(name, value) for name, value in request.headers if name != HEADER]
    return replace(request, headers=(*others, (HEADER, signature)))


def trials(request: Request, integration: Integration[Options]) -> Sequence[Trial]:
    """Every likely way to have signed the request, the right one first; none comes twice.

    Without the private key nobody can tell the signature that was expected, but every public key
    can tell whether the given one was made over some bytes.
    """
    given = (request.header(HEADER) or b"").decode("latin-1")
    if integration.options.mode == "transfer":
        return tuple(_hmac_trials(request, integration))
    makers = _makers(integration, given)
    return tuple(
        Trial(key=name, over=over, signed=text, signature=make(text))
        for over, text in _unlike(_signed_texts(request))
        for name, make in makers.items()
    )


def _makers(integration: Integration[Options], given: str) -> dict[str, Callable[[bytes], str]]:
    """How each key signs, or for a public key what it finds signed."""
    options = integration.options
    makers: dict[str, Callable[[bytes], str]] = {}
    if options.private_key is not None:
        private = options.private_key.reveal()
        makers["private_key"] = lambda text: rsa.to_base64(rsa.signature_of(private, text)).decode()
    signature = rsa.from_base64(given.encode())
    for number, key in enumerate(options.public_keys):
        makers[f"public_keys[{number}]"] = _finder(key.reveal(), signature, given)
    return makers


def _finder(pem: str, signature: bytes | None, given: str) -> Callable[[bytes], str]:
    """The given signature where that public key verifies it; one that nobody knows otherwise."""
    unknown = "?" * len(rsa.to_base64(bytes(rsa.length_of(pem))))

    def found(text: bytes) -> str:
        made = signature is not None and rsa.verifies(pem, signature, text)
        return given if made else unknown

    return found


def _hmac_trials(request: Request, integration: Integration[Options]) -> Iterator[Trial]:
    key = integration.options.secret_key
    secret = key.encoded() if key is not None else b""
    for over, text in _unlike(_hmac_texts(request)):
        yield Trial(key="secret_key", over=over, signed=text, signature=hmac_sha256(secret, text))


def _unlike(texts: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The same, each text once, under its first name."""
    seen: set[bytes] = set()
    for over, text in texts:
        if text not in seen:
            seen.add(text)
            yield over, text


def _signed_texts(request: Request) -> Sequence[tuple[str, bytes]]:
    """What may have been signed, the right one first: words for people, and the bytes."""
    raw_body = ("the raw body", request.body)
    try:
        envelope = enveloped(request.body)
    except Malformed:
        return (raw_body,)
    received = envelope.data_hash.encode()
    found = [
        ("the characters of dataHash (right)", received),
        ("the characters of dataHash in lower case", received.lower()),
    ]
    for what, text in _texts(bytes(envelope.data), request.path):
        digest = sha256(text)
        found += [
            (f"the hash of {what}", digest.hexdigest().encode()),
            (f"{what} itself, not its hash", text),
            (f"the 32 raw bytes of the hash of {what}", digest.digest()),
        ]
    return (*found, raw_body)


def _hmac_texts(request: Request) -> Sequence[tuple[str, bytes]]:
    """The same in transfer mode."""
    raw_body = ("the raw body", request.body)
    try:
        raw = signed_part(request.body)
    except Malformed:
        return (raw_body,)
    (what, right), *others = _texts(raw, request.path)
    return ((f"{what} (right)", right), *others, raw_body)


def _texts(raw: bytes, path: str) -> Iterator[tuple[str, bytes]]:
    """Each accepted spelling of the data, and the data as it came."""
    names = ("data without space", "data as JavaScript writes it", "data in the documented order")
    yield from zip(names, spellings(raw, path), strict=False)
    yield "data as it came", raw
