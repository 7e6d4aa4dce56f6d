"""Checklist rows 1 to 15: hash and signature, made, checked and explained."""

import json
from base64 import b64encode
from hashlib import sha256

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st
from nagagames_world import (
    CALLS,
    KEYS,
    LIVE,
    SECRET,
    TRANSFER,
    answer_to,
    enveloped,
    error_of,
    fields,
    integration,
    integration_for,
    post,
    refusal,
    request_of,
    row,
    sandboxed,
    text,
    vectors,
)

from seamline.dialects import rsa
from seamline.dialects.dialect import Reply, Request, Secret
from seamline.dialects.nagagames import DIALECT, signature
from seamline.dialects.signing import as_javascript, hmac_sha256
from seamline.money import Quantity
from seamline.wallet import Rejection

ROWS = vectors("calls")["calls"] + vectors("free_spins")["calls"]
OURS = [each for each in ROWS if each["key"] == "throw_away"]
NUMBERS = vectors("numbers")
HASH_ERROR = (400, "Cannot compare dataHash and checksum!")
SIGNATURE_ERROR = (400, "Cannot verify data!")
UNUSABLE = (400, "Invalid request")


def named(given_):
    """The id of a row of vectors."""
    return given_["id"]


def with_header(request, value, name=b"x-signature"):
    """The request with that signature header alone."""
    return msgspec.structs.replace(request, headers=((name, value),) if value is not None else ())


@pytest.mark.parametrize("given_", ROWS, ids=named)
def test_row01_row02_each_vector_verifies(given_):
    """The vendor's own samples and ours have the right hash and a signature that verifies."""
    assert sha256(given_["data"].encode()).hexdigest() == given_["data_hash"]
    assert refusal(DIALECT.verify, request_of(given_), integration_for(given_)) is None


@pytest.mark.parametrize("given_", ROWS, ids=named)
def test_row01_the_other_key_verifies_no_vector(given_):
    """A sample is refused under the key that did not sign it."""
    other = "throw_away" if given_["key"] == "vendor" else "vendor"
    request = request_of(given_)
    assert answer_to(request, given_["call"], integration_for(given_ | {"key": other})) == (
        SIGNATURE_ERROR
    )


@pytest.mark.parametrize("given_", OURS, ids=named)
def test_row03_signing_is_byte_equal(given_):
    """Signing the data of a vector gives its signature, byte for byte."""
    bare = Request("POST", f"/{given_['call']}", body=enveloped(given_))
    made = DIALECT.sign(bare, LIVE)
    assert made.header(b"x-signature").decode() == given_["signature"]
    assert made.body == bare.body


def test_row03_a_missing_or_wrong_hash_is_put_right():
    """Who signs by hand need not hash by hand."""
    given_ = row("N2")
    for body in (b'{"data":' + given_["data"].encode() + b"}", enveloped(given_, dataHash="x")):
        made = DIALECT.sign(Request("POST", "/place-bet", body=body), LIVE)
        assert json.loads(made.body)["dataHash"] == given_["data_hash"]
        assert made.header(b"x-signature").decode() == given_["signature"]


def test_row04_a_signature_over_the_json():
    """The hash is signed, not the JSON."""
    data = row("N2")["data"]
    assert answer_to(post("place-bet", data, over=data.encode())) == SIGNATURE_ERROR


def test_row05_a_signature_over_the_raw_digest():
    """The characters of the hash are signed, not its 32 bytes."""
    data = row("N2")["data"]
    assert answer_to(post("place-bet", data, over=sha256(data.encode()).digest())) == (
        SIGNATURE_ERROR
    )


def test_row05_another_padding():
    """PSS is another signature."""
    given_ = row("N2")
    private = load_pem_private_key(KEYS["throw_away"]["private_key"].encode(), None)
    made = private.sign(given_["data_hash"].encode(), PSS(MGF1(SHA256()), 32), SHA256())
    assert answer_to(with_header(request_of(given_), b64encode(made))) == SIGNATURE_ERROR


def test_row06_one_byte_of_the_data_changed():
    """Data that was changed does not match the hash, whatever was signed."""
    given_ = row("N2")
    data = given_["data"].replace('"amount":10', '"amount":90')
    assert answer_to(request_of(given_, data=msgspec.Raw(data.encode()))) == HASH_ERROR


def test_row07_data_and_hash_changed():
    """A forged hash matches the data, and then the signature does not match the hash."""
    given_ = row("N2")
    data = given_["data"].replace('"amount":10', '"amount":90').encode()
    forged = request_of(given_, data=msgspec.Raw(data), dataHash=sha256(data).hexdigest())
    assert answer_to(forged) == SIGNATURE_ERROR


