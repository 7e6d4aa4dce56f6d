"""Logging: one event name and its fields per line, JSON in production, text on a terminal."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO, cast

import structlog


class Patient:
    """Standard error, as far as it can be written.

    A full disk or a closed pipe behind it loses lines; no answer changes and no thread ends by it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost = 0

    def write(self, text: str) -> int:
        """Write the text, or count it as lost."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self.lost += 1
            return len(text)

    def flush(self) -> None:
        """Flush what was written."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def configure(form: Literal["auto", "json", "text"], level: str) -> None:
    """Send structlog's and the libraries' lines to standard error."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor
    if text:
        # A plain traceback: the pretty ones print local variables, keys among them.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    else:
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # It writes a line at once, so that those of several processes do not run into each other.
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", Patient(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def label(**fields: object) -> None:
    """Put the fields on every line that this process writes from now on, whichever thread does."""

    def labelled(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.update(fields)
        return event

    # In place: a logger that was used before keeps the list that it was made with.
    structlog.get_config()["processors"].insert(0, labelled)
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
            cast("list[object]", handler.formatter.foreign_pre_chain).insert(0, labelled)
