"""What the gateway logs: lines for machines, text for people, secrets for nobody."""

import io
import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from seamline.cli import telemetry
from seamline.dialects.dialect import Secret

SECRET = "a-key-that-nobody-sees"


class Terminal(io.StringIO):
    """A stream that says that people read it."""

    def isatty(self):
        """Yes."""
        return True


@pytest.fixture
def configure(monkeypatch):
    """Configure logging to a stream; afterwards everything is as before."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structlog.contextvars.clear_contextvars()

    def configured(form="json", threshold="info", stream=None):
        stream = stream if stream is not None else io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        telemetry.configure(form, threshold)
        return stream

    yield configured
    structlog.contextvars.clear_contextvars()
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream):
    """The lines of JSON, decoded."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail(key):
    """Fail with the key at hand, as bytes too."""
    as_bytes = key.encoded()
    raise ZeroDivisionError(len(as_bytes))


def logged_failure(**fields):
    """Log a failure with its traceback."""
    try:
        fail(Secret(SECRET))
    except ZeroDivisionError:
        structlog.get_logger().exception("failed", **fields)


def test_a_line_is_one_object(configure):
    """Each event is a line of JSON: its name, level, time and fields, whatever they hold."""
    stream = configure()
    structlog.get_logger().info("call_refused", request_id="r1", field=None, detail="two\nlines é")
    structlog.get_logger().warning("second", count=2)
    first, second = lines(stream)
    assert (first["event"], first["level"], first["request_id"]) == ("call_refused", "info", "r1")
    assert (first["field"], first["detail"]) == (None, "two\nlines é")
    assert (second["event"], second["level"], second["count"]) == ("second", "warning", 2)


def test_times_are_utc(configure):
    """The time of a line is ISO 8601 in UTC."""
    stream = configure()
    structlog.get_logger().info("now")
    stamp = datetime.fromisoformat(lines(stream)[0]["timestamp"])
    assert stamp.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - stamp) < timedelta(minutes=1)


def test_what_is_bound_is_on_every_line(configure):
    """Fields that are bound for a while are on each line of it, and then no more."""
    stream = configure()
    with structlog.contextvars.bound_contextvars(request_id="r7"):
        structlog.get_logger().info("one")
        structlog.get_logger("elsewhere").info("two")
    structlog.get_logger().info("three")
    assert [line.get("request_id") for line in lines(stream)] == ["r7", "r7", None]


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_label_is_on_every_line(configure, form):
    """A process that has a label writes it on all lines, of any logger, library and thread."""
    stream = configure(form)
    used = structlog.get_logger()
    used.info("before")
    telemetry.label(worker=7)
    thread = threading.Thread(target=lambda: structlog.get_logger("other").info("in a thread"))
    thread.start()
    thread.join()
    used.info("after")
    logging.getLogger("library").error("theirs")
    pattern = r'"worker": 7|worker=7'
    written = stream.getvalue().splitlines()
    assert [bool(re.search(pattern, line)) for line in written] == [False, True, True, True]


def test_a_line_is_one_write(configure):
    """Lines of several processes on one stream stay apart: each is written at once."""

    class Writes(io.StringIO):
        """A stream that knows what was written together."""

        texts = ()

        def write(self, text):
            """One write."""
            self.texts += (text,)

    stream = configure(stream=Writes())
    structlog.get_logger().info("one")
    structlog.get_logger().info("two")
    assert [text.endswith("}\n") for text in stream.texts] == [True, True]


def test_nothing_goes_to_standard_output(configure, capfd):
    """Lines are on standard error only; standard output is for what a command prints."""
    stream = configure()
    structlog.get_logger().info("event")
    logging.getLogger("library").error("event")
    assert len(lines(stream)) == 2
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("threshold", "shown"),
    [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)],
)
def test_the_level_is_kept(configure, threshold, shown):
    """What is below the level is not written."""
    stream = configure(threshold=threshold)
    log = structlog.get_logger()
    for level in ("debug", "info", "warning", "error"):
        getattr(log, level)(level)
    assert len(lines(stream)) == shown


def test_libraries_speak_the_same(configure):
    """A warning of a library is a line like ours; what it says below that is left out."""
    stream = configure()
    logging.getLogger("uvicorn.error").info("too much")
    logging.getLogger("uvicorn.error").warning("Exceeded %s limit.", "concurrency")
    (line,) = lines(stream)
    assert (line["event"], line["level"]) == ("Exceeded concurrency limit.", "warning")
    assert "timestamp" in line


def test_a_failure_has_its_traceback(configure):
    """The traceback is a field of the line, so that the line stays one."""
    stream = configure()
    logged_failure(request_id="r1")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["request_id"]) == ("failed", "error", "r1")
    assert line["exception"].startswith("Traceback")
    assert "in fail\n" in line["exception"]


def test_text_is_for_people(configure):
    """As text a line has the event and its fields, without JSON; a file gets no colours."""
    stream = configure("text")
    structlog.get_logger().info("listening", port=8600)
    (line,) = stream.getvalue().splitlines()
    assert "listening" in line
    assert "port=8600" in line
    assert "{" not in line
    assert "\x1b" not in line


def test_auto_is_text_on_a_terminal_only(configure):
    """A terminal gets text, with colours; anything else gets JSON."""
    terminal, file = configure("auto", stream=Terminal()), configure("auto")
    structlog.get_logger().info("event", number=1)
    assert lines(file)[0]["number"] == 1
    assert terminal.getvalue() == ""
    terminal = configure("auto", stream=Terminal())
    structlog.get_logger().info("event", number=1)
    assert "\x1b[" in terminal.getvalue()
    assert '"event"' not in terminal.getvalue()


def test_json_is_json_on_a_terminal_too(configure):
    """Who asks for JSON gets it everywhere."""
    terminal = configure("json", stream=Terminal())
    structlog.get_logger().info("event")
    assert lines(terminal)[0]["event"] == "event"


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_secret_shows_nothing_of_itself(configure, form):
    """A secret that is logged by mistake, alone or within something, is not written."""
    stream = configure(form)
    key = Secret(SECRET)
    structlog.get_logger().info("event", key=key, keys=[key], options={"key": key}, text=f"{key}")
    assert SECRET not in stream.getvalue()
    assert "Secret(...)" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_traceback_holds_no_secret(configure, form):
    """A traceback shows the code, not the variables: a key among them would be in the log."""
    stream = configure(form)
    logged_failure()
    assert "ZeroDivisionError" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_a_log_that_cannot_be_written_loses_lines_only():
    """A full disk or a closed pipe behind the log is counted, and never raises."""

    class Full:
        """A stream with no space behind it."""

        def write(self, _text):
            """Fail as a full disk does."""
            raise OSError(28, "No space left on device")

        def flush(self):
            """Fail likewise."""
            self.write("")

    patient = telemetry.Patient(Full())
    assert patient.write("line") == 4
    patient.flush()
    assert patient.lost == 1
