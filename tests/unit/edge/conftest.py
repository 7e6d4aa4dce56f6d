"""A record of exchanges to try things on."""

import pytest

from kit.record import HIDDEN
from seamline.edge import exchanges as module
from seamline.edge.exchanges import Exchanges


class Log:
    """What was logged."""

    def __init__(self):
        self.lines = []

    def warning(self, event, **fields):
        """One warning."""
        self.lines.append((event, fields))


@pytest.fixture
def logged(monkeypatch):
    """The warnings of the record."""
    log = Log()
    monkeypatch.setattr(module, "_LOG", log)
    return log.lines


@pytest.fixture
def make(tmp_path):
    """Open the record, again and again on the same file; all are closed at the end."""
    made = []

    def opened(**options):
        made.append(Exchanges(tmp_path / "x.db", hidden_headers=HIDDEN, **options))
        return made[-1]

    yield opened
    for each in made:
        each.close()


@pytest.fixture
def idle(monkeypatch):
    """The thread writes only when it is told to stop, so that nothing happens by chance."""
    monkeypatch.setattr(module, "TURN_S", 3_600.0)
