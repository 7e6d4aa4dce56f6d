"""The settings of an integration, and the policy that they make."""

import msgspec
import pytest
from oppigames_world import KEY, SECRET

from seamline.dialects.dialect import Secret
from seamline.dialects.oppigames import DIALECT, policy
from seamline.dialects.oppigames.options import Options, sandbox, session_ms
from seamline.wallet import Kind

GIVEN = {"api_key": KEY, "secrets": (Secret(SECRET),)}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"secrets": ()}, "secrets: expected at least one"),
        ({"api_key": ""}, "api_key: expected printable"),
        ({"api_key": "a b"}, "api_key: expected printable"),
        ({"api_key": "ключ"}, "api_key: expected printable"),
        ({"vendor_api_key": "x"}, "vendor_api_key: expected it together"),
        ({"vendor_secret": Secret("x")}, "vendor_api_key: expected it together"),
        ({"vendor_base_url": "ftp://x"}, "vendor_base_url: expected"),
        ({"vendor_base_url": "https://x/"}, "vendor_base_url: expected"),
        ({"freshness_ms": -1}, "freshness_ms: expected 0 or more"),
        ({"session_hours": 0}, "session_hours: expected 1 or more"),
        ({"status_codes": {"NOBODY": "RS_X"}}, "status_codes: expected some of"),
        ({"status_codes": {"INTERNAL": "RS_OK"}}, "status_codes: expected a code"),
        ({"status_codes": {"INTERNAL": "rs x"}}, "status_codes: expected a code"),
        ({"currencies": ("eur",)}, "currencies: expected codes"),
        ({"currencies": ("XXX",)}, "currencies: expected codes"),
        ({"bonus_types": {"free": " "}}, "bonus_types: expected two names"),
    ],
)
def test_a_mistake_is_named(changes, said):
    """The field, and what was expected of it."""
    with pytest.raises(ValueError, match=said):
        Options(**GIVEN | changes)


def test_settings_are_read_from_a_file_as_they_are():
    """Everything has a default but the keys; an unknown field is no option."""
    raw = {"api_key": "k", "secrets": ["s"], "status_codes": {"INTERNAL": "RS_X"}}
    made = msgspec.convert(raw, Options, dec_hook=lambda _, text: Secret(text))
    assert made.status_codes == {"INTERNAL": "RS_X"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(raw | {"nobody": 1}, Options, dec_hook=lambda _, text: Secret(text))


def test_the_sandbox_says_that_it_is_one():
    """Its keys begin with `sandbox_`, so that a live server refuses them."""
    made = sandbox()
    assert made.secrets[0].reveal().startswith("sandbox_")
    assert made.api_key.startswith("sandbox_")
    assert session_ms(made) == 86_400_000


@pytest.mark.parametrize(
    ("changes", "field", "chosen", "usual"),
    [
        ({"session_policy": "strict"}, "unknown_session", "reject", "adopt"),
        ({"session_policy": "ignore"}, "bet_game", "any", "launched"),
        ({"payout_unknown_bet": "accept"}, "win_without_bet", "pay", "reject"),
        ({"retry_unknown_ref": "reject"}, "late_win_without_bet", "reject", "pay"),
        ({"multi_payout": "allow"}, "second_win", "pay", "reject"),
        ({"bonus_reref": "allow"}, "second_claim", "alert", "reject"),
        ({"unknown_bonus": "reject"}, "unknown_campaign", "reject", "alert"),
        ({"rollback_paid_bet": "refund_only"}, "refund_after_win", "refund", "void"),
        ({"rollback_paid_bet": "reject"}, "refund_after_win", "reject", "void"),
        ({"rollback_negative": "reject"}, "overdraft", "reject", "allow_negative"),
    ],
)
def test_each_choice_is_one_of_the_policy(changes, field, chosen, usual):
    """What the operator chooses reaches the rules; what is not chosen is the usual."""
    assert getattr(policy(Options(**GIVEN)), field) == usual
    assert getattr(policy(Options(**GIVEN | changes)), field) == chosen


def test_what_is_no_choice():
    """A repeat hears its first answer, what was refused or undone stays so; credits are undone."""
    made = policy(sandbox())
    assert made.replayed_balance == "stored"
    assert (made.refunded_bet_again, made.claimants) == ("replay", "one")
    assert made.remembered_refusals == {Kind.BET}
    assert made.reversible == {Kind.BET, Kind.WIN, Kind.REWARD}
    assert made.win_after_refund == "reject"
    assert made.campaigns == "checked"
    assert made.overdue_bet == "undo"
    assert DIALECT.policy is policy
