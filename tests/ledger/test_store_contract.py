"""What every backend promises: durable or undone, found again, and listed as it was written."""

import threading

import msgspec
import pytest

from kit.books import alerts, balances, proven, transactions
from kit.command import OTHER, SWIPE, bet, deposit, refund, reward, win, withdrawal
from kit.world import BRAND, NOON, StoreWorld, furnished, settle, terms_of
from seamline.ledger.rules import decide
from seamline.ledger.sqlite.store import open_reader
from seamline.ledger.store import (
    Conflict,
    NewSession,
    PlayerChange,
    RoundFilter,
    StoreError,
    TransactionFilter,
    Unknown,
)
from seamline.wallet import (
    Applied,
    Kind,
    Limits,
    PlayerStatus,
    Policy,
    Rejected,
    Rejection,
    Replayed,
)

HOUR_MS = 3_600_000


def state(world):
    """Everything that the outside can see of the books."""
    with world.store.reader() as reader:
        rounds = reader.rounds(RoundFilter(limit=1_000))
    return transactions(world.store), alerts(world.store), balances(world.store), rounds


def test_what_was_committed_is_there_after_reopening(world):
    """Rows, rounds, alerts and balances survive closing, and the books go on from there."""
    world.apply(bet("b1"), win("w1", "3.123456789"), refund("f9", "b9"))
    before = state(world)
    world.close()
    world.open()
    assert state(world) == before
    assert isinstance(world.apply(bet("b1"))[0], Replayed)
    assert world.apply(bet("b9"))[0].why is Rejection.REFUNDED_BEFORE
    assert isinstance(world.apply(bet("b2", "1.00"))[0], Applied)
    assert proven(world.store).transactions == len(before[0]) + 1


def test_a_transaction_that_fails_leaves_nothing(world):
    """After an error nothing of a batch is there: no row, round, alert, player or session."""
    before = state(world)
    writer = world.writer
    wanted = NewSession(
        name="s9", player="p9", currency="EUR", game="g1", opened_ms=NOON, expires_ms=NOON + 1
    )

    def half():
        with writer.transaction():
            writer.add_player(BRAND, "p9", None, None, NOON)
            writer.open_session(world.terms[SWIPE], wanted)
            book = writer.load([bet("b1")], world.terms, NOON)
            view = book.view(bet("b1"), world.terms[SWIPE])
            book.post(bet("b1"), view, decide(bet("b1"), view))
            writer.write(book)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert state(world) == before
    with world.store.reader() as reader:
        assert reader.player(BRAND, "p9") is None
        assert reader.session(SWIPE, "s9") is None
    assert isinstance(world.apply(bet("b1"))[0], Applied), "ids and names are free again"
    proven(world.store)


