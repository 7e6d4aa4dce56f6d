"""Signatures, row 1 of the checklist and its neighbours: every vector, and the edges of time."""

import json

import pytest
from oppigames_world import AT, HERE, KEY, SECRET, integration, refusal, request, vectors

from seamline.dialects.dialect import Request, Secret
from seamline.dialects.oppigames import DIALECT
from seamline.dialects.oppigames.reasons import Reason, reason_of
from seamline.dialects.oppigames.signature import sign, signed_by_us, trials, verify
from seamline.dialects.signing import hmac_sha256
from seamline.wallet import Rejection

SIGNATURES = vectors("signatures")
ROWS = {row["id"]: row for row in SIGNATURES["vectors"]}
RAW = integration(lenient_canonical=False)


@pytest.mark.parametrize("name", ROWS)
def test_row01_each_vector_is_signed_as_published(name):
    """HMAC-SHA256 over body, `|` and time gives the published digits."""
    row = ROWS[name]
    secret = row.get("secret", SIGNATURES["secret"]).encode()
    over = f"{row['body']}|{row['time']}".encode()
    assert hmac_sha256(secret, over) == row["signature"]


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("where", [HERE, RAW], ids=["lenient", "raw"])
def test_row01_each_vector_verifies_but_the_one_of_another_secret(name, where):
    """A published signature is accepted over its very bytes; O16 is made with a wrong secret."""
    row = ROWS[name]
    time = int(row["time"])
    body = b"" if name in ("O7", "O8") else row["body"].encode()
    mode = "bare" if name == "O8" else "quoted"
    at = integration(empty_body_mode=mode, lenient_canonical=where.options.lenient_canonical)
    asked = request(body, time=time, at_ms=time, x_signature=row["signature"].encode())
    assert (refusal(verify, asked, at) is None) == (name != "O16")


@pytest.mark.parametrize("row", SIGNATURES["lenient"], ids=lambda row: row["body"])
def test_row08_another_spelling_verifies_where_lenient(row):
    """A body that was written again verifies as JavaScript would write it, and else does not."""
    asked = request(
        ROWS[row["body"]]["body"], x_signature=ROWS[row["signature"]]["signature"].encode()
    )
    assert refusal(verify, asked, HERE) is None
    refused = refusal(verify, asked, RAW)
    assert (refused.why, reason_of(refused)) == (Rejection.SIGNATURE, Reason.INVALID_SIGNATURE)


@pytest.mark.parametrize("body", ['{"a":1,"a":1}', '{"a":1e400}', "[", '{"a": NaN}'])
def test_what_can_be_read_in_two_ways_is_not_written_again(body):
    """A body that JavaScript would not write back is good under a signature of its own only."""
    assert refusal(verify, request(body), HERE) is None
    assert refusal(verify, request(body, over='{"a":1}'), HERE) is not None


def test_a_large_body_is_not_written_again():
    """Above 128 KiB the bytes decide: writing more again is work that anybody could ask for."""
    spaced = json.dumps({"a": "x" * 131_072})
    assert refusal(verify, request(spaced), HERE) is None
    assert refusal(verify, request(spaced, over=spaced.replace(" ", "")), HERE) is not None


@pytest.mark.parametrize(
    ("off_ms", "accepted"),
    [(0, True), (-300_000, True), (300_000, True), (-300_001, False), (300_001, False)],
)
def test_row06_and_07_the_window_is_five_minutes_either_way(off_ms, accepted):
    """A time is accepted up to 300,000 ms from the clock, the edges included."""
    refused = refusal(verify, request("{}", time=AT + off_ms), HERE)
    assert (refused is None) == accepted
    if not accepted:
        assert (refused.why, reason_of(refused)) == (Rejection.STALE, Reason.STALE_TIMESTAMP)
        assert "300001 ms" in refused.detail


def test_row07_the_window_can_be_left_off():
    """A window of 0 accepts any time, but no text that is none."""
    off = integration(freshness_ms=0)
    assert refusal(verify, request("{}", time=1), off) is None
    assert refusal(verify, request("{}", time="abc"), off).why is Rejection.STALE


