"""The inspector's record: what it keeps, hides, cuts and forgets, and what it survives."""

import threading

import apsw
import pytest

from kit.program import wait_for
from kit.record import EVERYTHING, HIDDEN, ids, noted
from seamline.dialects.dialect import Reply, Request
from seamline.edge import exchanges as module
from seamline.edge.exchanges import TEXT_LIMIT, TURN_LIMIT, ExchangeFilter, Exchanges


def test_what_is_noted_is_listed_at_once(make, idle):
    """A list holds everything noted before it, newest first, with all that was noted."""
    record = make()
    for number in (1, 2, 3):
        record.note(noted(number))
    assert ids(record) == ["r3", "r2", "r1"]
    newest = record.list(ExchangeFilter(limit=1))[0]
    assert newest.id == 3
    assert (newest.at_ms, newest.integration, newest.call) == (1_003, "swipe", "bet")
    assert (newest.method, newest.path, newest.query) == ("POST", "/bet", "a=1")
    assert (newest.headers, newest.body) == ([("host", "x")], "{}")
    assert (newest.status, newest.reply, newest.outcome) == (200, "done", "applied")
    assert (newest.transaction, newest.duration_us) == ("t3", 70)


def test_what_is_noted_is_written_without_asking(make, tmp_path, monkeypatch):
    """The thread writes what was noted by itself."""
    monkeypatch.setattr(module, "TURN_S", 0.01)
    record = make()
    record.note(noted())
    wait_for(lambda: record.kept == 1)
    beside = apsw.Connection(str(tmp_path / "x.db"), flags=apsw.SQLITE_OPEN_READONLY)
    assert beside.execute("SELECT request_id FROM exchanges").fetchall() == [("r1",)]
    beside.close()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"integration": "other"}, ["r3"]),
        ({"transaction": "t1"}, ["r1"]),
        ({"request_id": "r2"}, ["r2"]),
        ({"outcome": "funds"}, ["r4"]),
        ({"integration": "swipe", "outcome": "applied"}, ["r2", "r1"]),
        ({"outcome": "no such outcome"}, []),
    ],
)
def test_filters_are_all_kept(make, idle, wanted, found):
    """A page holds what matches every filter that is given."""
    record = make()
    record.note(noted(1))
    record.note(noted(2))
    record.note(noted(3, integration="other"))
    record.note(noted(4, outcome="funds", transaction=None))
    assert ids(record, ExchangeFilter(**wanted)) == found


def test_pages_go_on_where_the_last_one_ended(make, idle):
    """By `after`, pages hold everything once, although more is noted meanwhile."""
    record, found, after = make(), [], None
    for number in range(1, 6):
        record.note(noted(number))
    while page := record.list(ExchangeFilter(limit=2, after=after)):
        found += [each.request_id for each in page]
        after = page[-1].id
        record.note(noted(9))
    assert found == ["r5", "r4", "r3", "r2", "r1"]


def test_secret_headers_are_hidden(make, idle):
    """The value of the dialect's secret headers and of those that everybody knows is not kept."""
    names = (b"x-sign", b"authorization", b"cookie", b"proxy-authorization")
    headers = tuple((name, b"top-secret") for name in names)
    record = make()
    record.note(noted(request=Request("GET", "/", headers=(*headers, (b"x-open", b"shown")))))
    record.note(noted(2, integration="other", request=Request("GET", "/", headers=headers)))
    other, swipe = record.list(EVERYTHING)
    hidden = [(name.decode(), "[hidden]") for name in names]
    assert swipe.headers == [*hidden, ("x-open", "shown")]
    assert other.headers == [("x-sign", "top-secret"), *hidden[1:]]


def test_long_bodies_are_cut(make, idle):
    """Of a body and of a reply so many bytes are kept, and no more."""
    long = b"a" * TEXT_LIMIT
    record = make()
    record.note(noted(request=Request("POST", "/", body=long + b"b"), reply=Reply(200, long * 2)))
    kept = record.list(EVERYTHING)[0]
    assert kept.body == kept.reply == long.decode()


