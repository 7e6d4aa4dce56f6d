"""Signatures of reverse calls: every published vector, and every way to get one wrong."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swipegames_world import (
    API_KEY,
    CALLS,
    INTEGRATION_KEY,
    LIVE,
    bet,
    integration,
    post,
    refusal,
    vectors,
    with_header,
)

from seamline.dialects.dialect import BadSignature, Request, Secret
from seamline.dialects.signing import canonical, hmac_sha256, parsed
from seamline.dialects.swipegames import DIALECT
from seamline.wallet import Command, Kind, Rejection

SIGNATURES = vectors("signatures")
ROWS = SIGNATURES["vectors"]
BET = CALLS["bet"].compose((bet(),), LIVE, 0)
RIGHT = BET.header(b"x-request-sign")


def names(row):
    """The id of a row of vectors."""
    return row["id"]


def get(query, where=LIVE):
    """A signed balance call with that query."""
    return DIALECT.sign(Request("GET", "/balance", query), where)


@pytest.mark.parametrize("row", ROWS, ids=names)
def test_row01_each_vector_has_its_signature(row):
    """The HMAC of the signed bytes is the published one, for every row."""
    key = SIGNATURES["keys"][row["key"]].encode()
    assert hmac_sha256(key, row["signed"].encode()) == row["signature"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.get("canonical", True)], ids=names)
def test_row01_each_vector_is_its_own_canonical_form(row):
    """Reading the signed text and writing it canonically gives the same bytes."""
    value = json.loads(row["signed"], parse_int=whole)
    assert canonical(value) == row["signed"].encode()


@pytest.mark.parametrize("row", [row for row in ROWS if "given" in row], ids=names)
def test_row01_other_spellings_have_the_vector_as_canonical_form(row):
    """Order, white space and number forms of the given text vanish in the canonical one."""
    assert canonical(json.loads(row["given"])) == row["signed"].encode()


def whole(token):
    """A whole number as JSON has it: exact up to 2**53, a double beyond."""
    return int(token) if len(token) < 16 else float(token)


def test_row01_all_rows_of_the_vendor_are_there():
    """No vector of the document is left out."""
    expected = [f"S{n}" for n in range(1, 8)] + ["B1", "B2", "B3", "B3x"]
    expected += [f"P{n}" for n in range(1, 7)] + [f"C{n}" for n in range(1, 8)] + ["J1", "J2", "J3"]
    assert [row["id"] for row in ROWS] == expected


def test_row04_ascii_escaped_signature_is_401():
    """The signature of the vendor's own Python sample, which escapes non-ASCII, is refused."""
    rows = {row["id"]: row for row in ROWS}
    query = {row["id"]: row for row in vectors("calls")["calls"]}["B3"]["query"].encode()
    good = Request(
        "GET", "/balance", query, ((b"x-request-sign", rows["B3"]["signature"].encode()),)
    )
    assert refusal(DIALECT.verify, good, LIVE) is None
    bad = with_header(good, rows["B3x"]["signature"].encode())
    assert refusal(DIALECT.verify, bad, LIVE).why is Rejection.SIGNATURE


def test_row05_every_parameter_is_signed():
    """A parameter that the document does not know is part of the signed object."""
    over = b'{"a":"1","sessionID":"s"}'
    signature = hmac_sha256(INTEGRATION_KEY.encode(), over).encode()
    request = with_header(Request("GET", "/balance", b"sessionID=s&a=1"), signature)
    assert refusal(DIALECT.verify, request, LIVE) is None
    assert CALLS["balance"].read(request, LIVE)[0].session == "s"


def test_row06_a_parameter_added_later_is_401():
    """A query with more parameters than were signed is refused."""
    request = msgspec.structs.replace(get(b"sessionID=s"), query=b"sessionID=s&a=1")
    assert refusal(DIALECT.verify, request, LIVE).why is Rejection.SIGNATURE


@pytest.mark.parametrize(("value", "holds"), [(b'"123"', True), (b"123", False)])
def test_row07_values_are_signed_as_text(value, holds):
    """An id of digits is signed as a string, never as a number."""
    over = b'{"sessionID":' + value + b"}"
    signature = hmac_sha256(INTEGRATION_KEY.encode(), over).encode()
    request = with_header(Request("GET", "/balance", b"sessionID=123"), signature)
    assert (refusal(DIALECT.verify, request, LIVE) is None) == holds


@pytest.mark.parametrize("query", [b"sessionID=a&sessionID=a", b"sessionID=a&x=1&x=2"])
def test_a_repeated_parameter_is_401(query):
    """A query that names a parameter twice has no signed object and is refused."""
    over = b'{"sessionID":"a","x":"2"}' if b"x" in query else b'{"sessionID":"a"}'
    signature = hmac_sha256(INTEGRATION_KEY.encode(), over).encode()
    refused = refusal(DIALECT.verify, with_header(Request("GET", "/b", query), signature), LIVE)
    assert refused.why is Rejection.SIGNATURE
    assert "once" in refused.detail


