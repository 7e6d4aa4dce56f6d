"""The settings of an integration: what is asked for, what is refused, and in which words."""

import json
import re

import msgspec
import pytest
from swipegames_world import CID, options, vectors

from seamline.dialects.dialect import Secret
from seamline.dialects.swipegames import DIALECT
from seamline.dialects.swipegames.decimals import DECIMALS
from seamline.dialects.swipegames.options import STAGING, Options

GIVEN = {
    "integration_api_keys": ["one", "two"],
    "api_key": "three",
    "cid": CID,
    "ext_cid": "acme",
}


def settings(**changed):
    """Options as the settings file gives them; a field that is `...` is left out."""
    given = {name: value for name, value in (GIVEN | changed).items() if value is not ...}
    return msgspec.convert(given, Options, dec_hook=lambda wanted, text: wanted(text))


def test_the_shortest_settings_are_enough():
    """Keys and ids are asked for; everything else has a default."""
    read = settings()
    assert read.integration_api_keys == (Secret("one"), Secret("two"))
    assert (read.base_url, read.era, read.session_hours) == (STAGING, "live", 4)
    assert (read.win_after_refund, read.message_language) == ("hold", "en")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"integration_api_keys": []}, "integration_api_keys: expected at least one key"),
        ({"integration_api_keys": [""]}, "expected a secret, got an empty text"),
        ({"cid": "acme"}, "cid: expected the UUID"),
        ({"cid": CID + "\n"}, "cid: expected the UUID"),
        ({"ext_cid": " "}, "ext_cid: expected the name"),
        ({"base_url": STAGING + "/"}, "base_url: expected http(s)://HOST/PATH"),
        ({"base_url": "ftp://x"}, "base_url: expected http(s)://HOST/PATH"),
        ({"base_url": "https://x/y?z=1"}, "base_url: expected http(s)://HOST/PATH"),
        ({"session_hours": 0}, "session_hours: expected 1 or more, got 0"),
        ({"session_hours": "4"}, "$.session_hours"),
        ({"era": "old"}, "$.era"),
        ({"win_after_refund": "never"}, "$.win_after_refund"),
        ({"message_language": "de"}, "$.message_language"),
        ({"api_key": ...}, "missing required field `api_key`"),
        ({"apikey": "x"}, "unknown field `apikey`"),
    ],
)
def test_a_mistake_in_the_settings_is_named(changed, said):
    """The text names the option and says what was expected."""
    with pytest.raises(msgspec.ValidationError, match=re.escape(said)):
        settings(**changed)


def test_no_key_shows_in_the_options():
    """Options can be printed."""
    shown = repr(options())
    assert "test-api-key" not in shown
    assert "test-integration-api-key" not in shown


def test_the_sandbox_is_obviously_made_up():
    """Every sandbox key starts with `sandbox_`, and the options pass their own checks."""
    sandbox = DIALECT.sandbox()
    keys = [*sandbox.integration_api_keys, sandbox.api_key]
    assert all(key.reveal().startswith("sandbox_") for key in keys)
    assert sandbox == DIALECT.sandbox()


def test_the_signature_is_never_recorded():
    """A signature without time can be sent again, so it stays out of logs and records."""
    assert DIALECT.signature_header in DIALECT.secret_headers


def test_the_vendors_decimals_are_complete():
    """149 fiat codes, 19 coins, 9 sub-units and 2 kinds of play money, as in version 1.8.2."""
    assert len(DECIMALS) == 149 + 19 + 9 + 2
    assert [code for code in DECIMALS if code.isupper() and DECIMALS[code] > 9] == ["ETH", "MATIC"]
    zero = [code for code, places in DECIMALS.items() if not places]
    assert len(zero) == 16 + 5 + 1


@pytest.mark.parametrize("code", ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
def test_the_vendor_handles_three_decimals_at_two(code):
    """The seven currencies with three decimals in ISO 4217 have two here."""
    assert DECIMALS[code] == 2


@pytest.mark.parametrize("name", ["signatures", "calls", "answers", "malformed", "refusals"])
def test_every_file_of_vectors_says_what_it_is(name):
    """A reader of the vectors alone can tell what they promise."""
    assert vectors(name)["about"].endswith(".")


def test_vectors_are_text():
    """Vectors hold no byte order mark and no numbers where the wire has text."""
    assert all(isinstance(row["body"], str) for row in vectors("malformed")["bodies"])
    assert json.loads(vectors("malformed")["bodies"][0]["body"])
