"""How a callback shows that it is LoyaltyGyre's: rows 26 and 27, and other ways to be wrong."""

import base64

import msgspec
import pytest

from dialects.loyaltygyre.loyaltygyre_world import (
    NOW,
    TOKEN,
    integration,
    refused,
    request,
    sandbox,
    vectors,
)
from seamline.dialects.dialect import Request
from seamline.dialects.loyaltygyre.signature import HEADER, TIMESTAMP, sign, trials, verify
from seamline.wallet import Rejection

HMAC = vectors("calls")["hmac"]
BODY = HMAC["body"].encode()
SECRET = HMAC["secret"]
HEADERS = ((TIMESTAMP, str(HMAC["at_ms"]).encode()), (HEADER, HMAC["signature"].encode()))


def signing(*secrets, tokens=()):
    """An integration whose callbacks are signed."""
    return integration(
        auth={"type": "hmac", "secrets": list(secrets or (SECRET,)), "tokens": list(tokens)}
    )


def captured(at_ms=HMAC["at_ms"], headers=HEADERS, body=BODY):
    """The published request, as it arrives at that time."""
    return Request("POST", "/authorize", headers=headers, body=body, at_ms=at_ms)


def problem(given, using):
    """What is wrong with it."""
    why = refused(verify, given, using)
    assert why.why is Rejection.SIGNATURE
    return why.detail


def test_row27_the_published_signature_is_right():
    """The contract's own vector verifies, and is what is signed here, byte for byte."""
    verify(captured(), signing())
    made = sign(captured(headers=()), signing())
    assert made.headers == HEADERS
    assert sign(captured(at_ms=NOW, headers=HEADERS[:1]), signing()).headers == HEADERS


def test_row27_an_altered_byte_is_refused():
    """Another amount, another time or another key is another signature."""
    assert "mismatch" in problem(captured(body=BODY.replace(b"50", b"51")), signing())
    later = ((TIMESTAMP, b"1731504451692"), HEADERS[1])
    assert "mismatch" in problem(captured(headers=later), signing())
    assert "mismatch" in problem(captured(), signing("another"))


@pytest.mark.parametrize(("away_ms", "good"), [(0, True), (300_000, True), (301_000, False)])
@pytest.mark.parametrize("side", [1, -1])
def test_row27_the_time_has_a_window(away_ms, good, side):
    """Five minutes either way are allowed, a second more is not."""
    given = captured(at_ms=HMAC["at_ms"] + side * away_ms)
    if good:
        verify(given, signing())
    else:
        assert "301 s away" in problem(given, signing())


@pytest.mark.parametrize(
    "headers",
    [
        (),
        HEADERS[:1],
        HEADERS[1:],
        ((TIMESTAMP, b"soon"), HEADERS[1]),
        ((TIMESTAMP, b""), HEADERS[1]),
        ((TIMESTAMP, b"01731504451691"), HEADERS[1]),
        (HEADERS[0], (HEADER, HMAC["signature"].upper().encode())),
        (HEADERS[0], (HEADER, HMAC["signature"][:-1].encode())),
    ],
)
def test_a_signature_has_one_form(headers):
    """A header that is missing, short or in capitals is refused."""
    assert problem(captured(headers=headers), signing())


def test_keys_rotate():
    """Two secrets verify, the first one signs."""
    verify(captured(), signing("new", SECRET))
    assert sign(captured(headers=()), signing("new", SECRET)).headers != HEADERS


def test_a_signature_and_a_token():
    """With tokens too, a signed callback needs one of them as well."""
    both = signing(tokens=[TOKEN])
    assert "Authorization" in problem(captured(), both)
    verify(sign(captured(headers=()), both), both)


def bearing(*headers, **options):
    """A callback with those headers, and what verify makes of it."""
    given = request("balance", {"player_id": "1"}, headers=headers)
    return given, integration(**options)


def authorization(text):
    """The header of that text."""
    return (b"authorization", text.encode())


@pytest.mark.parametrize(
    "text", [f"Bearer {TOKEN}", f"bearer {TOKEN}", "Bearer old_token", f"Bearer  {TOKEN} "]
)
def test_row26_a_token_opens_and_the_old_one_too(text):
    """Each of two tokens is right while they are changed."""
    verify(*bearing(authorization(text), auth={"tokens": [TOKEN, "old_token"]}))


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (authorization("Bearer wrong"),),
        (authorization(f"Basic {TOKEN}"),),
        (authorization(TOKEN),),
        (authorization("Bearer"),),
        (authorization(f"Bearer {TOKEN}x"),),
        (authorization(f"Bearer {TOKEN}"), authorization(f"Bearer {TOKEN}")),
        ((b"authorization", b"Bearer \xff"),),
    ],
)
def test_row26_no_token_or_a_wrong_one_is_refused(headers):
    """Exactly one header with one right token opens; no detail says the token."""
    said = problem(*bearing(*headers))
    assert TOKEN not in said


def test_a_key_in_a_header():
    """The named header carries the key, in any case of its name."""
    auth = {"type": "header_key", "header": "X-Api-Key", "tokens": [TOKEN]}
    verify(*bearing((b"x-api-key", TOKEN.encode()), auth=auth))
    assert "x-api-key is missing" in problem(*bearing(auth=auth))
    assert "none of the 1" in problem(*bearing((b"x-api-key", b"no"), auth=auth))


def test_user_and_password():
    """Basic authentication carries both in base64."""
    auth = {"type": "basic", "tokens": ["lg:secret:with:colons"]}
    right = base64.b64encode(b"lg:secret:with:colons").decode()
    verify(*bearing(authorization(f"Basic {right}"), auth=auth))
    assert "base64" in problem(*bearing(authorization("Basic ???"), auth=auth))
    wrong = base64.b64encode(b"lg:no").decode()
    assert "none of the 1" in problem(*bearing(authorization(f"Basic {wrong}"), auth=auth))


def test_nothing_is_checked_where_only_addresses_are():
    """With `none` the callback is let through here: `allow_from` is all there is."""
    verify(*bearing(auth={"type": "none"}))


@pytest.mark.parametrize(
    "auth",
    [
        {"tokens": [TOKEN]},
        {"type": "hmac", "secrets": [SECRET], "tokens": [TOKEN]},
        {"type": "header_key", "header": "x-lg-key", "tokens": [TOKEN]},
        {"type": "basic", "tokens": ["lg:pass"]},
        {"type": "none"},
    ],
    ids=lambda auth: auth.get("type", "bearer"),
)
def test_what_is_signed_verifies(auth):
    """The sender's end is believed whatever the type, and leaves no other credentials behind."""
    using = integration(auth=auth)
    given = request("balance", {"player_id": "1"}, headers=(authorization("Bearer stale"),))
    made = sign(given, using)
    verify(made, using)
    assert b"Bearer stale" not in [value for _, value in made.headers]


def test_trials_name_the_mistake():
    """The bytes and the key of a wrong signature are found."""
    using = signing("new", SECRET, tokens=[TOKEN])
    found = {each.signature: each for each in trials(captured(), using)}
    assert found[HMAC["signature"]].key == "auth.secrets[1]"
    assert "(right)" in found[HMAC["signature"]].over
    bare = msgspec.structs.replace(captured(), headers=())
    assert len(trials(bare, using)) == len({(t.key, t.signed) for t in trials(bare, using)})
    assert trials(captured(), integration()) == ()


def test_the_sandbox_signs():
    """The sandbox is signed, as laws about flipped bits hold for signed callbacks only."""
    made = sign(request("balance", {"player_id": "1"}), sandbox())
    assert dict(made.headers)[TIMESTAMP] == str(NOW).encode()
