"""The laws about signatures and raw bytes that every dialect keeps, whatever its vendor."""

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from kit.saying import NOW, call_named, of_each_call, refusal, said, sayable, well_formed
from kit.vendor import integration_of
from seamline.dialects import dialects
from seamline.dialects.dialect import Refused, Request
from seamline.wallet import Rejection


def flipped(raw, bit):
    """The bytes with one bit turned over."""
    at, mask = divmod(bit % (8 * len(raw)), 8)
    return raw[:at] + bytes([raw[at] ^ 1 << mask]) + raw[at + 1 :]


def with_signature(request, header, change):
    """The request with a changed signature header."""
    headers = [(key, change(old) if key == header else old) for key, old in request.headers]
    return msgspec.structs.replace(request, headers=tuple(headers))


def without_case(request, dialect):
    """The request with its signature in small letters."""
    return with_signature(request, dialect.signature_header, bytes.lower)


def in_any_case(dialect, request, integration):
    """Whether the dialect takes a signature in capitals for the same one."""
    capitals = with_signature(request, dialect.signature_header, bytes.upper)
    return refusal(dialect.verify, capitals, integration) is None


@of_each_call
@given(data=st.data(), bit=st.integers(0, 2**20))
def test_a_flipped_bit_of_the_signature_is_refused(name, call_name, data, bit):
    """One wrong bit in the signature, and the request is refused as badly signed."""
    _, request = data.draw(said(name, call_name))
    dialect = dialects()[name]
    broken = with_signature(request, dialect.signature_header, lambda old: flipped(old, bit))
    assume(broken != request)
    if in_any_case(dialect, request, integration_of(name)):
        assume(without_case(broken, dialect) != without_case(request, dialect))
    refused = refusal(dialect.verify, broken, integration_of(name))
    assert refused is not None
    assert refused.why is Rejection.SIGNATURE


@of_each_call
@given(data=st.data(), bit=st.integers(0, 2**20))
def test_a_flipped_bit_of_the_request_changes_nothing(name, call_name, data, bit):
    """One wrong bit in body or query is refused; or it was one that means nothing."""
    _, request = data.draw(said(name, call_name))
    part = "body" if request.body else "query"
    assume(getattr(request, part))
    broken = msgspec.structs.replace(request, **{part: flipped(getattr(request, part), bit)})
    integration, call = integration_of(name), call_named(name, call_name)
    if refusal(dialects()[name].verify, broken, integration) is None:
        # Not with what was said: an amount of 0.00 may be 0 on the wire.
        assert call.read(broken, integration) == call.read(request, integration)


@of_each_call
def test_a_missing_signature_is_refused(name, call_name):
    """A request without the signature header is refused, and the detail says so."""
    dialect, integration = dialects()[name], integration_of(name)
    for items in sayable(name, call_name):
        request = call_named(name, call_name).compose(items, integration, NOW)
        bare = tuple(pair for pair in request.headers if pair[0] != dialect.signature_header)
        refused = refusal(
            dialect.verify, msgspec.structs.replace(request, headers=bare), integration
        )
        assert refused.why is Rejection.SIGNATURE
        assert refused.detail


@of_each_call
def test_the_signature_header_is_secret_and_signed_by_sign(name, call_name):
    """The signature is in the header that the dialect names, which is never recorded."""
    dialect, integration = dialects()[name], integration_of(name)
    assert dialect.signature_header in dialect.secret_headers
    for items in sayable(name, call_name):
        request = call_named(name, call_name).compose(items, integration, NOW)
        assert request.header(dialect.signature_header)
        again = dialect.sign(msgspec.structs.replace(request, headers=()), integration)
        assert refusal(dialect.verify, again, integration) is None


header_values = st.binary(max_size=80) | st.text("0123456789abcdef", min_size=64, max_size=64).map(
    str.encode
)


@of_each_call
@given(
    body=st.binary(max_size=200),
    query=st.binary(max_size=80),
    signature=header_values,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
)
def test_any_bytes_are_verified_or_refused(name, call_name, body, query, signature, method):
    """Nothing that comes in makes `verify` raise anything but a refusal."""
    dialect, call = dialects()[name], call_named(name, call_name)
    headers = ((dialect.signature_header, signature),)
    refused = refusal(
        dialect.verify, Request(method, call.path, query, headers, body), integration_of(name)
    )
    assert refused is not None


def mutated(data, raw):
    """The bytes with a few of them cut, doubled, changed or put in."""
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        upto = data.draw(st.integers(at, min(len(raw), at + 12)))
        put = data.draw(
            st.binary(max_size=6)
            | st.sampled_from(
                [b'"', b"null", b"1e3", b"{", b"[[", b"\\u0000", b"\\ud800", b"\xff", b"-1", b"&"]
            )
        )
        raw = raw[:at] + put + raw[upto:]
    return raw


@of_each_call
@given(data=st.data())
def test_any_signed_bytes_are_read_or_refused(name, call_name, data):
    """A vendor's own mistakes, rightly signed, are read as items or refused; nothing else."""
    dialect, integration = dialects()[name], integration_of(name)
    call = call_named(name, call_name)
    _, request = data.draw(said(name, call_name))
    part = "body" if request.body else "query"
    raw = data.draw(st.binary(max_size=120)) if data.draw(st.booleans()) else mutated(
        data, getattr(request, part)
    )  # fmt: skip
    try:
        request = dialect.sign(msgspec.structs.replace(request, **{part: raw}), integration)
    except Refused:
        assume(False)
    if refusal(dialect.verify, request, integration) is None:
        refused = refusal(call.read, request, integration)
        assert refused is not None or call.read(request, integration)
        if refused is not None:
            assert well_formed(dialect.refuse(refused, call_name, integration))


@of_each_call
@given(data=st.data(), raw=st.binary(max_size=80))
def test_trials_explain_any_request(name, call_name, data, raw):
    """The explanation of a signature begins with the right way and survives any bytes."""
    dialect, integration = dialects()[name], integration_of(name)
    _, request = data.draw(said(name, call_name))
    right = dialect.trials(request, integration)[0]
    assert right.signature.encode() == request.header(dialect.signature_header)
    part = "body" if request.body else "query"
    broken = msgspec.structs.replace(request, **{part: raw})
    assert all(trial.signature for trial in dialect.trials(broken, integration))
