"""What was recorded, page by page."""

import pytest

from kit.command import bet, refund, win
from kit.world import NOON
from seamline.edge.exchanges import Exchange
from seamline.wallet import beside
from unit.edge.api.test_api_door import problem

DAY_MS = 86_400_000


@pytest.fixture
def played(funded):
    """Two players in one round, a third bet elsewhere, and a refund before its bet."""
    funded.player("p2")
    funded.session("s2", "p2")
    funded.session("s3", "p1", game="g2")
    funded.apply(
        bet("b1", "10.00", "s1", "r1"),
        bet("b2", "20.00", "s2", "r1"),
        win("w1", "15.00", "s1", "r1"),
        bet("b3", "1.00", "s3", "r3"),
        win("w2", "5.00", "s1", "r9"),
        refund("f1", "b9", session="s1"),
    )
    return funded


def keys(got):
    """The keys of the transactions of a page."""
    return [each["key"] for each in got.json["items"]]


def follow(rig, target):
    """Every page of a list."""
    pages, after = [], ""
    while after is not None:
        got = rig.get(f"{target}{after}").json
        pages.append(got["items"])
        after = f"&after={got['next']}" if got["next"] else None
    return pages


# Transactions.


def test_transactions_come_newest_first(played):
    """Each entry has its names, and decimal text."""
    got = played.get("/v1/transactions?limit=500")
    assert keys(got) == [
        beside("tombstone", "b9"),
        "f1",
        "w2",
        "b3",
        "w1",
        "b2",
        "b1",
        "fund-p2",
        "fund-p1",
    ]
    assert got.json["next"] is None
    newest = next(each for each in got.json["items"] if each["key"] == "w1")
    wanted = {"amount": "15.00", "balance": "105.00", "player": "p1", "round": "r1", "game": "g1"}
    assert {name: newest[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("brand=acme&player=p2", ["b2", "fund-p2"]),
        ("integration=cashier%2Facme", ["fund-p2", "fund-p1"]),
        ("brand=acme&player=p1&integration=cashier%2Facme", ["fund-p1"]),
        ("integration=swipe&round=r1", ["w1", "b2", "b1"]),
        ("integration=swipe&round=r1&game=g1&brand=acme&player=p2", ["b2"]),
        ("integration=swipe&round=r1&game=g2", []),
        ("brand=other", []),
        ("brand=acme&player=nobody", []),
        ("integration=nobody&round=r1", []),
    ],
)
def test_transactions_are_filtered(played, query, found):
    """Filters narrow together; what matches nothing is an empty page."""
    assert keys(played.get(f"/v1/transactions?{query}")) == found


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ("/v1/transactions?player=p1", "brand"),
        ("/v1/transactions?round=r1", "integration"),
        ("/v1/transactions?integration=swipe&game=g1", "round"),
        ("/v1/rounds?player=p1", "brand"),
        ("/v1/rounds?round=r1", "integration"),
    ],
)
def test_a_filter_that_is_ambiguous_names_what_is_missing(played, target, field):
    """A player is a brand's, and a round an integration's: without these, 400."""
    assert problem(played.get(target), 400, "malformed")["field"] == field


@pytest.mark.parametrize("limit", [1, 2, 3, 8, 9, 10])
def test_pages_join_without_gap_or_repetition(played, limit):
    """The pages together are the list, whatever their size, and the last one says so."""
    pages = follow(played, f"/v1/transactions?limit={limit}")
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    listed = [each["transaction"] for page in pages for each in page]
    assert listed == [f"txn_{number}" for number in range(9, 0, -1)]


def test_new_transactions_do_not_shift_a_page(played):
    """A page begins behind the last item of the one before, whatever was written meanwhile."""
    first = played.get("/v1/transactions?limit=2").json
    played.apply(bet("b10", "1.00"))
    second = played.get(f"/v1/transactions?limit=2&after={first['next']}")
    assert keys(second) == ["w2", "b3"]


def test_a_cursor_is_for_its_list_and_filters(played):
    """A cursor that was changed, or taken to another list or filter, is 400."""
    cursor = played.get("/v1/transactions?brand=acme&limit=1").json["next"]
    assert played.get(f"/v1/transactions?brand=acme&limit=2&after={cursor}").status == 200
    for number, letter in enumerate(cursor):
        other = "A" if letter != "A" else "B"
        changed = cursor[:number] + other + cursor[number + 1 :]
        got = played.get(f"/v1/transactions?brand=acme&after={changed}")
        assert problem(got, 400, "malformed")["field"] == "after"
    for elsewhere in (
        f"/v1/transactions?after={cursor}",
        f"/v1/rounds?brand=acme&after={cursor}",
        f"/v1/alerts?after={cursor}",
        f"/v1/transactions?brand=acme&after={cursor}%3D",
        f"/v1/transactions?brand=acme&after={cursor}AAAA",
        "/v1/transactions?brand=acme&after=%C3%BC",
    ):
        problem(played.get(elsewhere), 400, "malformed")


# Rounds.


def test_rounds_have_totals(played):
    """A round is one player's share: what was staked, won and refunded."""
    got = played.get("/v1/rounds?integration=swipe&round=r1").json["items"]
    shown = [(each["player"], each["staked"], each["won"], each["bets"]) for each in got]
    assert shown == [("p2", "20.00", "0.00", 1), ("p1", "10.00", "15.00", 1)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["r9", "r3", "r1", "r1"]),
        ("brand=acme&player=p1", ["r9", "r3", "r1"]),
        ("unsettled=true", ["r3", "r1"]),
        ("unsettled=false", ["r9", "r3", "r1", "r1"]),
        ("game=g2", ["r3"]),
        ("integration=mute", []),
    ],
)
def test_rounds_are_filtered(played, query, found):
    """Filters narrow together; `unsettled` leaves those with a bet still open."""
    got = played.get(f"/v1/rounds?{query}").json["items"]
    assert [each["round"] for each in got] == found


