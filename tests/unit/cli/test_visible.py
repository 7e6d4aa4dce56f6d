"""Bytes that look alike on a screen are told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.cli.visible import difference, visible


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b'{"a": 1}', '{"a":·1}'),
        (b"a\r\nb\n", "a␍⏎\nb⏎\n"),
        (b"\ta\0", "⇥a␀"),
        ("\ufeffa\u00a0\u200b".encode(), "<U+FEFF>a<U+00A0><U+200B>"),
        ("e\u0301 \u00e9".encode(), "e<U+0301>·é"),
        (b"\xff\xe9", "<0xFF><0xE9>"),
        (b"\x1b[31m", "<U+001B>[31m"),
    ],
)
def test_invisible_characters_are_shown(raw, shown):
    """Spaces, line ends, controls, marks and bytes that are no UTF-8 each have a sign."""
    assert visible(raw) == shown


@given(st.binary(max_size=60))
def test_nothing_shown_can_command_a_terminal(raw):
    """Whatever the bytes are, only printable characters and line ends are shown."""
    assert all(each.isprintable() or each == "\n" for each in visible(raw))


def test_the_first_difference_is_named():
    """Two bodies are compared by bytes; position and both bytes are shown."""
    lines = list(difference(b'{"amount":"1.50"}', b'{"amount":"1.5"}'))
    assert lines[0] == "the bodies are equal up to byte 14, of 17 and 16"
    assert "0x30" in lines[1]
    assert "0x22" in lines[2]


def test_a_body_that_goes_on_differs_at_the_end_of_the_other():
    """Where one body is the beginning of the other, the difference is its end."""
    lines = list(difference(b"{}", b"{}\n"))
    assert lines[0] == "the bodies are equal up to byte 2, of 2 and 3"
    assert "the end" in lines[1]
    assert "0x0A" in lines[2]


def test_equal_bodies_are_called_equal():
    """Equal bodies have no difference."""
    assert list(difference(b"{}", b"{}")) == ["the two bodies are equal, byte for byte"]