def test_row08_a_pretty_printed_body():
    """The vendor's own samples are indented, while their hash is over the compact data."""
    given_ = row("N2")
    body = json.dumps(json.loads(enveloped(given_)), indent=4).encode()
    request = msgspec.structs.replace(request_of(given_), body=body)
    assert answer_to(request) is None
    assert CALLS["place-bet"].read(request, LIVE) == CALLS["place-bet"].read(
        request_of(given_), LIVE
    )


def test_row08_space_within_a_string_is_content():
    """Only space between tokens is taken away, and a token keeps its spelling."""
    raw = b'{ "a" : "x  \\" y" ,\n\t"b":[ 1.50 , 2e1 ] }'
    assert signature.compact(raw) == b'{"a":"x  \\" y","b":[1.50,2e1]}'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, UNUSABLE),
        (b"", UNUSABLE),
        (b"not base64!", SIGNATURE_ERROR),
        (b"\xff" * 172, SIGNATURE_ERROR),
        (b"AAAA", SIGNATURE_ERROR),
    ],
    ids=["missing", "empty", "not base64", "bytes", "short"],
)
def test_row10_a_header_that_is_no_signature(value, expected):
    """A missing header is an invalid request; any other text is one that does not verify."""
    assert answer_to(with_header(request_of(row("N2")), value)) == expected


def test_row10_a_wrong_key():
    """Another vendor's signature does not verify."""
    request = DIALECT.sign(Request("POST", "/place-bet", body=enveloped(row("N2"))), sandboxed())
    assert answer_to(request) == SIGNATURE_ERROR


def test_row10_a_signature_has_one_spelling():
    """Base64 has bits that nobody reads; another spelling of a signature is refused."""
    right = row("N2")["signature"]
    last = right[-2]
    others = {chr(ord(last) + step) for step in (1, 2)} - {last}
    for other in others:
        assert answer_to(with_header(request_of(row("N2")), f"{right[:-2]}{other}=".encode()))
    assert rsa.from_base64(f"{right}\n".encode()) is None


def test_row11_a_hash_in_capitals():
    """A hash in upper case is accepted, signed as it is written or in lower case."""
    given_ = row("N2")
    capitals = given_["data_hash"].upper()
    proxied = request_of(given_, dataHash=capitals)
    assert answer_to(proxied) is None
    signed = rsa.signature_of(KEYS["throw_away"]["private_key"], capitals.encode())
    assert answer_to(with_header(proxied, rsa.to_base64(signed))) is None


def test_row12_keys_reordered_by_a_proxy():
    """The hash of the documented order verifies, whatever order a proxy made of the fields."""
    data = fields("N2")
    reordered = text(dict(sorted(data.items(), reverse=True))).encode()
    assert answer_to(post("place-bet", text(data), spaced=reordered)) is None
    payout = fields("VN1", brandCode="dodo", groupCode="dapd")
    reordered = text(dict(sorted(payout.items()))).encode()
    assert answer_to(post("payout", text(payout), spaced=reordered), "payout") is None
    assert answer_to(post("balance", text(payout), spaced=reordered)) == HASH_ERROR


def test_row13_what_is_absent_is_not_null():
    """Optional fields that are left out are left out of the hash too."""
    bare = row("N3")
    assert answer_to(request_of(bare)) is None
    with_nulls = text(fields("N3", betType=None, isLastFreeSpins=None)).encode()
    assert answer_to(post("place-bet", bare["data"], spaced=with_nulls)) == HASH_ERROR


@pytest.mark.parametrize("spelled", NUMBERS["spelled"], ids=lambda each: each["amount"])
def test_row14_a_number_is_hashed_as_it_is_written(spelled):
    """Another spelling of the amount is another hash, and is good under that very hash."""
    data = row("N2")["data"].replace('"amount":10', f'"amount":{spelled["amount"]}')
    assert sha256(data.encode()).hexdigest() == spelled["data_hash"]
    request = post("place-bet", data)
    assert answer_to(request) is None
    (command,) = CALLS["place-bet"].read(request, LIVE)
    assert command.amount.same_value(Quantity(10))


@pytest.mark.parametrize("sent", ["10.0", "10.00", "1e1"])
def test_row14_a_proxy_may_spell_a_number_anew(sent):
    """What JavaScript would have written of the number verifies as well."""
    data = row("N2")["data"]
    spaced = data.replace('"amount":10', f'"amount":{sent}').encode()
    assert answer_to(post("place-bet", data, spaced=spaced)) is None