@pytest.mark.parametrize(
    "time", ["abc", "2024-11-13T13:27:31.691Z", "-1", " 1", "1e3", "٣", "1" * 17]
)
def test_row07_a_time_in_another_form_is_stale(time):
    """Only digits are milliseconds; the signature over the text is right all the same."""
    refused = refusal(verify, request("{}", time=time, x_timestamp=time.encode()), HERE)
    assert refused.why is Rejection.STALE


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"x_api_key": None}, Reason.MISSING_HEADER),
        ({"x_signature": b""}, Reason.MISSING_HEADER),
        ({"x_timestamp": None}, Reason.MISSING_HEADER),
        ({"content_type": None}, Reason.MISSING_HEADER),
        ({"content_type": b"text/plain", "x_api_key": b"?"}, Reason.BAD_CONTENT_TYPE),
        ({"x_api_key": b"?"}, Reason.INVALID_API_KEY),
        ({"x_api_key": b"?", "x_timestamp": b"1"}, Reason.INVALID_API_KEY),
        ({"x_timestamp": b"1"}, Reason.INVALID_SIGNATURE),
        ({"x_signature": b"0" * 64}, Reason.INVALID_SIGNATURE),
        ({"x_signature": b"0" * 63}, Reason.INVALID_SIGNATURE),
        ({"x_signature": b"aA" * 32}, Reason.INVALID_SIGNATURE),
    ],
)
def test_the_first_check_that_fails_is_named(headers, reason):
    """Headers, content type, key, signature, age: in this order."""
    refused = refusal(verify, request("{}", **headers), HERE)
    assert (refused.why, reason_of(refused)) == (Rejection.SIGNATURE, reason)
    assert refused.detail


def test_row05_upper_case_digits_are_as_good():
    """The digits may be of either case, but not of both."""
    right = request("{}").header(b"x-signature")
    assert refusal(verify, request("{}", x_signature=right.upper()), HERE) is None


def test_any_of_the_secrets_verifies_and_the_first_signs():
    """A secret is replaced without a gap: the new one is put before the old one."""
    both = integration(secrets=(Secret("new"), Secret(SECRET)))
    assert refusal(verify, request("{}"), both) is None
    assert refusal(verify, request("{}", over="{ }", where=both), both) is not None
    fresh = sign(Request("POST", "/x", body=b"{}", at_ms=AT), both)
    assert fresh.header(b"x-signature") == hmac_sha256(b"new", f"{{}}|{AT}".encode()).encode()
    assert refusal(verify, fresh, HERE) is not None


def test_our_calls_may_have_a_pair_of_their_own():
    """Where the vendor gave another pair for its API, that one is used there, and only there."""
    own = integration(vendor_api_key="ours", vendor_secret=Secret("our secret"))
    asked = signed_by_us(Request("POST", "/x", body=b"{}", at_ms=AT), own)
    assert asked.header(b"x-api-key") == b"ours"
    over = f"{{}}|{AT}".encode()
    assert asked.header(b"x-signature") == hmac_sha256(b"our secret", over).encode()
    assert signed_by_us(asked, HERE).header(b"x-api-key") == KEY.encode()
    assert refusal(verify, asked, own) is not None


def test_signing_keeps_a_time_that_is_there():
    """A request that names its time is signed for that time."""
    timed = Request("POST", "/x", headers=((b"x-timestamp", b"7"),), body=b"{}", at_ms=AT)
    assert sign(timed, HERE).header(b"x-timestamp") == b"7"
    assert sign(Request("POST", "/x", at_ms=AT), HERE).header(b"x-timestamp") == str(AT).encode()


@pytest.mark.parametrize(
    ("over", "said"),
    [
        (b'{"b":2,"a":1}|%d', "right"),
        (b'{"b": 2, "a": 1}|%d', "json.dumps"),
        (b'{"a":1,"b":2}|%d', "sorted names"),
        (b'{"b":2,"a":1}', "alone"),
        (b'{"b":2,"a":1}%d', "without '|'"),
        (b'%d|{"b":2,"a":1}', "x-timestamp, '|'"),
    ],
)
def test_a_likely_mistake_is_explained(over, said):
    """Every likely way to have signed wrongly is tried and named."""
    text = over % AT if b"%d" in over else over
    asked = request('{"b":2,"a":1}')
    digits = hmac_sha256(SECRET.encode(), text)
    found = [trial for trial in trials(asked, HERE) if trial.signature == digits]
    assert [said in trial.over for trial in found] == [True]


def test_secrets_are_told_apart_and_never_shown():
    """The explanation names the key by its place in the settings."""
    own = integration(secrets=(Secret("a" * 9), Secret("b" * 9)), vendor_api_key="k",
                      vendor_secret=Secret("c" * 9))  # fmt: skip
    found = trials(request("{}"), own)
    assert {trial.key for trial in found} == {"secrets[0]", "secrets[1]", "vendor_secret"}
    assert "aaaa" not in repr(found)
    assert DIALECT.secret_headers == {b"x-signature"}
