"""Signatures: every published vector, and every way to get one wrong."""

import msgspec
import pytest
from slotegrator_world import HERE, SAMPLES, TOKEN, integration, post, refusal, with_header

from seamline.dialects.dialect import Request, Secret
from seamline.dialects.signing import hmac_sha256
from seamline.dialects.slotegrator import DIALECT
from seamline.wallet import Rejection

BET = post(SAMPLES["S7"]["body"])
RIGHT = BET.header(b"x-sign")
ROTATED = integration(tokens=(Secret("new"), Secret(TOKEN)))


@pytest.mark.parametrize("row", SAMPLES.values(), ids=lambda row: row["id"])
def test_a01_each_vector_has_its_signature(row):
    """The signature over the published bytes is the published one, made and verified."""
    raw = row["body"].encode()
    assert hmac_sha256(TOKEN.encode(), raw) == row["signature"]
    assert post(raw).header(b"x-sign") == row["signature"].encode()
    assert refusal(DIALECT.verify, post(raw), HERE) is None


def test_a01_no_vector_is_left_out():
    """All seventeen vectors are there, and the pretty-printed body has its 77 bytes."""
    assert list(SAMPLES) == [f"S{number}" for number in range(1, 18)]
    assert len(SAMPLES["S13"]["body"].encode()) == 77


@pytest.mark.parametrize(
    ("body", "signed"),
    [("S7", "S6"), ("S6", "S7"), ("S7", "S17"), ("S17", "S7"), ("S2", "S3"), ("S3", "S4")],
)
def test_a03_another_spelling_has_another_signature(body, signed):
    """A body under the signature of another spelling or amount is refused."""
    signature = SAMPLES[signed]["signature"].encode()
    request = with_header(Request("POST", "", body=SAMPLES[body]["body"].encode()), signature)
    refused = refusal(DIALECT.verify, request, HERE)
    assert refused.why is Rejection.SIGNATURE
    assert "none of the 1 token(s)" in refused.detail


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "missing"),
        (b"", "empty"),
        (RIGHT[:63], "63 characters"),
        (RIGHT + b"0", "65 characters"),
        (b"0x" + RIGHT[2:], "not hexadecimal"),
        (b"sha256=" + RIGHT, "71 characters"),
        (b"\xc3\xa9" * 32, "outside ASCII"),
        (b" " + RIGHT[1:], "not hexadecimal"),
        (hmac_sha256(b"other", BET.body).encode(), "signature mismatch"),
    ],
)
def test_a03_a_header_that_is_no_signature(given, said):
    """What is no signature of a token is refused, in words that name the check that failed."""
    refused = refusal(DIALECT.verify, with_header(BET, given), HERE)
    assert refused.why is Rejection.SIGNATURE
    assert said in refused.detail


@pytest.mark.parametrize("case", [bytes.upper, bytes.lower, bytes.title])
def test_a04_capitals_are_the_same_digits(case):
    """Hexadecimal digits may be written in capitals."""
    assert refusal(DIALECT.verify, with_header(BET, case(RIGHT)), HERE) is None


def test_either_token_verifies_and_the_first_signs():
    """During a change of tokens both verify; ours are signed by the first."""
    for token in ("new", TOKEN):
        signature = hmac_sha256(token.encode(), BET.body).encode()
        assert refusal(DIALECT.verify, with_header(BET, signature), ROTATED) is None
    assert DIALECT.sign(BET, ROTATED).header(b"x-sign") == hmac_sha256(b"new", BET.body).encode()
    assert refusal(DIALECT.verify, BET, integration(tokens=(Secret("new"),))) is not None


def test_signing_again_replaces_the_signature():
    """A request that is signed again has one signature."""
    again = DIALECT.sign(DIALECT.sign(BET, HERE), HERE)
    assert [name for name, _ in again.headers].count(b"x-sign") == 1


def trial(body, signature, where=HERE):
    """What the explanation finds for that signature."""
    found = DIALECT.trials(Request("POST", "", body=body.encode()), where)
    return next((each for each in found if each.signature == signature), None)


@pytest.mark.parametrize(
    ("body", "signed", "over"),
    [
        ("S7", "S7", "right"),
        ("S3", "S2", "PHP"),
        ("S2", "S3", "slashes not escaped"),
        ("S2", "S4", "space after each colon"),
        ("S11", "S12", "UTF-8"),
        ("S12", "S11", "PHP"),
        ("S13", "S10", "PHP"),
    ],
)
def test_the_likely_mistakes_are_explained(body, signed, over):
    """A signature over another spelling of the body is recognised for what it is."""
    found = trial(SAMPLES[body]["body"], SAMPLES[signed]["signature"])
    assert over in found.over
    assert found.key == "tokens[0]"


def test_a_stray_newline_and_the_other_token_are_explained():
    """A newline that was signed and not sent, and the token that is going out, are recognised."""
    body = SAMPLES["S7"]["body"]
    newline = trial(body, hmac_sha256(TOKEN.encode(), body.encode() + b"\n"))
    assert "newline" in newline.over
    assert trial(body, SAMPLES["S7"]["signature"], ROTATED).key == "tokens[1]"


def test_explanations_come_once():
    """No key is tried twice over the same bytes."""
    found = DIALECT.trials(BET, ROTATED)
    assert len({(each.key, each.signed) for each in found}) == len(found)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b'{"a":1', b"[" * 2000, b'{"a":1,"a":2}', b"9" * 400]
)
def test_any_body_is_explained(body):
    """A body that is no JSON still has its right way to be signed first."""
    request = msgspec.structs.replace(BET, body=body)
    found = DIALECT.trials(request, HERE)
    assert found[0].signature == hmac_sha256(TOKEN.encode(), body)