def test_an_integration_first_met_in_a_failed_batch_is_met_again(new_world):
    """Names that a rolled back batch made are made again by the next one."""
    world = new_world()
    world.player("p1")

    def half():
        with world.writer.transaction():
            world.writer.load([deposit("d1")], world.terms, NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert isinstance(world.apply(deposit("d1"))[0], Applied)
    proven(world.store)


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
def test_duplicates_move_once(world, together):
    """The same key moves once, in one batch or across batches, for every kind."""
    kinds = [bet("b1"), win("w1"), refund("f1", "b1"), reward("j1"), deposit("d1")]
    if together:
        outcomes = world.apply(*kinds, *kinds)
    else:
        outcomes = world.apply(*kinds) + world.apply(*kinds)
    assert [type(outcome) for outcome in outcomes] == [Applied] * 5 + [Replayed] * 5
    assert [outcome.transaction for outcome in outcomes[:5]] == [
        outcome.transaction for outcome in outcomes[5:]
    ]
    assert [outcome.balance for outcome in outcomes[:5]] == [
        outcome.balance for outcome in outcomes[5:]
    ]
    assert world.balance("p1") == "220.00"
    proven(world.store)


def test_a_bet_and_its_refund_may_share_a_batch(world):
    """A refund finds its target in the same batch, whichever of the two came first."""
    outcomes = world.apply(bet("b1"), refund("f1", "b1"), refund("f2", "b2"), bet("b2"))
    assert [type(outcome) for outcome in outcomes] == [Applied, Applied, Applied, Rejected]
    assert world.balance("p1") == "100.00"
    (row,) = [row for row in transactions(world.store) if row.key == "b1"]
    assert row.reversed_by == outcomes[1].transaction
    proven(world.store)


def test_a_batch_may_hold_everything(world):
    """Sessions, players, integrations and currencies of one batch do not mix."""
    world.session("s3", "p1", "BTC", integration=OTHER)
    world.session("s4", "p2", "EUR")
    outcomes = world.apply(
        deposit("d1", "1", currency="BTC"),
        bet("b1", "0.5", "s3", integration=OTHER),
        bet("b1", "10.00", "s1"),
        bet("b2", "10.00", "s2"),
        deposit("d2", "7.00", "p2", "EUR"),
        bet("b3", "7.00", "s4"),
        win("w1", "0.25", "s3", integration=OTHER),
    )
    assert {type(outcome) for outcome in outcomes} == {Applied}
    assert balances(world.store) == {
        ("p1", "USD"): "90.00",
        ("p1", "BTC"): "0.75000000",
        ("p2", "USD"): "90.00",
        ("p2", "EUR"): "0.00",
    }
    proven(world.store)


def test_a_big_batch_is_one_batch(world):
    """A thousand commands of one account in one batch chain as they came."""
    outcomes = world.apply(*(bet(f"b{n}", "0.01", round_=f"r{n % 7}") for n in range(1_000)))
    assert str(outcomes[-1].balance) == "90.00"
    assert proven(world.store).transactions == 1_002


def test_a_key_means_something_only_where_it_is_used(world):
    """One key at two integrations is two transactions; refunds look only at their own."""
    world.session("s3", "p1", integration=OTHER)
    world.apply(bet("b1"), bet("b1", "5.00", "s3", integration=OTHER))
    world.apply(refund("f1", "b1", session="s3", integration=OTHER))
    assert world.balance("p1") == "90.00"
    proven(world.store)


def test_a_restart_keeps_remembered_refusals(new_world):
    """A remembered refusal is answered again after a restart, and never becomes a bet."""
    policy = Policy(remembered_refusals=frozenset({Kind.BET}))
    world = furnished(new_world(terms_of(policy)), funds=None)
    assert world.apply(bet("b1"))[0].why is Rejection.FUNDS
    world.apply(deposit("d1"))
    world.close()
    world.open()
    again = world.apply(bet("b1"))[0]
    assert again.why is Rejection.FUNDS
    assert [row.rejection for row in transactions(world.store)] == ["FUNDS", None]
    proven(world.store)


@pytest.mark.parametrize("kinds", [frozenset(), frozenset({Kind.BET})], ids=["not", "remembered"])
def test_a_refusal_is_in_the_players_language(new_world, kinds):
    """A refused bet is told in the player's language, the first time and again."""
    world = furnished(new_world(terms_of(Policy(remembered_refusals=kinds))), funds=None)
    world.change("p1", language="de")
    refused = [world.apply(bet("b1"))[0] for _ in range(2)]
    assert [each.language for each in refused] == ["de", "de"]


def test_the_newest_time_is_the_newest_rows(new_world):
    """An empty store has no newest time; then it is that of the last row."""
    world = new_world()
    assert world.writer.newest_ms() == 0
    furnished(world)
    world.now_ms += 5
    world.apply(bet("b1"))
    assert world.writer.newest_ms() == NOON + 5


def test_a_player_is_added_once(world):
    """The same player again is no news; with another country it is a conflict."""
    writer = world.writer
    with writer.transaction():
        one, new = writer.add_player(BRAND, "p3", "MT", "en", NOON)
        two, again = writer.add_player(BRAND, "p3", "MT", "en", NOON + 1)
        assert (new, again) == (True, False)
        assert one == two
        with pytest.raises(Conflict, match="'p3' exists"):
            writer.add_player(BRAND, "p3", "SE", "en", NOON)


def test_a_player_is_changed_in_part(world):
    """What a change does not name stays; what it names is there for readers and for the rules."""
    few = Limits(session_minutes=30)
    world.change("p1", status=PlayerStatus.BLOCKED)
    world.change("p1", limits=few, country="MT")
    with world.store.reader() as reader:
        player, _ = reader.player(BRAND, "p1")
    assert (player.status, player.limits, player.country) == (PlayerStatus.BLOCKED, few, "MT")
    assert world.apply(bet("b1"))[0].why is Rejection.PLAYER_BLOCKED
    with pytest.raises(Unknown, match="'p9'"), world.writer.transaction():
        world.writer.change_player(BRAND, "p9", PlayerChange())


def test_a_session_is_opened_once(world):
    """The same session again is no news; for another player, currency or game it is a conflict."""
    facts = {"opened_ms": NOON, "expires_ms": NOON + 1}
    opened = {"name": "s3", "player": "p1", "currency": "USD", "game": "g1"}
    writer, terms = world.writer, world.terms[SWIPE]
    with writer.transaction():
        one, new = writer.open_session(terms, NewSession(**opened, **facts))
        two, again = writer.open_session(terms, NewSession(**opened, **facts))
        assert (new, again, one.id) == (True, False, two.id)
        for changed in ({"player": "p2"}, {"currency": "EUR"}, {"game": "g2"}):
            with pytest.raises(Conflict, match="'s3' exists"):
                writer.open_session(terms, NewSession(**opened | changed, **facts))
        with pytest.raises(Unknown, match="'p9'"):
            writer.open_session(
                terms, NewSession(**opened | {"name": "s4", "player": "p9"}, **facts)
            )


def test_a_session_is_closed_under_all_its_names(world):
    """What was opened at one time for one account and game is one launch; no other is closed."""
    world.session("s1 of the vendor", "p1")
    world.session("s3", "p1", game="g2")
    world.session("s4", "p1", "EUR")
    world.now_ms += 1
    world.session("s5", "p1")
    world.close_session("s1 of the vendor")
    with world.store.reader() as reader:
        open_ = [n for n in ("s1", "s1 of the vendor", "s2", "s3", "s4", "s5")
                 if reader.session(SWIPE, n).closed_ms is None]  # fmt: skip
    assert open_ == ["s2", "s3", "s4", "s5"]


def test_a_session_is_closed_once(world):
    """Closing keeps the first time; an unknown session cannot be closed."""
    world.close_session("s1")
    world.now_ms += 1_000
    world.close_session("s1")
    with world.store.reader() as reader:
        assert reader.session(SWIPE, "s1").closed_ms == NOON
        assert reader.session(SWIPE, "s9") is None
        assert reader.session("nobody", "s1") is None
    with pytest.raises(Unknown, match="'s9'"):
        world.close_session("s9")


def test_an_alert_has_a_state(world):
    """The same thing about one key is one alert, and a person moves it through its states."""
    world.apply(win("w1"), bet("w1", "1.00"), bet("w1", "2.00"))
    with world.store.reader() as reader:
        newest, oldest = reader.alerts(state="open", after=None, limit=10)
    assert (newest.alert, oldest.alert) == ("duplicate_changed", "win_without_bet")
    assert (oldest.player, oldest.currency, oldest.key) == ("p1", "USD", "w1")
    with world.writer.transaction():
        world.writer.set_alert_state(oldest.id, "resolved", NOON + 9)
        with pytest.raises(Unknown):
            world.writer.set_alert_state(99, "resolved", NOON)
    with world.store.reader() as reader:
        (done,) = reader.alerts(state="resolved", after=None, limit=10)
        assert reader.alerts(state="open", after=newest.id, limit=10) == []
    assert (done.id, done.changed_ms) == (oldest.id, NOON + 9)


def played(world):
    """Two players over two integrations, games and rounds."""
    world.session("s3", "p1", integration=OTHER, game="g7")
    world.apply(bet("b1", "1.00"), bet("b2", "2.00", "s2"), bet("b3", "3.00", "s3", "r3",
                integration=OTHER))  # fmt: skip
    world.now_ms += HOUR_MS
    world.apply(win("w1", "5.00"), refund("f2", "b2", session="s2"), bet("b4", "1.00", "s1", "r4"))
    return world


def test_transactions_are_listed_newest_first_in_pages(world):
    """Pages by id neither repeat nor leave out a row."""
    played(world)
    pages, after = [], None
    with world.store.reader() as reader:
        while page := reader.transactions(TransactionFilter(after=after, limit=3)):
            pages.append([row.key for row in page])
            after = int(page[-1].transaction.removeprefix("txn_"))
    assert pages == [["b4", "f2", "w1"], ["b3", "b2", "b1"], ["fund2", "fund1"]]


@pytest.mark.parametrize(
    ("filters", "keys"),
    [
        ({"brand": BRAND, "player": "p2"}, ["fund2", "b2", "f2"]),
        ({"brand": BRAND, "player": "p1"}, ["fund1", "b1", "b3", "w1", "b4"]),
        ({"brand": BRAND, "player": "p1", "integration": OTHER}, ["b3"]),
        ({"integration": OTHER}, ["b3"]),
        ({"brand": "nobody"}, []),
        ({"integration": SWIPE, "round": "r1"}, ["b1", "b2", "w1", "f2"]),
        ({"integration": SWIPE, "round": "r1", "player": "p2"}, ["b2", "f2"]),
        ({"integration": OTHER, "round": "r3", "game": "g7"}, ["b3"]),
        ({"integration": OTHER, "round": "r3", "game": "g8"}, []),
    ],
)
def test_transactions_are_filtered(world, filters, keys):
    """Each filter lists what it names, completely."""
    played(world)
    assert [row.key for row in transactions(world.store, **filters)] == keys


def test_a_transaction_tells_everything(world):
    """A listed transaction carries its names and amounts as text, and what undid it."""
    played(world)
    undone = transactions(world.store, brand=BRAND, player="p2")[1]
    refunded = transactions(world.store, brand=BRAND, player="p2")[2]
    told = {field: getattr(undone, field) for field in undone.__struct_fields__}
    assert told | {"transaction": None, "reversed_by": None} == {
        "transaction": None,
        "integration": SWIPE,
        "brand": BRAND,
        "player": "p2",
        "kind": "bet",
        "key": "b2",
        "asked": "2.00",
        "amount": "2.00",
        "currency": "USD",
        "balance": "98.00",
        "version": 2,
        "session": "s2",
        "game": "g1",
        "round": "r1",
        "campaign": None,
        "free": False,
        "target": None,
        "reversed_by": None,
        "rejection": None,
        "dust": None,
        "feature": None,
        "reference": None,
        "at_ms": NOON,
    }
    assert undone.reversed_by == refunded.transaction
    assert refunded.target == undone.transaction


def test_rounds_are_listed(world):
    """A round lists its totals; a round without win or refund is unsettled."""
    played(world)
    with world.store.reader() as reader:
        newest = reader.rounds(RoundFilter(limit=2))
        named = reader.rounds(RoundFilter(integration=SWIPE, round="r1"))
        theirs = reader.rounds(RoundFilter(player="p1"))
        unsettled = reader.rounds(RoundFilter(unsettled=True))
    assert [each.round for each in newest] == ["r4", "r3"]
    assert [(each.player, each.won, each.refunded) for each in named] == [
        ("p2", "0.00", "2.00"),
        ("p1", "5.00", "0.00"),
    ]
    assert {each.round for each in theirs} == {"r1", "r3", "r4"}
    assert {each.round for each in unsettled} == {"r3", "r4"}


def test_totals_add_up_by_hour(world):
    """The totals of a span are those of its hours."""
    played(world)
    with world.store.reader() as reader:
        first = reader.totals(from_ms=NOON, until_ms=NOON + HOUR_MS)
        both = reader.totals(from_ms=NOON, until_ms=NOON + 2 * HOUR_MS)
    told = {(each.integration, each.kind): (each.transactions, each.amount) for each in first}
    assert told == {
        ("cashier/acme", "deposit"): (2, "200.00"),
        (SWIPE, "bet"): (2, "-3.00"),
        (OTHER, "bet"): (1, "-3.00"),
    }
    assert len(both) == 6


def test_readers_see_one_moment(world):
    """A stream of rows does not change while others write."""
    with world.store.reader() as reader:
        rows = iter(reader.stream(["audit_accounts", "audit_transactions"]))
        next(rows)
        world.apply(bet("b1"))
        rest = [row for name, row in rows if name == "audit_transactions"]
    assert len(rest) == 2
    assert proven(world.store).transactions == 3


def test_a_backup_is_a_ledger(world, tmp_path):
    """A copy made while bets are written is complete, passes the audit, and never overwrites."""
    target, failed, stop = tmp_path / "copy.db", [], threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            batch = [bet(f"b{number}.{n}", "0.01", round_=f"r{n}") for n in range(20)]
            try:
                settle(world.writer, world.terms, batch, NOON)
            except Exception as error:  # noqa: BLE001 - told by the assertion below
                failed.append(error)
                return

    world.apply(*(deposit(f"d{n}", "1.00", f"p{n % 2 + 1}") for n in range(2_000)))
    writing = threading.Thread(target=write)
    writing.start()
    try:
        for number in range(3):
            world.store.backup(target.with_suffix(f".{number}"))
    finally:
        stop.set()
        writing.join()
    assert not failed
    whole = proven(world.store).transactions
    for number in range(3):
        copy = StoreWorld(tmp_path / f"copy{number}")
        copy.close()
        copy.path.unlink()
        target.with_suffix(f".{number}").rename(copy.path)
        copy.open()
        assert 2_002 <= proven(copy.store).transactions <= whole
        copy.close()
    with pytest.raises(StoreError, match="never overwrites"):
        world.store.backup(copy.path)


def test_a_reader_needs_a_ledger(tmp_path):
    """Reading where no ledger is says so, and makes none."""
    with pytest.raises(StoreError, match="no ledger at"):
        open_reader(tmp_path / "nothing.db", None)
    assert not list(tmp_path.iterdir())


def test_an_integration_stays_with_its_brand(world):
    """An integration that the books know as one brand's is refused as another's."""
    world.apply(bet("b1"))
    world.writer.adopt(world.terms.values())
    moved = msgspec.structs.replace(world.terms[SWIPE], brand="other")
    with pytest.raises(StoreError, match="belongs to brand"):
        world.writer.adopt([moved])


def test_winnings_pass_what_one_account_can_hold(world):
    """Over a day a player may win and take out more than 64 bits hold, as long as each fits."""
    largest = "92233720368000.00"
    for number in range(3):
        won = world.apply(win(f"w{number}", largest, round_=f"r{number}"))[0]
        assert isinstance(won, Applied)
        assert isinstance(world.apply(withdrawal(f"x{number}", largest))[0], Applied)
    proven(world.store)


def test_totals_hold_more_than_one_account_can(world):
    """Two accounts near the 64-bit limit add up exactly in the hour's total, and nothing drifts."""
    largest = "92233720368000.00"
    outcomes = world.apply(deposit("d8", largest, player="p1"), deposit("d9", largest, player="p2"))
    assert all(isinstance(outcome, Applied) for outcome in outcomes)
    with world.store.reader() as reader:
        totals = reader.totals(from_ms=0, until_ms=NOON + HOUR_MS)
        assert not any(reader.drift().values())
    put_in = next(each for each in totals if each.kind == "deposit" and each.currency == "USD")
    assert put_in.amount.startswith("18446744073")