@pytest.mark.parametrize("query", [b"sessionID=%ff", b"sessionID=\xff", b"%c3%28=1"])
def test_a_query_that_is_no_utf8_is_401(query):
    """Bytes that no text encodes to cannot be signed, and do no harm."""
    request = Request("GET", "/balance", query, ((b"x-request-sign", b"0" * 64),))
    assert "percent-encoded" in refusal(DIALECT.verify, request, LIVE).detail


def test_plus_is_space_and_blank_values_count():
    """The decoded values are signed: plus means a space, and an empty value stays."""
    over = b'{"empty":"","sessionID":"a b+c"}'
    request = get(b"sessionID=a+b%2Bc&empty=")
    assert request.header(b"x-request-sign").decode() == hmac_sha256(INTEGRATION_KEY.encode(), over)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (None, "is missing"),
        (b"", "is empty"),
        (b"0x" + RIGHT, "starts with 0x"),
        (b"0x" + RIGHT[:62], "starts with 0x"),
        (RIGHT.upper(), "upper-case"),
        (RIGHT[:63], "has 63 characters"),
        (RIGHT + b"0", "has 65 characters"),
        (RIGHT + b"\n", "has 65 characters"),
        (b" " + RIGHT, "has 65 characters"),
        ("é".encode() * 32, "outside ASCII"),
        (b"\xff" * 64, "outside ASCII"),
        (b"g" * 64, "not hexadecimal"),
        (b"0" * 64, "signature mismatch"),
    ],
)
def test_a09_bad_header_is_401(header, said):
    """A header that is no signature is refused, and the detail says what is wrong with it."""
    refused = refusal(DIALECT.verify, with_header(BET, header), LIVE)
    assert refused.why is Rejection.SIGNATURE
    assert said in refused.detail
    assert DIALECT.refuse(refused, "bet", LIVE).status == 401


def test_row10_the_core_api_key_is_401():
    """A reverse call that is signed with the key of the Core API is refused."""
    signature = hmac_sha256(API_KEY.encode(), BET.body).encode()
    assert refusal(DIALECT.verify, with_header(BET, signature), LIVE) is not None


def test_row12_white_space_is_signed_as_it_stands():
    """The raw body is signed: one with spaces and its own signature is good."""
    request = post("/bet", BET.body.replace(b",", b", "))
    assert refusal(DIALECT.verify, request, LIVE) is None
    assert CALLS["bet"].read(request, LIVE) == (bet(),)


def test_row12_the_canonical_form_of_another_body_is_401():
    """A body with spaces is not good under the signature of its canonical form."""
    spaced = msgspec.structs.replace(BET, body=BET.body.replace(b",", b", "))
    assert refusal(DIALECT.verify, spaced, LIVE).why is Rejection.SIGNATURE


def test_keys_can_be_rotated():
    """Any active key verifies, the first one signs, and a retired one is refused."""
    old, new = Secret("old"), Secret("new")
    both = integration(integration_api_keys=(new, old))
    for key in ("old", "new"):
        request = with_header(BET, hmac_sha256(key.encode(), BET.body).encode())
        assert refusal(DIALECT.verify, request, both) is None
    assert DIALECT.sign(BET, both) == with_header(BET, hmac_sha256(b"new", BET.body).encode())
    refused = refusal(
        DIALECT.verify, DIALECT.sign(BET, both), integration(integration_api_keys=(old,))
    )
    assert "none of the 1 integration key(s)" in refused.detail


def test_details_hold_no_key_and_no_right_signature():
    """What is told about a mismatch helps nobody to sign."""
    detail = refusal(DIALECT.verify, with_header(BET, b"0" * 64), LIVE).detail
    assert INTEGRATION_KEY not in detail
    assert RIGHT.decode() not in detail