def test_row14_a_number_spelled_anew_in_the_vendors_own_order():
    """Should the vendor send its fields in another order than documented, that order counts."""
    data = text(dict(reversed(fields("N2").items())))
    spaced = data.replace('"amount":10', '"amount":10.0').encode()
    assert spaced != data.encode()
    assert answer_to(post("place-bet", data, spaced=spaced)) is None


@pytest.mark.parametrize(("token", "written"), NUMBERS["javascript"])
def test_row14_numbers_as_javascript_writes_them(token, written):
    """The table of the numbers that other languages write differently."""
    assert as_javascript(token.encode()) == written.encode()


def test_row15_slashes_and_characters_outside_ascii_are_not_escaped():
    """A proxy that escapes them does no harm."""
    given_ = row("N9")
    assert answer_to(request_of(given_), "authorize") is None
    escaped = json.dumps(json.loads(given_["data"])).replace("/", "\\/").encode()
    assert answer_to(post("authorize", given_["data"], spaced=escaped), "authorize") is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"data":{}}', b'{"dataHash":"x"}', b"[" * 5000,
     b'{"data":{},"dataHash":7}', b"\xff", b'{"data":NaN,"dataHash":"x"}'],
    ids=repr,
)  # fmt: skip
def test_a_body_without_envelope(body):
    """What has no data or no hash is an invalid request."""
    assert answer_to(with_header(Request("POST", "/place-bet", body=body), b"AAAA")) == UNUSABLE


def test_a_name_that_comes_twice():
    """Data that can be read in two ways is refused, in the envelope and within data."""
    data = row("N2")["data"]
    twice = data[:-1] + ',"amount":1}'
    assert answer_to(post("place-bet", twice)) == (400, "Invalid data: amount")
    request = post("place-bet", data)
    doubled = request.body[:-1] + b',"data":' + data.encode() + b"}"
    assert answer_to(msgspec.structs.replace(request, body=doubled)) == (400, "Invalid data: data")


def test_two_public_keys_are_active():
    """While keys change, the vendor's old one and its new one verify."""
    keys = (Secret(KEYS["vendor"]["public_key"]), *LIVE.options.public_keys)
    both = integration(public_keys=keys)
    for name in ("N2", "N6"):
        assert refusal(DIALECT.verify, request_of(row(name)), both) is None
    vendor = integration(public_keys=keys, brand_code="dtdr", group_code="dpae")
    assert refusal(DIALECT.verify, request_of(row("VN1")), vendor) is None


@pytest.mark.parametrize("where", [LIVE, TRANSFER], ids=["seamless", "transfer"])
@pytest.mark.parametrize("body", [b"", b"[", b"7", b"{}", b'{"data":'])
def test_what_has_no_data_is_signed_and_refused(where, body):
    """Whoever tries what a broken body does gets a signature for it."""
    request = DIALECT.sign(Request("POST", "/authorize", body=body), where)
    assert request.header(b"x-signature")
    assert answer_to(request, "authorize", where)[0] == 400


def test_only_the_vendor_can_sign():
    """Without the private key nothing is signed."""
    without = integration(private_key=None)
    refused = refusal(
        DIALECT.sign, Request("POST", "/balance", body=enveloped(row("VN2"))), without
    )
    assert refused.why is Rejection.MALFORMED
    assert refused.field == "private_key"


def test_what_the_tests_refuse_is_told_apart():
    """The details name the check that failed, for engineers."""
    given_ = row("N2")
    hashes = refusal(DIALECT.verify, request_of(given_, dataHash="0" * 64), LIVE)
    assert (hashes.why, hashes.field) == (Rejection.SIGNATURE, "dataHash")
    signatures = refusal(DIALECT.verify, with_header(request_of(given_), b"AAAA"), LIVE)
    assert (signatures.why, signatures.field) == (Rejection.SIGNATURE, None)
    assert error_of(signatures) == SIGNATURE_ERROR


# Transfer mode.


@pytest.mark.parametrize(
    "shape", [lambda data: data, lambda data: {"data": data}], ids=["flat", "data"]
)
def test_transfer_mode_authorizes_by_hmac(shape):
    """The vendor's documents show a `data` object, its clients send the fields as they are."""
    found = vectors("transfer")
    vector = next(each for each in found["vectors"] if each["operation"] == "authorize")
    where = integration(
        mode="transfer", secret_key=Secret(SECRET), group_code="dpae", brand_code="srot"
    )
    body = msgspec.json.encode(shape(msgspec.Raw(vector["signed"].encode())))
    headers = ((b"x-signature", vector["signature"].encode()),)
    request = Request("POST", "/authorize", headers=headers, body=body)
    assert found["secret"] == SECRET
    assert answer_to(request, "authorize", where) is None
    assert DIALECT.sign(request, where).header(b"x-signature") == vector["signature"].encode()
    spoilt = msgspec.structs.replace(request, body=body.replace(b"persian", b"parsian"))
    assert answer_to(spoilt, "authorize", where) == SIGNATURE_ERROR


