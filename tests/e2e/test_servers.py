"""The servers that other tests stand on do what those tests believe."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest

from kit.pgbouncer import pgbouncer, program
from kit.postgres import postgres, replica
from kit.processes import is_alive, wait_for

NOTE = "CREATE TABLE note (text text PRIMARY KEY)"


def write(url, text):
    """Commit a row, in a table that is made when it is not there."""
    with psycopg.connect(url) as connection:
        connection.execute(NOTE.replace("TABLE", "TABLE IF NOT EXISTS"))
        connection.execute("INSERT INTO note VALUES (%s)", [text])


def read(url):
    """All rows."""
    with psycopg.connect(url) as connection:
        return [text for (text,) in connection.execute("SELECT text FROM note ORDER BY text")]


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL whose commits are on disk."""
    with postgres() as running:
        yield running


def test_every_test_has_an_empty_database(database, postgres_server):
    """A database of a test holds nothing, and is another one than the next."""
    write(database, "mine")
    other = postgres_server.create_database()
    write(other, "another")
    assert (read(database), read(other)) == (["mine"], ["another"])


def test_a_copied_database_holds_what_its_template_held(postgres_server):
    """A database may be made from another one, tables and rows included."""
    write(postgres_server.create_database("furnished"), "kept")
    assert read(postgres_server.create_database(template="furnished")) == ["kept"]


def test_a_schema_is_a_world_of_its_own(postgres_server):
    """Two schemas do not see each other's tables."""
    first, second = postgres_server.create_schema(), postgres_server.create_schema()
    write(first, "first")
    write(second, "second")
    assert (read(first), read(second)) == (["first"], ["second"])


def test_durability_is_on_unless_a_test_gives_it_up(server, postgres_server):
    """The server for faults forces commits to the disk; the shared one does not."""
    with server.connect() as safe, postgres_server.connect() as fast:
        names = ("fsync", "full_page_writes", "synchronous_commit")
        asked = [[each.execute(f"SHOW {name}").fetchone()[0] for name in names]
                 for each in (safe, fast)]  # fmt: skip
    assert asked == [["on", "on", "on"], ["off", "off", "on"]]


def test_a_killed_server_has_what_it_committed(server):
    """After `kill -9` of all its processes, the server comes back with every committed row."""
    url = server.create_database("killed")
    write(url, "before")
    pids = server.pids()
    server.kill()
    assert not any(map(is_alive, pids))
    with pytest.raises(psycopg.OperationalError, match="refused"):
        read(url)
    server.restart()
    assert read(url) == ["before"]


def test_a_frozen_server_is_silent_until_it_thaws(server):
    """A frozen server answers nothing, and goes on where it stood."""
    url = server.create_database("frozen")
    write(url, "before")
    server.freeze()
    with pytest.raises(psycopg.OperationalError, match="timeout"):
        psycopg.connect(url, connect_timeout=2)
    server.thaw()
    assert read(url) == ["before"]


def test_a_stop_leaves_no_process():
    """Leaving the block ends every process, also of a server that was frozen in it."""
    with postgres(fast=True, version=18) as running:
        pids = running.pids()
        running.freeze()
    assert len(pids) > 4
    assert not any(map(is_alive, pids))


def test_a_replica_takes_no_writes(server):
    """A replica shows what its server holds, and refuses to write."""
    url = server.create_database("copied")
    write(url, "before")
    with replica(server) as second:
        assert read(second.url("copied")) == ["before"]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            write(second.url("copied"), "after")


def test_a_password_is_asked_for(server):
    """A user who has a password comes in with that password alone."""
    right = server.create_user("teller", "right")
    psycopg.connect(right).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(right.replace("right", "wrong"))


def test_the_pooler_shares_a_connection_by_transaction(server):
    """In transaction mode one connection of the server carries many clients, one after another."""
    with (
        pgbouncer(server, default_pool_size=1, query_wait_timeout=1) as pooler,
        ExitStack() as stack,
    ):
        clients = [stack.enter_context(psycopg.connect(pooler.url())) for _ in range(3)]
        pids = set()
        for client in clients:
            pids |= set(client.execute("SELECT pg_backend_pid()").fetchone())
            client.commit()
        assert len(pids) == 1
        clients[0].execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="query_wait_timeout"):
            clients[1].execute("SELECT 1")


def test_the_pooler_is_soon_there_when_its_server_is_back(server):
    """The pooler lets nobody wait for the server that has come back."""
    with pgbouncer(server) as pooler:
        server.kill()
        assert not pooler.answers()
        server.restart()
        wait_for(pooler.answers, patience_s=3)


def test_a_missing_pooler_is_a_failure(monkeypatch, tmp_path):
    """Where PgBouncer can not be had, a test fails and says what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("kit.pgbouncer.POSSIBLE", str(tmp_path))
    monkeypatch.setattr("kit.pgbouncer.UNPACKED", tmp_path / "none")
    with pytest.raises(AssertionError, match="Install it"):
        program()


def test_a_commit_that_is_cancelled_looks_done():
    """A cancelled commit that waits for its replica is answered as done, with a warning.

    Nobody else holds that commit, so no gateway may ever cancel one: it hangs up instead.
    """
    warnings = []
    with postgres(synchronous_standby_names="nobody") as lonely, lonely.connect() as client:
        client.add_notice_handler(lambda said: warnings.append(said.message_primary))
        with ThreadPoolExecutor() as threads:
            answer = threads.submit(client.execute, NOTE)
            wait_for(lambda: cancelled(lonely))
            answer.result(timeout=5)
    assert warnings == ["canceling wait for synchronous replication due to user request"]


def cancelled(server):
    """Cancel who waits for a replica; whether there was somebody."""
    waiting = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with server.connect() as client:
        return client.execute(waiting).fetchall()
