"""A cluster of three PostgreSQL under Patroni loses no commit that it answered."""

import select
import time

import psycopg
import pytest

from kit.patroni import patroni
from kit.processes import is_alive, wait_for

ADD = "INSERT INTO note VALUES (%s)"


@pytest.fixture(scope="module")
def running():
    """A cluster with one table, for a whole file; afterwards it has left no process."""
    with patroni() as made:
        with psycopg.connect(made.url()) as connection:
            connection.execute("CREATE TABLE note (text text PRIMARY KEY)")
        yield made
        pids = [pid for node in made.nodes for pid in node.pids()]
    assert len(pids) > 10
    assert not any(map(is_alive, pids))


@pytest.fixture
def cluster(running):
    """The cluster, whole before the test and again after it."""
    running.wait_until_whole()
    yield running
    running.wait_until_whole()


def write(cluster, text):
    """Commit a row as soon as somebody takes it; the seconds that it took."""
    started = time.monotonic()
    wait_for(lambda: is_written(cluster.url(), text), patience_s=60)
    return time.monotonic() - started


def is_written(url, text):
    """Whether a row could be committed."""
    try:
        with psycopg.connect(url) as connection:
            connection.execute(ADD, [text])
    except psycopg.OperationalError:
        return False
    return True


def is_answered_within(patience_s, url, text):
    """Whether a commit is answered in that time; it is given up without a word otherwise.

    Not by a cancellation: PostgreSQL answers a commit that it no longer waits for as done.
    """
    client = psycopg.connect(url, autocommit=True)
    client.pgconn.send_query_params(ADD.replace("%s", "$1").encode(), [text.encode()])
    answered, _, _ = select.select([client.pgconn.socket], [], [], patience_s)
    client.pgconn.finish()
    return bool(answered)


def read(cluster):
    """All rows, as the leader knows them."""
    with psycopg.connect(cluster.url()) as connection:
        return {text for (text,) in connection.execute("SELECT text FROM note")}


def test_a_commit_waits_for_another_node(cluster):
    """Every commit is held by the leader and one other node before it is answered."""
    with psycopg.connect(cluster.url()) as connection:
        names = ("synchronous_standby_names", "synchronous_commit", "fsync", "data_checksums")
        shown = [connection.execute(f"SHOW {name}").fetchone()[0] for name in names]
    others = sorted(node.name for node in cluster.nodes if node is not cluster.leader())
    assert shown == [f"ANY 1 ({','.join(others)})", "on", "on", "on"]


def test_a_killed_database_is_replaced_by_one_that_has_all(cluster):
    """When the leader's database dies, another node leads, and has what was committed.

    Without other load commits go on after 1.2 s; twice that on a machine that has a lot to do.
    """
    write(cluster, "before its death")
    old = cluster.kill_leader_database()
    stall_s = write(cluster, "after its death")
    assert cluster.wait_for_leader(other_than=old) is not old
    assert {"before its death", "after its death"} <= read(cluster)
    assert stall_s < 10


def test_a_switchover_moves_the_leader_and_all_it_has(cluster):
    """A planned change of the leader loses nothing; commits go on after 1.5 s."""
    write(cluster, "before the change")
    old = cluster.leader()
    assert cluster.switchover() is not old
    assert write(cluster, "after the change") < 10
    assert {"before the change", "after the change"} <= read(cluster)


@pytest.mark.slow
def test_a_lost_machine_is_replaced(cluster):
    """When Patroni dies with the database, another node leads when the leader's 20 s are over."""
    write(cluster, "before the loss")
    lost = cluster.kill_leader_node()
    assert write(cluster, "after the loss") < 40
    assert cluster.leader() is not lost
    assert {"before the loss", "after the loss"} <= read(cluster)
    lost.start()


@pytest.mark.slow
def test_a_leader_that_wakes_up_too_late_answers_no_commit(cluster):
    """A machine that hung while another took over has no commit of its own to show."""
    write(cluster, "before the sleep")
    old = cluster.freeze_leader()
    cluster.wait_for_leader(other_than=old)
    write(cluster, "during the sleep")
    # The database wakes up alone: there is no Patroni yet to stop it.
    old.thaw_database()
    assert not is_answered_within(2, old.url(), "after the sleep")
    old.thaw()
    cluster.wait_until_whole()
    assert "after the sleep" not in read(cluster)
    assert {"before the sleep", "during the sleep"} <= read(cluster)
