"""RSA signatures: PKCS #1 v1.5 with SHA-256, by keys in PEM text. Pure, and shared by all dialects.

A key is parsed once and kept. The library behind it is loaded with the first key, so that nobody
waits for it who speaks no such dialect.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Callable
from functools import lru_cache

#: Shorter keys are broken by anybody; some vendors hand out this one.
LEAST_BITS = 1024


class BadKey(ValueError):
    """The text is no RSA key of the wanted kind; the message never quotes it."""


def verifies(pem: str, signature: bytes, over: bytes) -> bool:
    """Whether the owner of that public key (SPKI) signed these bytes; raises `BadKey`."""
    return _public(pem)[0](signature, over)


def length_of(pem: str) -> int:
    """How many bytes a signature for that public key has; raises `BadKey`."""
    return _public(pem)[1]


def signature_of(pem: str, over: bytes) -> bytes:
    """The signature with that private key (PKCS #8), always the same one; raises `BadKey`."""
    return _private(pem)(over)


def check_public(pem: str) -> None:
    """Raise `BadKey` unless the text is a public RSA key of at least 1024 bits."""
    _public(pem)


def check_private(pem: str) -> None:
    """Raise `BadKey` unless the text is an unencrypted private RSA key of at least 1024 bits."""
    _private(pem)


def to_base64(signature: bytes) -> bytes:
    """The signature as headers carry it."""
    return b64encode(signature)


def from_base64(text: bytes) -> bytes | None:
    """The signature in a header; None for anything but the one spelling that it has in base64."""
    try:
        raw = b64decode(text, validate=True)
    except NoBase64:
        return None
    # The last character has bits that nobody reads: a second spelling would be a second signature.
    return raw if b64encode(raw) == text else None


@lru_cache(maxsize=64)
def _public(pem: str) -> tuple[Callable[[bytes, bytes], bool], int]:
    """The check with one public key, and the length of its signatures in bytes."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("expected a public key: PEM text with BEGIN PUBLIC KEY") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_BITS:
        raise BadKey(f"expected an RSA key of at least {LEAST_BITS} bits")
    padding, digest = PKCS1v15(), SHA256()

    def check(signature: bytes, over: bytes) -> bool:
        try:
            key.verify(signature, over, padding, digest)
        except InvalidSignature:
            return False
        return True

    return check, key.key_size // 8


@lru_cache(maxsize=64)
def _private(pem: str) -> Callable[[bytes], bytes]:
    """The signer with one private key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey("expected a private key: PEM text with BEGIN PRIVATE KEY") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_BITS:
        raise BadKey(f"expected an RSA key of at least {LEAST_BITS} bits")
    padding, digest = PKCS1v15(), SHA256()

    def sign(over: bytes) -> bytes:
        return key.sign(over, padding, digest)

    return sign
