"""One record of exchanges for several processes: complete, and bounded for all together."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import apsw

from kit.program import wait_for
from kit.record import EVERYTHING, HIDDEN, ids, noted
from seamline.edge.exchanges import ExchangeFilter, Exchanges

#: Another gateway of the machine: it opens the record, notes so many, and closes it when told to.
OTHER = """
import sys
from pathlib import Path
from seamline.edge import exchanges as module
from kit.record import HIDDEN, noted

path, name, count, options = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), eval(sys.argv[4])
module.TURN_S = 0.002
record = module.Exchanges(path, hidden_headers=HIDDEN, **options)
print("open", flush=True)
sys.stdin.readline()
for number in range(count):
    record.note(noted(number, request_id=f"{name}-{number}"))
    while len(record._noted) > module.TURN_LIMIT // 2:
        pass
print("noted", flush=True)
sys.stdin.readline()
record.close()
print(record.kept, record.dropped, flush=True)
"""


class Others:
    """Other gateways on the same file, each at the same point of its life."""

    def __init__(self, path, *names, count=0, **options):
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-c", OTHER, path, name, str(count), repr(options)],
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in names
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.processes:
            each.kill()
            each.communicate()

    def say(self):
        """The next line of each."""
        return [each.stdout.readline().strip() for each in self.processes]

    def go_on(self):
        """Let each do the next thing."""
        for each in self.processes:
            each.stdin.write("\n")
            each.stdin.flush()


def test_several_processes_keep_everything(make, idle, tmp_path):
    """What several processes note at once is all kept, once, and listed in each of them."""
    record = make()
    with Others(tmp_path / "x.db", "a", "b", count=2_000) as others:
        assert others.say() == ["open", "open"]
        others.go_on()
        for number in range(300):
            record.note(noted(number, request_id=f"c-{number}"))
        record._turn()
        assert others.say() == ["noted", "noted"]
        others.go_on()
        assert others.say() == ["2000 0", "2000 0"]
    found = ids(record)
    wanted = {"a": 2_000, "b": 2_000, "c": 300}
    assert sorted(found) == sorted(
        f"{who}-{n}" for who, many in wanted.items() for n in range(many)
    )
    for who, many in wanted.items():
        assert [name for name in found if name[0] == who] == [
            f"{who}-{number}" for number in reversed(range(many))
        ]


def test_several_processes_forget_no_more_than_one_would(make, idle, tmp_path):
    """With several that write and forget, as many as the largest count are left: the newest."""
    record = make(max_count=1_000)
    with Others(tmp_path / "x.db", "a", "b", count=1_500, max_count=1_000) as others:
        for _ in range(2):
            others.say()
            others.go_on()
        assert others.say() == ["1500 0", "1500 0"]
    kept = record.list(EVERYTHING)
    assert [each.id for each in kept] == list(range(3_000, 2_000, -1))


def test_a_write_waits_for_that_of_another_process(make, idle, logged, tmp_path, monkeypatch):
    """A file that another process is writing is waited for, and nothing is lost."""
    record = make()
    beside = apsw.Connection(str(tmp_path / "x.db"))
    beside.execute("BEGIN IMMEDIATE")
    record.note(noted())
    writing = threading.Thread(target=record._turn)
    writing.start()
    writing.join(1.5)
    assert writing.is_alive()
    beside.execute("COMMIT")
    writing.join(10)
    beside.close()
    assert (record.kept, record.dropped, logged) == (1, 0, [])


def test_a_record_in_use_is_not_put_aside(make, idle, logged, tmp_path):
    """One who cannot read what others have open keeps its own in memory, and leaves theirs alone.

    The last of them to close would take the new file's log for its own.
    """
    record = make()
    record.note(noted(1))
    assert ids(record) == ["r1"]
    record._db.execute("ALTER TABLE exchanges ADD COLUMN of_a_later_version TEXT")
    newcomer = make()
    assert [event for event, _ in logged] == ["exchanges_in_memory"]
    newcomer.note(noted(2))
    assert ids(newcomer) == ["r2"]
    record.note(noted(3))
    assert ids(record) == ["r3", "r1"]
    assert not (tmp_path / "x.db.broken").exists()


def test_whoever_comes_while_it_is_made_waits(make, idle, tmp_path):
    """While one makes the record, or puts a broken one aside, nobody else opens it."""
    with (tmp_path / "x.db.lock").open("wb") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        opening = threading.Thread(target=make)
        opening.start()
        opening.join(0.5)
        assert opening.is_alive()
        assert not (tmp_path / "x.db").exists()
        fcntl.flock(first, fcntl.LOCK_SH)
        opening.join(10)
        assert (tmp_path / "x.db").exists()


def test_many_who_begin_at_once_share_one_record(idle, tmp_path):
    """However many open it at the same time, what each of them notes is in one file."""
    with Others(tmp_path / "x.db", *"abcdef", count=1) as others:
        for _ in range(2):
            others.say()
            others.go_on()
        assert others.say() == ["1 0"] * 6
    record = Exchanges(tmp_path / "x.db", hidden_headers=HIDDEN)
    assert sorted(ids(record)) == [f"{name}-0" for name in "abcdef"]
    record.close()


def test_a_process_that_is_killed_leaves_the_record_whole(make, idle, tmp_path):
    """After kill -9 of one that writes, what it had written is there and the others go on."""
    record = make()
    with Others(tmp_path / "x.db", "a", count=1_000_000) as others:
        others.say()
        others.go_on()
        wait_for(lambda: len(record.list(EVERYTHING)) > 1_000)
    left = ids(record, ExchangeFilter(limit=1_000_000))
    assert left == [f"a-{number}" for number in reversed(range(len(left)))]
    record.note(noted(1))
    assert ids(record, ExchangeFilter(limit=2)) == ["r1", left[0]]
    assert record._db.pragma("integrity_check") == "ok"