def test_pages_of_rounds_join(played):
    """The pages together are the list."""
    pages = follow(played, "/v1/rounds?limit=3")
    assert [[each["round"] for each in page] for page in pages] == [["r9", "r3", "r1"], ["r1"]]


def test_a_round_shows_its_transactions(played):
    """One round of all its players, or of one."""
    everybody = played.get("/v1/rounds/swipe/g1/r1").json
    assert [each["player"] for each in everybody["rounds"]] == ["p2", "p1"]
    assert [each["key"] for each in everybody["transactions"]] == ["w1", "b2", "b1"]
    assert everybody["more"] is False
    mine = played.get("/v1/rounds/swipe/g1/r1?player=p2").json
    assert [each["key"] for each in mine["transactions"]] == ["b2"]


@pytest.mark.parametrize("path", ["swipe/g2/r1", "swipe/g1/r8", "mute/g1/r1", "nobody/g1/r1"])
def test_an_unknown_round_is_404(played, path):
    """No round, no answer but that."""
    problem(played.get(f"/v1/rounds/{path}"), 404, "round_unknown")


# Alerts.


def test_alerts_move_through_their_states(played):
    """An alert is listed by state, moved on and back, and found again at its new state."""
    (found,) = played.get("/v1/alerts").json["items"]
    assert (found["alert"], found["key"], found["state"]) == ("win_without_bet", "w2", "open")
    played.world.now_ms += 1
    moved = played.patch(f"/v1/alerts/{found['id']}", {"state": "resolved"})
    assert moved.status == 200
    assert moved.json == found | {"state": "resolved", "changed_ms": NOON + 1}
    assert played.get("/v1/alerts?state=open").json["items"] == []
    assert len(played.get("/v1/alerts?state=resolved").json["items"]) == 1
    assert played.patch(f"/v1/alerts/{found['id']}", {"state": "open"}).json["state"] == "open"


@pytest.mark.parametrize(
    ("target", "body", "status", "code"),
    [
        ("/v1/alerts/99", {"state": "open"}, 404, "alert_unknown"),
        ("/v1/alerts/9223372036854775806", {"state": "open"}, 404, "alert_unknown"),
        ("/v1/alerts/9223372036854775808", {"state": "open"}, 400, "malformed"),
        ("/v1/alerts/0", {"state": "open"}, 400, "malformed"),
        ("/v1/alerts/x", {"state": "open"}, 400, "malformed"),
        ("/v1/alerts/1", {"state": "gone"}, 400, "malformed"),
        ("/v1/alerts/1", {}, 400, "malformed"),
    ],
)
def test_an_alert_must_exist_and_have_such_a_state(played, target, body, status, code):
    """An unknown alert is 404, an unreadable id or state 400."""
    problem(played.patch(target, body), status, code)


# Exchanges and totals.


def exchange(number):
    """A recorded request."""
    return Exchange(
        id=number,
        at_ms=NOON,
        request_id=f"q{number}",
        integration="swipe",
        call="bet",
        method="POST",
        path="/bet",
        query="",
        headers=(("x-sign", "hidden"),),
        body="{}",
        status=200,
        reply="{}",
        outcome="applied",
        transaction=f"txn_{number}",
        duration_us=700,
    )


def test_exchanges_are_listed_with_filters(rig):
    """The filters reach the record, and its pages join."""
    rig.exchanges.kept = [exchange(number) for number in range(1, 6)]
    pages = follow(rig, "/v1/exchanges?integration=swipe&outcome=applied&limit=2")
    assert [[each["id"] for each in page] for page in pages] == [[5, 4], [3, 2], [1]]
    wanted = rig.exchanges.wanted
    assert (wanted.integration, wanted.outcome, wanted.after) == ("swipe", "applied", 2)
    rig.get("/v1/exchanges?transaction=txn_1&request_id=q1")
    assert (rig.exchanges.wanted.transaction, rig.exchanges.wanted.request_id) == ("txn_1", "q1")


def test_totals_are_by_the_hour(played):
    """Movements are summed as players see them, for the last day or for a span."""
    last_day = played.get("/v1/totals").json["items"]
    bets = [each for each in last_day if each["kind"] == "bet"]
    assert [(each["transactions"], each["amount"]) for each in bets] == [(3, "-31.00")]
    span = f"from={NOON}&until=2026-11-18T14:00:00%2B01:00"
    assert played.get(f"/v1/totals?{span}").json["items"] == last_day
    assert played.get(f"/v1/totals?until={NOON}").json["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=2026-11-18T12:00:00", "from"),
        ("until=-1", "until"),
        ("until=99999999999999999999", "until"),
        ("until=0", "from"),
        (f"from={NOON}&until={NOON}", "from"),
        (f"from={NOON - 31 * DAY_MS - 1}&until={NOON}", "from"),
        ("from=", "from"),
        ("from=0001-01-01T00:00:00%2B23:59", "from"),
    ],
)
def test_a_span_has_a_beginning_before_its_end(rig, query, field):
    """Times say their zone, lie between 1970 and 9999, and span at most 31 days."""
    assert problem(rig.get(f"/v1/totals?{query}"), 400, "malformed")["field"] == field
