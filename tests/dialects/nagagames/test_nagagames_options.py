"""The settings of an integration: what they need, and how mistakes are named."""

import pytest
from nagagames_world import KEYS, integration

from seamline.dialects import rsa
from seamline.dialects.dialect import Secret
from seamline.dialects.nagagames import DIALECT, sandbox
from seamline.dialects.nagagames.options import Options
from seamline.dialects.nagagames.sandbox import PRIVATE_KEY, PUBLIC_KEY

HOUR_MS = 3_600_000

EC_KEY = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEP6AhwZUb6oGZik4Y1Vyvo6yHJixK
4VDiDQ8lRluTU+rB/xmR0kjMHjDcxL/r07NUhvLfBpvVen9Wdw8FmKtaTQ==
-----END PUBLIC KEY-----
"""
SHORT_KEY = """\
-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMse8XOry2Ih6FUOR19hrbwViHG3uEQH
hYTZMlCGumwU2zLGiKZBdtvKfOSPd4zJAWrvDfRI++QNJVECaDY2lzUCAwEAAQ==
-----END PUBLIC KEY-----
"""


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"group_code": "abc"}, "group_code: expected the 4 characters"),
        ({"brand_code": "abcde"}, "brand_code: expected the 4 characters"),
        ({"public_keys": ()}, "public_keys: expected at least one"),
        ({"public_keys": (Secret("no key"),)}, r"public_keys\[0\]: expected a public key"),
        ({"public_keys": (Secret(PUBLIC_KEY), Secret(PRIVATE_KEY))}, r"public_keys\[1\]"),
        ({"public_keys": (Secret(EC_KEY),)}, "expected an RSA key of at least 1024 bits"),
        ({"private_key": Secret(PUBLIC_KEY)}, "private_key: expected a private key"),
        ({"mode": "transfer"}, "secret_key: expected one"),
        ({"base_url": "ftp://x"}, "base_url: expected http"),
        ({"base_url": "https://x/"}, "base_url: expected http"),
        ({"play_url": "nowhere"}, "play_url: expected http"),
        ({"play_urls": {"g": "https://x/?y"}}, "play_url: expected http"),
        ({"session_hours": 0}, "session_hours: expected 1 or more"),
    ],
)
def test_a_mistake_is_named(changed, says):
    """Whoever sets an option wrongly reads which one, and what was expected."""
    with pytest.raises(ValueError, match=says):
        integration(**changed)


def test_a_message_shows_no_key():
    """What is wrong with a key is said without the key."""
    with pytest.raises(ValueError, match="public_keys") as caught:
        integration(public_keys=(Secret("my-secret-text"),))
    assert "my-secret-text" not in str(caught.value)


def test_a_short_key_is_no_key():
    """Keys that anybody can break are refused."""
    with pytest.raises(rsa.BadKey):
        rsa.check_public(SHORT_KEY)


def test_the_least_that_is_needed():
    """Two codes and a key; everything else has a default, and nothing is on that need not be."""
    key = Secret(KEYS["vendor"]["public_key"])
    options = Options(group_code="dpae", brand_code="dtdr", public_keys=(key,))
    assert options.mode == "seamless"
    assert not options.player_token_call
    assert options.base_url == "https://api.stg.game.topplatform.asia"
    assert DIALECT.session_ms(options) == 24 * HOUR_MS
    assert DIALECT.policy(options).session_slides_ms == 24 * HOUR_MS


def test_transfer_mode_needs_no_rsa():
    """There the secret key signs."""
    options = Options(
        group_code="dpae", brand_code="dtdr", mode="transfer", secret_key=Secret("a secret")
    )
    assert options.public_keys == ()


def test_the_sandbox_is_known_as_one():
    """Every key of the sandbox begins so that `seamline doctor` knows it, and still is a key."""
    options = sandbox()
    keys = (*options.public_keys, options.private_key, options.api_key)
    assert all(key.reveal().startswith("sandbox_nagagames") for key in keys)
    made = rsa.signature_of(PRIVATE_KEY, b"text")
    assert rsa.verifies(PUBLIC_KEY, made, b"text")
    assert not rsa.verifies(PUBLIC_KEY, made, b"texts")
    assert rsa.from_base64(rsa.to_base64(made)) == made
