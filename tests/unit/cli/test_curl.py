"""What is printed for a shell arrives as it was meant, byte for byte."""

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.cli.curl import curl, quoted
from seamline.dialects.dialect import Request

JSON = ((b"content-type", b"application/json"),)


def words(line):
    """The words that bash makes of a line."""
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, timeout=10
    )
    return done.stdout.split(b"\0")[:-1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\0", b"")), min_size=1))
def test_a_shell_reads_back_the_same_bytes(raws):
    """Any bytes but NUL survive the quoting."""
    assert words(" ".join(map(quoted, raws))) == raws


def test_quotes_and_line_ends_in_a_body_survive():
    """A body with quotes, dollars, backslashes and line ends arrives unchanged."""
    body = b"{'a':\"$x `y` \\n\"}\r\n"
    line = curl("http://h", Request("POST", "/bet", headers=JSON, body=body))
    assert words(line)[-1] == body


def test_a_post_with_a_body_needs_no_method():
    """The curl line posts what has a body and gets what has none; only other methods are named."""
    assert b"-X" not in words(curl("http://h", Request("POST", "/bet", headers=JSON, body=b"{}")))
    assert b"-X" not in words(curl("http://h", Request("GET", "/balance")))
    assert words(curl("http://h", Request("POST", "/ping")))[4:6] == [b"-X", b"POST"]


def test_the_query_is_part_of_the_url():
    """The query is sent as it stands, and curl does not expand brackets in it."""
    sent = words(curl("http://h/x", Request("GET", "/balance", b"a[]=1&b=%20")))
    assert sent[-1] == b"http://h/x/balance?a[]=1&b=%20"
    assert b"-g" in sent


def test_curl_makes_up_no_content_type():
    """A body without a content type is sent without one."""
    assert b"Content-Type:" in words(curl("http://h", Request("POST", "/bet", body=b"a=1")))


def test_a_body_that_begins_with_an_at_is_no_file():
    """The shell's curl does not take a body for the name of a file."""
    sent = words(curl("http://h", Request("POST", "/bet", headers=JSON, body=b"@secret")))
    assert sent[-2:] == [b"--data-raw", b"@secret"]