def test_bytes_that_are_no_text_are_shown(make, idle):
    """Bytes that are not UTF-8 are shown by their number, wherever they stand."""
    odd = Request("POST", "/\ufffd", b"\xff=1", ((b"x", b"\xfe"),), b"ok \xff\x00\xc3\xa9")
    record = make()
    record.note(noted(request=odd, reply=Reply(500, b"\x80")))
    kept = record.list(EVERYTHING)[0]
    assert (kept.body, kept.reply) == ("ok \\xff\\x00é", "\\x80")
    assert (kept.path, kept.query, kept.headers) == ("/\ufffd", "ÿ=1", [("x", "þ")])


def test_the_oldest_are_forgotten_by_count(make, idle):
    """More than the largest count are never kept."""
    record = make(max_count=3)
    for number in range(1, 8):
        record.note(noted(number))
        assert len(ids(record)) == min(number, 3)
    assert ids(record) == ["r7", "r6", "r5"]


def test_the_oldest_are_forgotten_by_age(make, idle):
    """What is older than the largest age goes when something newer is written."""
    record = make(max_age_ms=100)
    for number in (1, 2, 101, 102):
        record.note(noted(number))
    assert ids(record) == ["r102", "r101", "r2"]


def test_none_are_kept_if_none_are_wanted(make, idle):
    """A largest count of 0 keeps nothing."""
    record = make(max_count=0)
    record.note(noted())
    assert ids(record) == []


def test_a_flood_costs_the_record_only(make, idle):
    """Beyond the buffer the newest are kept, and what was lost is counted."""
    record = make()
    for number in range(TURN_LIMIT + 50):
        record.note(noted(number))
    assert record.dropped == 50
    found = ids(record)
    assert (found[0], found[-1], len(found)) == (f"r{TURN_LIMIT + 49}", "r50", TURN_LIMIT)
    assert (record.noted, record.kept, record.dropped) == (TURN_LIMIT + 50, TURN_LIMIT, 50)


def test_the_count_of_the_lost_only_grows(make, idle, monkeypatch):
    """What is being written just now is not counted as lost: a counter never goes back."""
    record, seen, row = make(), [], Exchanges._row

    def looking(self, noted):
        seen.append(record.dropped)
        return row(self, noted)

    monkeypatch.setattr(Exchanges, "_row", looking)
    for number in range(3):
        record.note(noted(number))
    assert ids(record) == ["r2", "r1", "r0"]
    assert seen == [0, 0, 0]


def test_a_closed_file_fails_nobody(make, idle, logged):
    """When nothing can be written, noting goes on, and what was lost is logged and counted."""
    record = make()
    record._db.close()
    record.note(noted())
    record._turn()
    record.note(noted(2))
    assert [(event, fields["count"]) for event, fields in logged] == [("exchanges_not_kept", 1)]
    assert (record.noted, record.kept, record.dropped) == (2, 0, 1)


def test_a_full_disk_leaves_the_record_readable(make, idle, logged):
    """While the file cannot grow, what was kept can be listed; with space it goes on."""
    record = make()
    record.note(noted(1))
    assert ids(record) == ["r1"]
    pages = record._db.pragma("page_count")
    record._db.pragma("max_page_count", pages)
    for number in range(2, 20):
        record.note(noted(number, reply=Reply(200, b"x" * TEXT_LIMIT)))
    assert ids(record) == ["r1"]
    assert [(event, fields["count"]) for event, fields in logged] == [("exchanges_not_kept", 18)]
    record._db.pragma("max_page_count", 1_000_000)
    record.note(noted(20))
    assert ids(record) == ["r20", "r1"]
    assert (record.kept, record.dropped) == (2, 18)


