"""A signature is made as the vendor makes it, and a wrong one is explained."""

import hmac
import io
from hashlib import sha256
from types import SimpleNamespace

import pytest

from kit.program import SECRETS, SETTINGS

BODY = '{"amount":"1.50","n":1}'
KEY = SECRETS["SWIPE_INTEGRATION_KEY"]


def mac(text, key=KEY):
    """The signature of a text or bytes."""
    raw = text if isinstance(text, bytes) else text.encode()
    return hmac.new(key.encode(), raw, sha256).hexdigest()


@pytest.fixture
def explained(said, shop):
    """Explain a signature: exit code and standard output."""

    def explain(signature, *more, body=BODY, call="bet"):
        code, out, err = said(
            "sign", "explain", call, "--body", body, "--signature", signature, *more
        )
        assert err == ""
        return code, out

    return explain


@pytest.mark.parametrize("call", ["bet", "POST/bet", "POST /bet"])
def test_a_request_is_signed_for_a_shell(call, said, shop):
    """A call is named, or given by method and path; the header and a curl line come out."""
    code, out, _ = said("sign", call, "--body", BODY)
    assert code == 0
    assert out.startswith(f"X-Request-Sign: {mac(BODY)}\n\ncurl ")
    assert "/callbacks/swipe/bet " in out
    assert f"--data-binary '{BODY}'" in out
    assert "Content-Type: application/json" in out


def test_a_query_is_signed(said, shop):
    """A call without a body is signed over its query, given apart or in the path."""
    _, apart, _ = said("sign", "balance", "--query", "sessionID=s%201")
    _, together, _ = said("sign", "GET/balance?sessionID=s%201")
    assert apart == together
    canonical = '{"sessionID":"s 1"}'
    assert apart.startswith(f"X-Request-Sign: {mac(canonical)}\n")


def test_a_body_comes_from_a_file_or_standard_input(said, shop, monkeypatch):
    """With @FILE and - the body is read byte for byte, its line end included."""
    (shop / "body").write_bytes(b"{}\r\n")
    assert mac("{}\r\n") in said("sign", "bet", "--body", "@body")[1]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"{\xff}")))
    assert mac(b"{\xff}") in said("sign", "bet", "--body", "-")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sign", "dance"], "expected METHOD/PATH or one of: balance, bet, win, refund"),
        (["sign", "bet", "--integration", "other"], "--integration takes one of: swipe"),
        (["sign", "bet", "--body", "@nothing"], "nothing: cannot be read: No such file"),
        (["sign", "bet", "--header", "x"], "expected 'Name: value', got 'x'"),
        (["sign", "explain", "bet"], "--signature"),
    ],
)
def test_wrong_use_is_explained(arguments, words, said, shop):
    """What cannot be signed is wrong use, and the message says what can."""
    code, out, err = said(*arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_a_query_that_cannot_be_signed_is_one(said, shop):
    """A query that the vendor's rules cannot sign is refused in one line."""
    code, _, err = said("sign", "balance", "--query", "a=1&a=2")
    assert code == 1
    assert "cannot be signed" in err


def test_a_right_signature_matches(explained):
    """A signature over the right bytes with the right key matches, under exit code 0."""
    code, out = explained(mac(BODY))
    assert code == 0
    assert "it matches" in out
    assert f"{len(BODY)} bytes, the raw body" in out
    assert "integration_api_keys[0]" in out


def test_an_older_key_matches_too(explained, shop):
    """While keys are rotated any of them matches, and the one that was used is named."""
    keys = 'integration_api_keys = ["the new key 0123456789", "env:SWIPE_INTEGRATION_KEY"]'
    text = SETTINGS.replace('integration_api_keys = ["env:SWIPE_INTEGRATION_KEY"]', keys)
    (shop / "seamline.toml").write_text(text)
    code, out = explained(mac(BODY))
    assert code == 0
    assert "integration_api_keys[1]" in out


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        (mac(BODY, SECRETS["SWIPE_API_KEY"]), ["with the key api_key", "the key: sign with integ"]),
        (mac(BODY + "\n"), ["with a newline at the end", "the bytes: sign the raw body"]),
        (
            mac(BODY + "\n", SECRETS["SWIPE_API_KEY"]),
            ["the key: sign with integration_api_keys[0]; and the bytes: sign"],
        ),
        (mac(BODY).upper(), ["the encoding: upper-case digits"]),
        (f" {mac(BODY)}", ["the encoding: white space around the signature"]),
    ],
)
def test_a_known_mistake_is_named(signature, words, explained):
    """When it can be told how a wrong signature was made, key, bytes or encoding is named."""
    code, out = explained(signature)
    assert code == 1
    assert "it does not match" in out
    assert [word for word in words if word not in out] == []


def test_what_is_no_matter_of_the_signature_is_told_as_that(said, shop):
    """A right signature that comes too late, or without the key's header, is no wrong one."""
    oppi = '[integrations.oppi]\nbrand = "acme"\ndialect = "oppigames"\n'
    oppi += '[integrations.oppi.options]\napi_key = "k"\nsecrets = ["s"]\n'
    (shop / "seamline.toml").write_text(SETTINGS + oppi)
    signature = hmac.new(b"s", b'{"amount":1}|1731504451691', sha256).hexdigest()
    asked = ["sign", "explain", "bet", "--integration", "oppi", "--body", '{"amount":1}']
    asked += ["--header", "x-timestamp: 1731504451691", "--signature", signature]
    code, out, _ = said(*asked, "--header", "x-api-key: k")
    assert code == 1
    assert "not the signature: " in out
    assert "behind our clock" in out
    _, out, _ = said(*asked)
    assert "not the signature: " in out


def test_unknown_mistakes_are_ranked(explained):
    """When it cannot be told, causes with evidence come before the usual ones."""
    code, out = explained("ab12", body='{"name":"Zoë"}\n')
    assert code == 1
    causes = [line.partition(". ")[2] for line in out.splitlines() if ". " in line[:16]]
    assert causes[0].startswith("the signature was cut: 4 characters, 64 expected")
    assert causes[1].startswith("the body has line ends")
    assert causes[2].startswith("the body has characters outside ASCII")
    assert causes[3].startswith("another key")


def test_a_key_with_white_space_is_suspected(explained, shop, monkeypatch):
    """A key that was stored with a space at its end is among the likeliest causes."""
    monkeypatch.setenv("SWIPE_INTEGRATION_KEY", f"{KEY} ")
    _, out = explained(mac(BODY))
    assert "1. the key integration_api_keys[0] has white space around it" in out


def test_invisible_characters_of_the_signed_bytes_are_shown(explained):
    """The signed bytes are shown so that spaces and line ends can be seen."""
    _, out = explained("ab", body='{"a": "b"}\n')
    assert '{"a":·"b"}⏎' in out


def test_the_expected_signature_is_shown_only_when_asked_for(explained):
    """Nobody gets a working signature by asking why a wrong one is wrong, unless with --show."""
    assert mac(BODY) not in explained("ab")[1]
    assert mac(BODY) in explained("ab", "--show")[1]


def test_no_key_is_ever_shown(explained):
    """No output holds the text of a key."""
    shown = explained("ab", "--show")[1] + explained(mac(BODY))[1]
    assert not [secret for secret in SECRETS.values() if secret in shown]


def test_two_bodies_are_compared(explained):
    """With --compare the first byte in which two bodies differ is shown."""
    _, out = explained("ab", "--compare", BODY.replace("1.50", "1.5"))
    assert "equal up to byte 14" in out
