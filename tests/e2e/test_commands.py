"""The program as people run it: started, asked, stopped by a signal."""

import os
import pty
import re
import signal
import socket
import subprocess
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from kit.program import (
    PATIENCE_S,
    SEAMLINE,
    SETTINGS,
    environ,
    furnish,
    play,
    seamline,
    started,
    wait_for,
)

ROOT = Path(__file__).parents[2]
#: A curl line and the lines that it goes on over.
CURL = re.compile(r"^curl (?:.*\\\n)*.*$", re.MULTILINE)
#: What differs from demo to demo.
IDS = re.compile(r"\b[0-9a-f]{8}\b|txn_\d+")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo on a free port, once it has printed everything."""
    with started(tmp_path_factory.mktemp("demo"), "demo", "--port", "0") as running:
        running.wait_for(lambda text: "Ctrl-C stops the demo." in text)
        yield running


@pytest.fixture
def shop(tmp_path):
    """A folder with settings and a ledger in which something happened."""
    furnish(tmp_path)
    play(tmp_path)
    return tmp_path


def url_of(text):
    """Where the gateway listens, once its log says so."""
    found = re.search(r'"url": "(http://[^"]+)"', text)
    return found[1] if found else None


def answers(url):
    """The status of a GET, or None when nobody listens yet."""
    try:
        return urlopen(url, timeout=PATIENCE_S).status
    except HTTPError as error:
        return error.code
    except OSError:
        return None


def bash(script):
    """What the script prints, in lines."""
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, timeout=PATIENCE_S, check=False
    )
    return done.stdout.decode().splitlines()


def played(text):
    """The lines of a transcript, without what differs from demo to demo."""
    lines = re.findall(r"^(?:balance|bet|win|refund) .*\{.*$", text, re.MULTILINE)
    return [" ".join(IDS.sub("ID", line).split()) for line in lines]


def test_the_curls_of_the_demo_work(demo):
    """Every line that the demo prints is answered with 200 when bash runs it, in its order."""
    curls = CURL.findall(demo.written)
    replies = [bash(line)[-1] for line in curls]
    assert len(replies) >= 10
    assert [reply for reply in replies if not reply.endswith(" 200")] == []


def test_a_curl_that_is_pasted_twice_moves_nothing(demo):
    """A bet that is pasted twice is answered the same twice."""
    bet = next(line for line in CURL.findall(demo.written) if "/bet" in line)
    assert bash(bet) == bash(bet)


def test_the_demo_is_readable_without_colours(demo):
    """What the demo writes to a file holds no escape sequence."""
    assert "\x1b" not in demo.written


def test_the_readme_shows_what_the_demo_shows(demo):
    """The transcript of the README is the demo's own, but for ids."""
    shown = played((ROOT / "README.md").read_text())
    assert shown
    stories = demo.written.split(", just played:")
    assert shown in [played(story)[: len(shown)] for story in stories]


def test_the_demo_ends_with_ctrl_c(tmp_path):
    """Ctrl-C ends the demo with exit code 0, and nothing is left of its books."""
    with started(tmp_path, "demo", "--port", "0", TMPDIR=str(tmp_path)) as running:
        running.wait_for(lambda text: "Ctrl-C stops the demo." in text)
        assert list(tmp_path.glob("seamline-demo-*"))
        assert running.stop(signal.SIGINT) == 0
        assert "Traceback" not in running.written
    assert not list(tmp_path.glob("seamline-demo-*"))


def test_a_demo_can_be_kept_and_repeated(tmp_path):
    """With --dir the books stay, a second demo plays on in them, and every law is kept."""
    furnish(tmp_path, SETTINGS.replace("seamline.db", "kept/seamline.db"))
    for _ in range(2):
        with started(tmp_path, "demo", "--port", "0", "--dir", "kept") as running:
            running.wait_for(lambda text: "Ctrl-C stops the demo." in text)
            assert running.stop(signal.SIGTERM) == 0
    assert seamline(tmp_path, "audit", "--quiet").returncode == 0


