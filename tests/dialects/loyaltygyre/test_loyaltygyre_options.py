"""The settings: mistakes in them stop the start and name the key."""

from pathlib import Path

import msgspec
import pytest

from dialects.loyaltygyre.loyaltygyre_world import TOKEN, settings
from seamline.cli.settings import SettingsError, load
from seamline.dialects.loyaltygyre.options import session_ms

FILE = """
[brands.acme]
currencies = ["CREDITS"]
[integrations.rewards]
dialect = "loyaltygyre"
brand = "acme"
[integrations.rewards.options]
casino_id = "b093b6bf-104b-483c-99bb-096bca9df9d1"
api_keys = ["the-key"]
auth = { type = "bearer", tokens = ["env:LG_TOKEN"] }
[integrations.rewards.options.messages.de]
TOO_LATE = "Zu spät."
[integrations.rewards.options.endpoints.authorize]
path = "/lg/authorize"
[integrations.rewards.options.endpoints.authorize.request]
request_id = { from = ["body:/meta/ref", "header:X-Ref"], required = true }
player_id = { from = "body:/user_id", type = "text" }
action = { from = "body:/type", map = { buy = "purchase" }, default = "open_box" }
box_id = { from = "body:/item/id" }
amount = { from = "body:/item/cost", type = "decimal", scale = 100 }
[integrations.rewards.options.endpoints.authorize.response]
allow = { http = 200, body = { ok = true, credits = "$balance" } }
[integrations.rewards.options.endpoints.authorize.response.deny]
body = { ok = false, code = "$reason_code" }
by_code = { INSUFFICIENT_BALANCE = { http = 402 } }
"""


def loaded(folder: Path, text=FILE):
    """The settings of such a file."""
    path = folder / "seamline.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, {"LG_TOKEN": TOKEN})


def test_a_whole_file_is_read(tmp_path):
    """Keys from variables, messages and a mapping, as they stand in TOML."""
    options = loaded(tmp_path).integrations["rewards"].options
    assert options.auth.tokens[0].reveal() == TOKEN
    assert options.plans["authorize"].path == "/lg/authorize"
    assert options.plans["cancel"].path == "/cancel"
    assert options.currency == "CREDITS"
    assert options.messages["de"]["TOO_LATE"] == "Zu spät."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("body:/user_id", "body:user_id", "endpoints.authorize.request.player_id.from"),
        ("$reason_code", "$reason", "endpoints.authorize.response.deny.body.code"),
        ('path = "/lg/authorize"', 'path = "/lg/authorise "', "endpoints.authorize.path"),
        ("scale = 100", "scale = 12", "endpoints.authorize.request.amount.scale"),
        ('type = "bearer"', 'type = "hmac"', "auth.secrets"),
    ],
)
def test_row42_a_mistake_in_the_file_is_one_line(tmp_path, old, new, said):
    """The line names the file, the key, and what was expected."""
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, FILE.replace(old, new))
    text = str(caught.value)
    assert "\n" not in text
    assert said in text
    assert "expected" in text
    assert TOKEN not in text


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"casino_id": ""}, "casino_id"),
        ({"casino_id": "a|b"}, "casino_id"),
        ({"casino_id": "a;b"}, "casino_id"),
        ({"casino_id": "a\nb"}, "casino_id"),
        ({"currency": ""}, "currency"),
        ({"api_keys": ["d41d8cd98f00b204e9800998ecf8427e"]}, "api_keys"),
        ({"auth": {"tokens": ["the-api-key"]}}, "auth"),
        ({"auth": {}}, "auth.tokens"),
        ({"auth": {"type": "hmac"}}, "auth.secrets"),
        ({"auth": {"type": "basic", "tokens": ["nobody"]}}, "auth.tokens"),
        ({"auth": {"type": "header_key", "tokens": ["x"]}}, "auth.header"),
        ({"auth": {"type": "header_key", "tokens": ["x"], "header": "X-Odd"}}, "auth.header"),
        ({"auth": {"tokens": ["x"], "header": "x-api-key"}}, "auth.header"),
        ({"auth": {"tokens": ["x"], "secrets": ["y"]}}, "auth.secrets"),
        ({"auth": {"type": "none", "tokens": ["x"]}}, "auth.tokens"),
        ({"messages": {"en": {"TO_LATE": "x"}}}, "messages.en.TO_LATE"),
        ({"base_url": "http://app.loyaltygyre.com"}, "base_url"),
        ({"base_url": "https://app.loyaltygyre.com/"}, "base_url"),
        ({"base_url": "https://u:p@app.loyaltygyre.com"}, "base_url"),
        ({"cashback_max": "-1"}, "cashback_max"),
        ({"cashback_rate": "half"}, "cashback_rate"),
        ({"rate_per_player": (-1, 10)}, "rate_per_player"),
        ({"rate_per_player": (10, 0)}, "rate_per_player"),
    ],
)
def test_what_makes_no_sense_is_named(given, key):
    """Each check names its field and what was expected; none shows a key."""
    with pytest.raises(ValueError, match="expected") as caught:
        settings(**given)
    assert key in str(caught.value)
    assert "the-api-key" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"api_keys": []},
        {"api_keys": ["a", "b", "c"]},
        {"cancel_window_h": 0},
        {"credit_decimals": 6},
        {"missing_id": "guess"},
        {"deny_http": 600},
        {"unknown": 1},
    ],
)
def test_what_is_out_of_bounds_is_refused(given):
    """Lists, numbers and choices have their bounds."""
    with pytest.raises(msgspec.ValidationError):
        settings(**given)


def test_a_session_lives_as_long_as_it_is_set():
    """A launched session is kept for a day, unless the settings say otherwise."""
    assert session_ms(settings()) == 86_400_000
    assert session_ms(settings(session_hours=1)) == 3_600_000
