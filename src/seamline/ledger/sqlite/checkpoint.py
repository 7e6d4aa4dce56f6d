"""Copies the write-ahead log into the database without making bets wait for it.

A thread with a connection of its own copies the bulk while commits go on, and sees it onto the
disk: SQLite itself waits for that only when the whole log is copied, so that whoever copies the end
would wait for all of it. What commits added meanwhile is little; the committing thread copies that
itself, right after a commit, so that the log starts again at its beginning. Needs SQLite 3.51.3 or
newer (see `OLDEST_SQLITE` in `store.py`).
"""

from __future__ import annotations

import os
import threading

import apsw
import structlog

#: Pages in the log after which copying begins.
BEGIN_PAGES = 8_000

#: Pages left that the committing thread copies itself: about a millisecond of work.
FINISH_PAGES = 300

_LOG = structlog.get_logger("seamline.checkpoint")


class Checkpointer:
    """Watches the log's length and keeps it bounded."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._file = os.open(connection.filename, os.O_RDONLY)
        self._copying = threading.Lock()
        self._long = threading.Event()
        self._nearly_done = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="checkpoint", daemon=True)
        self._thread.start()

    def note(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        """SQLite's hook after each commit: how many pages the log has."""
        if pages > BEGIN_PAGES and not self._nearly_done.is_set():
            self._long.set()
        return apsw.SQLITE_OK

    def finish(self, writing: apsw.Connection) -> None:
        """Copy the rest, if the bulk is copied; call between two transactions."""
        if self._nearly_done.is_set() and self._copying.acquire(blocking=False):
            try:
                _copy(writing)
            finally:
                self._nearly_done.clear()
                self._copying.release()

    def close(self) -> None:
        """Stop the thread; the rest of the log is copied when the last connection closes.

        Call it when this process has no other connection to the file: a process that closes any
        descriptor of a file gives up all the locks that it holds on it.
        """
        self._closing = True
        self._long.set()
        self._thread.join()
        self._db.close()
        os.close(self._file)

    def _work(self) -> None:
        while True:
            self._long.wait()
            self._long.clear()
            if self._closing:
                return
            with self._copying:
                self._copy_the_bulk()
            self._nearly_done.set()

    def _copy_the_bulk(self) -> None:
        """Copy until little is left; each pass is shorter than the one before.

        A reader in the way ends that: then the rest waits for a later commit.
        """
        left, before = self._copy_and_sync(), None
        while left > FINISH_PAGES and (before is None or left < before):
            left, before = self._copy_and_sync(), left

    def _copy_and_sync(self) -> int:
        """Copy, and wait until the copies are on the disk; the pages that came meanwhile."""
        left = _copy(self._db)
        try:
            os.fdatasync(self._file)
        except OSError as error:
            # SQLite's own sync, on its own descriptor, meets the same error before the log is cut.
            _LOG.warning("checkpoint_failed", error=str(error))
        return left


def _copy(db: apsw.Connection) -> int:
    """Copy what can be copied without waiting for anybody; the pages that came meanwhile."""
    try:
        pages, copied = db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    except apsw.Error as error:
        # The log keeps everything safe; it only grows until a later attempt succeeds.
        _LOG.warning("checkpoint_failed", error=str(error))
        return 0
    return pages - copied