def test_the_thread_survives_a_failing_disk(make, logged, monkeypatch):
    """After a failure the thread goes on, and keeps what comes when the disk is well again."""
    monkeypatch.setattr(module, "TURN_S", 0.01)
    record = make()
    record._db.pragma("query_only", 1)
    record.note(noted(1))
    wait_for(lambda: logged)
    record._db.pragma("query_only", 0)
    record.note(noted(2))
    wait_for(lambda: record.kept == 1)
    assert ids(record) == ["r2"]


def test_one_that_cannot_be_rendered_costs_no_other(make, logged):
    """Whatever a dialect's hiding fails on, the thread goes on; it is counted, and in the log."""

    def hide(request, reply, call):
        return (request, reply) if call != "odd" else 1 // 0

    record = make(redact={"swipe": hide})
    for number, call in enumerate(("bet", "odd", "bet")):
        record.note(noted(number, call=call))
    wait_for(lambda: record.kept == 2)
    assert ids(record) == ["r2", "r0"]
    assert (record.noted, record.dropped) == (3, 1)
    assert [(event, fields["request"]) for event, fields in logged] == [("exchange_not_kept", "r1")]


def test_closing_writes_what_was_noted(make, idle):
    """What was noted before `close` is there when the file is opened again; ids go on."""
    first = make()
    first.note(noted(1))
    first.close()
    again = make()
    again.note(noted(2))
    assert [(each.id, each.request_id) for each in again.list(EVERYTHING)] == [(2, "r2"), (1, "r1")]


def test_ids_never_come_again(make, idle):
    """Not even when everything before was forgotten: pages stay where they are."""
    record = make(max_count=0)
    record.note(noted(1))
    assert ids(record) == []
    record.close()
    again = make()
    again.note(noted(2))
    assert [each.id for each in again.list(EVERYTHING)] == [2]


def test_closing_ends_the_thread(make):
    """Nothing is left running."""
    record = make()
    record.close()
    assert not record._thread.is_alive()
    assert record._thread not in threading.enumerate()


@pytest.mark.parametrize(
    "broken", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4_080]
)
def test_a_broken_file_keeps_no_gateway_down(make, idle, logged, tmp_path, broken):
    """A record that a power cut has broken is put aside, and a new one is begun."""
    (tmp_path / "x.db").write_bytes(broken)
    record = make()
    record.note(noted())
    assert ids(record) == ["r1"]
    assert (tmp_path / "x.db.broken").read_bytes() == broken
    assert [event for event, _ in logged] == ["exchanges_broken"]


@pytest.mark.parametrize("obstacle", ["folder", "other columns"])
def test_what_stands_in_the_way_keeps_no_gateway_down(make, idle, logged, tmp_path, obstacle):
    """A record that cannot be opened is put aside, or kept in memory, with a warning."""
    if obstacle == "folder":
        (tmp_path / "x.db").mkdir()
    else:
        apsw.Connection(str(tmp_path / "x.db")).execute("CREATE TABLE exchanges (id INTEGER)")
    record = make()
    record.note(noted())
    assert ids(record) == ["r1"]
    assert len(logged) == 1


def test_the_folder_is_made(tmp_path):
    """The record brings its folder into being."""
    record = Exchanges(tmp_path / "new" / "x.db", hidden_headers=HIDDEN)
    record.close()
    assert (tmp_path / "new" / "x.db").exists()


def test_noting_on_while_the_thread_writes(make, monkeypatch):
    """Whatever the threads do, each exchange is kept or counted as dropped."""
    monkeypatch.setattr(module, "TURN_S", 0.0005)
    record = make()
    for number in range(3_000):
        record.note(noted(number))
    found = ids(record)
    assert found[0] == "r2999"
    assert found == sorted(found, key=lambda name: -int(name[1:]))
    assert record.kept == len(found)
    assert 3_000 <= record.kept + record.dropped <= 3_000 + 20
