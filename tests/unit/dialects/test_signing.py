"""What signatures are made of: HMAC, canonical JSON, and JSON that reads in one way only."""

import json
from contextlib import suppress

import msgspec
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from seamline.dialects.signing import (
    BadJson,
    as_javascript,
    canonical,
    hmac_sha256,
    parsed,
    same,
    strictly,
)


class Address(msgspec.Struct, rename={"post_code": "postCode"}):
    """A nested shape."""

    post_code: str


class Person(msgspec.Struct, omit_defaults=True):
    """A shape with a nested one."""

    name: str
    age: int = 0
    address: Address | None = None


PERSON = msgspec.json.Decoder(Person)

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
)


def detail(raw, decoder=None):
    """Why the text is refused, as (field, detail)."""
    with pytest.raises(BadJson) as raised:
        parsed(raw) if decoder is None else strictly(raw, decoder)
    return raised.value.field, raised.value.detail


def test_hmac_is_lower_case_hexadecimal():
    """RFC 4231, test case 2."""
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


@given(st.text(st.characters(max_codepoint=127)), st.binary())
def test_same_is_equality_of_bytes(expected, given_bytes):
    """Comparing in constant time gives what comparing gives, for any bytes."""
    assert same(expected, expected.encode())
    assert same(expected, given_bytes) == (expected.encode() == given_bytes)


@given(values)
def test_canonical_reads_back(value):
    """The canonical form says the same, and is its own canonical form."""
    text = canonical(value)
    assert parsed(text) == value
    assert canonical(parsed(text)) == text


@given(names)
def test_an_encoded_text_is_canonical(text):
    """The fast encoder writes text as RFC 8785 wants it, so structs in name order are canonical."""
    assert msgspec.json.encode(text) == rfc8785.dumps(text)


@pytest.mark.parametrize("value", ["\ud800", {"\udc00": 1}, 2**53, [float("nan")], float("inf")])
def test_what_has_no_canonical_form_is_refused(value):
    """Lone surrogates, whole numbers past 2**53 and what is no number are refused."""
    with pytest.raises(BadJson, match="no canonical form"):
        canonical(value)


def test_endless_nesting_has_no_canonical_form():
    """A value that is nested without end is refused, not followed."""
    value = []
    value.append(value)
    with pytest.raises(BadJson):
        canonical(value)


DUPLICATES = [
    b'{"name":"a","name":"b"}',
    b'{"name":"a","\\u006eame":"b"}',
    b'{"\\u006eame":"a","name":"a"}',
    b'{"name":"a","x":{"y":1,"y":1}}',
    b'{"name":"a","x":[[{"y":1,"\\u0079":2}]]}',
    b'{"name":"a", "x":1, "x":1}',
    b'{"name":"a","":1,"":2}',
    b'{"name":"a","address":{"postCode":"1","postCode":"1"}}',
    '{"name":"a","é":1,"\\u00e9":2}'.encode(),
    b'{"name":"a","\\ud83c\\udfb2":1,"\xf0\x9f\x8e\xb2":2}',
]


@pytest.mark.parametrize("raw", DUPLICATES)
def test_a_name_that_comes_twice_is_refused(raw):
    """At any depth, known to the shape or not, and however the name is spelled."""
    assert "comes twice" in detail(raw)[1]
    assert detail(raw) == detail(raw, PERSON)


@given(st.dictionaries(names, values, min_size=1, max_size=4), st.data())
def test_a_repeated_member_is_refused_wherever_it_stands(value, data):
    """Repeating any member of an object, in either spelling, makes it unreadable."""
    name = data.draw(st.sampled_from(sorted(value)))
    escaped = "".join(
        f"\\u{unit:04x}" for unit in memoryview(name.encode("utf-16-le")).cast("H").tolist()
    )
    spelled = data.draw(st.sampled_from([json.dumps(name), f'"{escaped}"']))
    raw = canonical(value)[:-1] + f",{spelled}:null}}".encode()
    assert detail(raw)[0] == name


