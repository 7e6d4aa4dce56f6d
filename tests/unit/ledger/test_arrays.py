"""Array literals, as PostgreSQL's manual has them ("Array Input and Output Syntax")."""

import pytest

from seamline.ledger.postgres.arrays import literal, literals


@pytest.mark.parametrize(
    ("values", "array"),
    [
        ((), "{}"),
        ((1,), "{1}"),
        ((1, -(2**63), 2**63 - 1), "{1, -9223372036854775808, 9223372036854775807}"),
        ((None, None), "{NULL,NULL}"),
        (("a", ""), '{"a",""}'),
        (("NULL", "{}", "a,b", " "), '{"NULL","{}","a,b"," "}'),
        (('a","b',), r'{"a\",\"b"}'),
        (('"', "\\"), r'{"\"","\\"}'),
        ((b"\x00\xff", b""), r'{"\\x00ff","\\x"}'),
        ((1, None, 2), "{1,NULL,2}"),
        (('"', None, "\\n"), r'{"\"",NULL,"\\n"}'),
    ],
    ids=repr,
)
def test_an_array(values, array):
    """Numbers as they are, texts quoted, bytes in hexadecimal, None as NULL."""
    assert literal(values) == array


def test_columns():
    """Rows become one array for each column."""
    assert literals([(1, "a", None), (2, "b", b"c")]) == (
        "{1, 2}",
        '{"a","b"}',
        r'{NULL,"\\x63"}',
    )