@pytest.mark.parametrize("arguments", [["demo", "--port"], ["serve"]])
def test_a_port_in_use_is_one_line(arguments, tmp_path):
    """A port that is taken is named in one line, with what to do, under exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        furnish(tmp_path, SETTINGS.replace("port = 0", f"port = {port}"))
        done = seamline(tmp_path, *arguments, *([port] if arguments[0] == "demo" else []))
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; ".encode() in done.stderr


def test_a_gateway_serves_and_stops(shop):
    """A gateway answers a signed call and the operator; SIGTERM ends it with exit code 0."""
    with started(shop, "serve") as running:
        url = running.wait_for(url_of)
        wait_for(lambda: answers(f"{url}/healthz") == 200)
        signed = seamline(shop, "sign", "balance", "--query", "sessionID=s1").stdout.decode()
        line = CURL.search(signed)[0].replace("http://127.0.0.1:0", url)
        assert bash(line) == ['{"balance":"100.00"} 200']
        assert answers(f"{url}/v1/transactions") == 401
        assert running.stop(signal.SIGTERM) == 0
        assert '"event": "stopped"' in running.written
        assert answers(f"{url}/healthz") is None


def test_commands_work_beside_a_gateway(shop):
    """While a gateway runs it can be examined, audited and copied, but not migrated."""
    with started(shop, "serve") as running:
        url = running.wait_for(url_of)
        wait_for(lambda: answers(f"{url}/readyz") == 200)
        assert seamline(shop, "doctor").returncode == 0
        assert seamline(shop, "audit", "--quiet").returncode == 0
        assert seamline(shop, "backup", "copy.db").returncode == 0
        refused = seamline(shop, "migrate")
        assert refused.returncode == 1
        assert b"is open in another Seamline process; stop it first" in refused.stderr
        assert running.stop(signal.SIGTERM) == 0


def test_machines_have_a_port_of_their_own(shop):
    """With ops_port the machines' paths are served there and only there, and nothing else is."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with started(shop, "serve", SEAMLINE_SERVER__OPS_PORT=str(port)) as running:
        url, ops = running.wait_for(url_of), f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(f"{ops}/healthz") == 200)
        assert [answers(f"{ops}{path}") for path in ("/readyz", "/metrics", "/v1/docs")] == [
            200, 200, 404,
        ]  # fmt: skip
        assert [answers(f"{url}{path}") for path in ("/healthz", "/metrics", "/v1/docs")] == [
            404, 404, 200,
        ]  # fmt: skip
        assert running.stop(signal.SIGTERM) == 0


def test_a_gateway_without_api_keys_says_so(shop):
    """Without an API key the gateway warns at its start that /v1 refuses everybody."""
    furnish(shop, SETTINGS.replace('keys = ["env:ACME_API_KEY"]', "keys = []"))
    with started(shop, "serve") as running:
        running.wait_for(url_of)
        assert "/v1 refuses everybody" in running.written
        assert running.stop(signal.SIGTERM) == 0


def test_a_missing_variable_is_one_line(tmp_path):
    """A secret whose variable is not set stops the start in one line, under exit code 2."""
    furnish(tmp_path)
    done = seamline(tmp_path, "serve", SWIPE_API_KEY="")
    assert done.returncode == 2
    assert done.stderr == (
        b"seamline: seamline.toml: integrations.swipe.options.api_key: "
        b"the environment variable SWIPE_API_KEY is not set\n"
    )


def test_the_example_settings_are_good(tmp_path):
    """The settings file of the repository works once its secrets are in the environment."""
    (tmp_path / "seamline.toml").write_bytes((ROOT / "seamline.toml").read_bytes())
    names = re.findall(r'^[^#\n]*"env:(\w+)"', (ROOT / "seamline.toml").read_text(), re.MULTILINE)
    secrets = {name: f"a secret of {name}" for name in names}
    assert seamline(tmp_path, "migrate", **secrets).returncode == 0
    assert seamline(tmp_path, "doctor", **secrets).returncode == 0


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_are_for_terminals(no_color, coloured, shop):
    """A terminal gets colours, unless NO_COLOR is set."""
    ours, theirs = pty.openpty()
    environment = environ(NO_COLOR=no_color, TERM="xterm-256color")
    with subprocess.Popen(
        [SEAMLINE, "audit"], cwd=shop, env=environment, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        written = b"".join(iter(lambda: _read(ours), b""))
        assert process.wait(PATIENCE_S) == 0
    os.close(ours)
    assert b"kept" in written
    assert (b"\x1b[32m" in written) is coloured


def _read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # The other end is closed.
        return b""