@given(values)
def test_distinct_names_are_let_through(value):
    """Nothing that can be read in one way only is refused."""
    assert parsed(json.dumps(value, indent=1).encode()) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"{}x",
        b"{'a':1}",
        b'{"a":1,}',
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'{"\xff":1}',
        b'"\\ud800"',
        b'{"\\udc00":1}',
        b'"\\ud800\\u0041"',
        b"NaN",
        b"[Infinity]",
        b'"a\nb"',
        "{}".encode("utf-16"),
        b"[" * 100_000,
        b"9" * 5_000,
    ],
)
def test_what_is_no_json_is_refused(raw):
    """Broken, wrongly encoded, endless or out of the language: refused, whatever the shape."""
    assert detail(raw)[0] is None
    assert detail(raw, msgspec.json.Decoder(object))[1]


@pytest.mark.parametrize(
    "inside", [b'"\xff"', b'"\\ud800"', b"NaN", b"[" * 50_000, b"01", b'"\x00"']
)
def test_what_the_shape_skips_is_checked_too(inside):
    """A member that nobody asked for must be JSON as well."""
    raw = b'{"name":"a","x":' + inside + b"}"
    assert detail(raw, PERSON)[1]


@pytest.mark.parametrize(
    ("raw", "field", "said"),
    [
        (b"{}", "name", "missing"),
        (b'{"name":1}', "name", "Expected `str`, got `int`"),
        (b'{"name":null}', "name", "Expected `str`, got `null`"),
        (b'{"name":"a","address":{}}', "address.postCode", "missing"),
        (b'{"name":"a","address":{"postCode":1}}', "address.postCode", "got `int`"),
        (b"[]", None, "got `array`"),
        (b"null", None, "got `null`"),
    ],
)
def test_a_wrong_shape_names_the_field(raw, field, said):
    """The place is told by the names of the wire, and what was expected there."""
    told = detail(raw, PERSON)
    assert told[0] == field
    assert said in told[1]


def test_a_place_in_a_list_is_named():
    """The place within a list is told too."""
    people = msgspec.json.Decoder(list[Person])
    assert detail(b'[{"name":1}]', people)[0] == "[0].name"
    assert detail(b"[{}]", people)[0] == "[0].name"


@pytest.mark.parametrize(
    "raw",
    [
        b'{"name":"a"}',
        b'{"age":3,"name":"a"}',
        b'{ "name": "a" }\n',
        b'{"name":"a","unknown":{"a":[1,2.5,true,null]}}',
        b'{"\\u006eame":"a"}',
        '{"name":"é \\ud83c\\udfb2"}'.encode(),
    ],
)
def test_one_reading_is_enough(raw):
    """Order, spelling, white space and unknown members are free."""
    assert strictly(raw, PERSON).name[0] in "aé"


@given(st.binary(max_size=40))
@example(b'{"name":"')
def test_nothing_else_is_raised(raw):
    """Whatever the bytes, they are read or refused."""
    for read in (parsed, lambda text: strictly(text, PERSON)):
        with suppress(BadJson):
            read(raw)


def rewritten(text):
    """What JavaScript would write, as text."""
    return as_javascript(text.encode()).decode()


