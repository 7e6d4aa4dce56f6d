"""The settings of an integration: what is asked for, what is refused, and what hangs on them."""

import re

import msgspec
import pytest
from slotegrator_world import integration, options

from seamline.dialects.dialect import Secret
from seamline.dialects.slotegrator import DIALECT
from seamline.dialects.slotegrator.options import Options

GIVEN = {"tokens": ["one", "two"], "client_id": "acme", "base_url": "https://provider.example/api"}


def settings(**changed):
    """Options as the settings file gives them; a field that is `...` is left out."""
    given = {name: value for name, value in (GIVEN | changed).items() if value is not ...}
    return msgspec.convert(given, Options, dec_hook=lambda wanted, text: wanted(text))


def test_the_shortest_settings_are_enough():
    """Token, client and addresses are asked for; everything else has a default."""
    read = settings()
    assert read.tokens == (Secret("one"), Secret("two"))
    assert (read.demo_url, read.game_url) == ("", "")
    assert {read.jackpots_url, read.create_campaign_url, read.cancel_campaign_url} == {None}
    assert (read.session_hours, read.player_ids, read.amount_as) == (24, "per_currency", "string")
    assert read.win_requires_bet
    assert read.allow_zero


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tokens": []}, "tokens: expected one, or two during a change, got 0"),
        ({"tokens": ["a", "b", "c"]}, "tokens: expected one, or two during a change, got 3"),
        ({"tokens": [""]}, "expected a secret, got an empty text"),
        ({"tokens": ...}, "missing required field `tokens`"),
        ({"client_id": " "}, "client_id: expected a text of 1 to 255 characters"),
        ({"client_id": "x" * 256}, "client_id: expected a text of 1 to 255 characters"),
        ({"base_url": "https://x/"}, "base_url: expected http(s)://HOST/PATH"),
        ({"base_url": "x"}, "base_url: expected http(s)://HOST/PATH"),
        ({"base_url": "https://x?y=z"}, "base_url: expected http(s)://HOST/PATH"),
        ({"demo_url": "demo"}, "demo_url: expected an empty text, /PATH or a URL"),
        ({"game_url": "/a b"}, "game_url: expected an empty text, /PATH or a URL"),
        ({"game_url": "ftp://x"}, "game_url: expected an empty text, /PATH or a URL"),
        ({"jackpots_url": "/a#b"}, "jackpots_url: expected an empty text, /PATH or a URL"),
        ({"jackpots_url": "https://x/a#b"}, "jackpots_url: expected an empty text, /PATH or a"),
        ({"create_campaign_url": "x"}, "create_campaign_url: expected an empty text, /PATH or a"),
        ({"cancel_campaign_url": "x"}, "cancel_campaign_url: expected an empty text, /PATH or a"),
        ({"base_url": ...}, "demo_url: expected a whole URL without base_url, got ''"),
        ({"base_url": ..., "demo_url": "https://x"}, "game_url: expected a whole URL without"),
        ({"session_hours": 0}, "session_hours: expected 1 or more, got 0"),
        ({"session_hours": "4"}, "$.session_hours"),
        ({"player_ids": "x"}, "$.player_ids"),
        ({"amount_as": "float"}, "$.amount_as"),
        ({"win_requires_bet": 1}, "$.win_requires_bet"),
        ({"token": "x"}, "unknown field `token`"),
    ],
)
def test_a_mistake_in_the_settings_is_named(changed, said):
    """The text names the option and says what was expected."""
    with pytest.raises(msgspec.ValidationError, match=re.escape(said)):
        settings(**changed)


@pytest.mark.parametrize("path", ["", "/", "/a/b", "/api.php?call=game", "?call=game"])
def test_endpoints_are_paths_with_or_without_a_query(path):
    """An endpoint is what follows the base URL."""
    assert settings(game_url=path).game_url == path


def test_the_policy_follows_the_options():
    """A win needs its bet unless the integration says otherwise; sessions slide as long as set."""
    strict, loose = DIALECT.policy(options()), DIALECT.policy(options(win_requires_bet=False))
    assert (strict.win_without_bet, strict.win_after_refund) == ("reject", "reject")
    assert (loose.win_without_bet, loose.win_after_refund) == ("pay", "pay")
    assert strict.replayed_balance == "current"
    assert strict.refunded_bet_again == "reject"
    assert strict.campaigns == "attributed"
    assert not strict.remembered_refusals
    assert set(strict.fingerprint) == {"kind", "session", "round", "target", "free", "feature"}
    short = options(session_hours=2)
    assert DIALECT.policy(short).session_slides_ms == DIALECT.session_ms(short) == 7_200_000


def test_no_token_is_shown():
    """Neither options nor integration show a token."""
    assert "MVaoC" not in repr(integration())