@given(st.integers(0, len(BET.body) * 8 - 1))
def test_row11_a_flipped_bit_of_the_body_is_401(bit):
    """No bit of a signed body can change."""
    body = bytearray(BET.body)
    body[bit // 8] ^= 1 << bit % 8
    request = msgspec.structs.replace(BET, body=bytes(body))
    assert refusal(DIALECT.verify, request, LIVE).why is Rejection.SIGNATURE


@given(st.integers(0, 64 * 8 - 1))
def test_a_flipped_bit_of_the_signature_is_401(bit):
    """No bit of a signature can change."""
    header = bytearray(RIGHT)
    header[bit // 8] ^= 1 << bit % 8
    assert refusal(DIALECT.verify, with_header(BET, bytes(header)), LIVE).why is Rejection.SIGNATURE


@given(st.integers(0, 20 * 8 - 1))
def test_a_flipped_bit_of_the_query_is_401(bit):
    """No bit of a signed query can change."""
    request = get(b"sessionID=Session123")
    query = bytearray(request.query)
    query[bit // 8] ^= 1 << bit % 8
    changed = msgspec.structs.replace(request, query=bytes(query))
    assert refusal(DIALECT.verify, changed, LIVE).why is Rejection.SIGNATURE


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\x1f"), min_size=1))
def test_row03_any_session_can_be_asked_for(session):
    """The balance call of any session verifies and reads back."""
    command = Command(kind=Kind.BALANCE, integration="swipe", session=session[:255])
    request = CALLS["balance"].compose((command,), LIVE, 0)
    assert refusal(DIALECT.verify, request, LIVE) is None
    assert CALLS["balance"].read(request, LIVE) == (command,)


WRONG_BODY = [
    ("the body without byte order mark and white space around it", b"\xef\xbb\xbf{}\n", b"{}"),
    ("the body with a newline at the end", b'{"a":1}', b'{"a":1}\n'),
    ("the canonical JSON of the body", b'{"b": 1, "a": 2}', b'{"a":2,"b":1}'),
    (
        "ASCII-escaped JSON of the body (ensure_ascii left on)",
        '{"a":"é"}'.encode(),
        b'{"a":"\\u00e9"}',
    ),
    ("JSON of the body with < > & escaped (Go's encoder)", b'{"a":"<"}', b'{"a":"\\u003c"}'),
    ("JSON of the body with a space after each colon and comma", b'{"a":1}', b'{"a": 1}'),
]
WRONG_QUERY = [
    ("the raw query", b"sessionID=1", b"sessionID=1"),
    ("the canonical JSON of the query with numbers as numbers", b"sessionID=1", b'{"sessionID":1}'),
    ("the canonical JSON of the query, not URL-decoded", b"s=%20", b'{"s":"%20"}'),
    (
        "the canonical JSON of sessionID alone",
        b"sessionID=1&a=2",
        b'{"sessionID":"1"}',
    ),
    (
        "ASCII-escaped JSON of the query (ensure_ascii left on)",
        b"s=%C3%A9",
        b'{"s":"\\u00e9"}',
    ),
    ("an empty object", b"sessionID=1", b"{}"),
    ("an empty body", b"sessionID=1", b""),
]


def found(request, where=LIVE):
    """The trials of a request, by key and words."""
    return {(trial.key, trial.over): trial for trial in DIALECT.trials(request, where)}


@pytest.mark.parametrize(("over", "body", "signed"), WRONG_BODY)
def test_likely_mistakes_over_a_body_are_tried(over, body, signed):
    """A signature that was made over a wrong form of the body is explained."""
    trial = found(Request("POST", "/bet", body=body))["integration_api_keys[0]", over]
    assert trial.signed == signed
    assert trial.signature == hmac_sha256(INTEGRATION_KEY.encode(), signed)


@pytest.mark.parametrize(("over", "query", "signed"), WRONG_QUERY)
def test_likely_mistakes_over_a_query_are_tried(over, query, signed):
    """A signature that was made over a wrong form of the query is explained."""
    trial = found(Request("GET", "/balance", query))["integration_api_keys[0]", over]
    assert trial.signed == signed
    assert trial.signature == hmac_sha256(INTEGRATION_KEY.encode(), signed)


def test_the_right_way_is_tried_first_with_every_key():
    """Trials begin with the right bytes and each key, the key of the Core API last."""
    where = integration(integration_api_keys=(Secret("new"), Secret("old")))
    first = DIALECT.trials(BET, where)[:3]
    assert [trial.key for trial in first] == [
        "integration_api_keys[0]",
        "integration_api_keys[1]",
        "api_key",
    ]
    assert {trial.signed for trial in first} == {BET.body}
    assert first[0].signature.encode() == DIALECT.sign(BET, where).header(b"x-request-sign")


@given(st.binary(max_size=60), st.sampled_from(["GET", "POST"]))
def test_trials_survive_any_request_and_name_no_secret(raw, method):
    """Whatever was sent is explained: no trial twice, and keys go by their names."""
    trials = DIALECT.trials(Request(method, "/x", raw, body=raw), LIVE)
    assert len({(trial.key, trial.signed) for trial in trials}) == len(trials) > 0
    assert not [trial for trial in trials if INTEGRATION_KEY in trial.key + trial.over]


def test_signing_a_query_without_object_says_why():
    """A query that names a parameter twice cannot be signed."""
    with pytest.raises(BadSignature, match="once"):
        DIALECT.sign(Request("GET", "/balance", b"a=1&a=2"), LIVE)


def test_the_strict_reader_agrees_on_the_vectors():
    """Every signed text of the vectors is JSON that can be read in one way only."""
    assert all(parsed(row["signed"].encode()) is not None for row in ROWS)