#: What Node 20 prints for `JSON.stringify(JSON.parse(text))`.
AS_NODE_PRINTS = [
    ("50000000.0", "50000000"),
    ("102.90", "102.9"),
    ("-0", "0"),
    ("-0.0e5", "0"),
    ("1e-7", "1e-7"),
    ("0.000001234", "0.000001234"),
    ("0.0000001234", "1.234e-7"),
    ("1e16", "10000000000000000"),
    ("123456789012345680000", "123456789012345680000"),
    ("1e21", "1e+21"),
    ("-1.50E+21", "-1.5e+21"),
    ("9007199254740993", "9007199254740992"),
    ("9007199254740995", "9007199254740996"),
    ("0.1000000000000000055511151231257827", "0.1"),
    ("0.3000000000000000444", "0.30000000000000004"),
    ("99999999999999999999", "100000000000000000000"),
    ("5.9604644775390625e-8", "5.960464477539063e-8"),
    ("1.7976931348623157e308", "1.7976931348623157e+308"),
    ("5e-324", "5e-324"),
    ("2.5e-324", "5e-324"),
    ("2.4e-324", "0"),
    ("1e-999999", "0"),
    (' { "b" : 1 , "10" : 2 , "2" : [ ] } ', '{"2":[],"10":2,"b":1}'),
    (
        '{"4294967295":5,"4294967294":4,"01":1,"-1":2,"0":3}',
        '{"0":3,"4294967294":4,"4294967295":5,"01":1,"-1":2}',
    ),
    (
        r'"\u0001\u001F\b\f\n\r\t\"\\\/\u007f\u2028"',
        '"\\u0001\\u001f\\b\\f\\n\\r\\t\\"\\\\/\x7f\u2028"',
    ),
    (r'"\ud83d\ude00\uD83D x\ude00"', '"\U0001f600\\ud83d x\\ude00"'),
    ("[true,false,null,{}]", "[true,false,null,{}]"),
    ('"12.50"', '"12.50"'),
    ('\ufeff{"a": 1}\n', '{"a":1}'),
]


@pytest.mark.parametrize(("text", "printed"), AS_NODE_PRINTS)
def test_json_is_written_as_javascript_does(text, printed):
    """Numbers, names, characters and white space come out as Node prints them."""
    assert rewritten(text) == printed


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(2.0**-1074)
@example(2.0**-24)
@example(1e23)
def test_a_double_comes_out_as_the_double_that_it_is(double):
    """However many digits a double is written with, it comes out shortest, as Python's own does."""
    shortest = rewritten(repr(double))
    assert float(shortest) == double
    if len(f"{double:.40e}") <= 64:
        assert rewritten(f"{double:.40e}") == shortest
    assert len(shortest.strip("-").replace(".", "").partition("e")[0].strip("0")) <= 17


@given(values)
def test_what_javascript_wrote_it_writes_again(value):
    """Compact JSON with names that are no array indexes is left byte for byte; twice is once."""
    once = as_javascript(json.dumps(value).encode())
    assert as_javascript(once) == once
    assert json.loads(once) == value


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"a":1,"a":2}', "comes twice"),
        (b'{"a":1,"\\u0061":2}', "comes twice"),
        (b'[{"x":{"b":1,"b":1}}]', "comes twice"),
        (b"1e400", "larger than any double"),
        (b"17976931348623159" + b"0" * 46, None),
        (b"1.7976931348623159e308", "larger than any double"),
        (b"9" * 65, "65 characters"),
        (b"0." + b"1" * 63, "65 characters"),
        (b"NaN", "not JSON"),
        (b"Infinity", "not JSON"),
        (b"01", "not JSON"),
        (b"", "not JSON"),
        (b'"\x01"', "not JSON"),
        (b"\xff", "not valid UTF-8"),
        (b"\xef\xbb\xbf\xef\xbb\xbf1", "not JSON"),
        (b"[" * 50_000, "nested"),
    ],
)
def test_json_that_javascript_would_read_otherwise_is_refused(raw, said):
    """A name that comes twice, a number beyond doubles and what is no JSON are refused."""
    if said is None:
        assert as_javascript(raw)
        return
    with pytest.raises(BadJson, match=said):
        as_javascript(raw)


@given(st.binary(max_size=40))
def test_rewriting_any_bytes_gives_json_or_a_refusal(raw):
    """Nothing that comes in raises anything but `BadJson`."""
    with suppress(BadJson):
        json.loads(as_javascript(raw))