def test_transfer_mode_has_no_bets():
    """The vendor holds the wallet, so that nothing but authorize is answered."""
    for name in ("place-bet", "payout", "cancel-bet", "balance", "bet-status", "player-token"):
        request = DIALECT.sign(
            Request("POST", f"/{name}", body=b'{"data":{"betId":"1"}}'), TRANSFER
        )
        assert answer_to(request, name, TRANSFER) == (404, "Not found")


def test_transfer_mode_refuses_what_is_no_object():
    """A body that is no JSON object is refused like any other."""
    for body in (b"", b"[]", b"{", b"7"):
        request = with_header(Request("POST", "/authorize", body=body), b"AAAA")
        assert answer_to(request, "authorize", TRANSFER) == UNUSABLE


@pytest.mark.parametrize("where", [LIVE, TRANSFER, integration(private_key=None)], ids=repr)
@given(body=st.binary(max_size=200), header=st.binary(max_size=200))
def test_any_bytes_are_refused(where, body, header):
    """Nothing that comes in is taken for signed, and nothing breaks the check."""
    request = Request("POST", "/place-bet", headers=((b"x-signature", header),), body=body)
    assert refusal(DIALECT.verify, request, where) is not None
    assert all(trial.signature for trial in DIALECT.trials(request, where))


# Explanations.


def test_the_right_signature_is_explained_first():
    """The first trial is the right one, and every other one is made over other bytes or keys."""
    request = request_of(row("N2"))
    found = DIALECT.trials(request, LIVE)
    assert found[0].signature.encode() == request.header(b"x-signature")
    assert found[0].signed == row("N2")["data_hash"].encode()
    assert len({(each.key, each.signed) for each in found}) == len(found)


@pytest.mark.parametrize(
    ("over", "says"),
    [
        (lambda data: data, "itself, not its hash"),
        (lambda data: sha256(data).digest(), "32 raw bytes"),
        (lambda data: sha256(data).hexdigest().encode(), "(right)"),
    ],
)
@pytest.mark.parametrize("where", [LIVE, integration(private_key=None)], ids=["private", "public"])
def test_a_wrong_signature_is_explained(where, over, says):
    """What was signed instead is found out by the public key alone."""
    data = row("N2")["data"].encode()
    request = post("place-bet", data, over=over(data))
    header = request.header(b"x-signature").decode()
    found = [each for each in DIALECT.trials(request, where) if each.signature == header]
    assert found
    assert says in found[0].over


def test_a_signature_that_nobody_can_make_is_shown_by_its_length():
    """With the public key alone the right signature is unknown, but not how long it is."""
    where = integration(private_key=None)
    found = DIALECT.trials(with_header(request_of(row("N2")), b"AAAA"), where)
    assert {each.signature for each in found} == {"?" * 172}


def test_the_hash_that_was_expected_is_told():
    """A wrong hash is told with the right one, as anybody may know that."""
    refused = refusal(DIALECT.verify, request_of(row("N2"), dataHash="0" * 64), LIVE)
    assert row("N2")["data_hash"] in refused.detail


def test_an_hmac_is_explained():
    """In transfer mode the right text comes first, then the likely wrong ones."""
    request = DIALECT.sign(Request("POST", "/authorize", body=b'{ "playerToken": "t" }'), TRANSFER)
    found = DIALECT.trials(request, TRANSFER)
    assert found[0].signature.encode() == request.header(b"x-signature")
    assert found[0].signature == hmac_sha256(SECRET.encode(), b'{"playerToken":"t"}')
    assert any(each.signed == request.body for each in found)


def redacted(body):
    """A body as it is recorded, of a request and of a reply alike."""
    request, reply = DIALECT.redact(Request("POST", "/x", body=body), Reply(200, body), None, None)
    assert request.body == reply.body
    return request.body


def test_tokens_are_not_recorded():
    """A recorded body shows the hash of a token, and is otherwise as it was."""
    body = enveloped(row("N1"))
    recorded = redacted(body)
    token = json.loads(row("N1")["data"])["playerToken"]
    assert token.encode() not in recorded
    shown = json.loads(recorded)["data"]["playerToken"]
    assert shown == f"sha256:{sha256(token.encode()).hexdigest()[:16]}"
    assert redacted(b'{"playerToken" : "a\\"b","x":1}').startswith(b'{"playerToken" : "sha256')
    assert redacted(b"no json") == b"no json"
