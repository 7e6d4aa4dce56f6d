"""Two gateways on one PostgreSQL: whatever meets, and in whatever order, happens once."""

import asyncio
import threading
import time
from collections import Counter
from contextlib import AsyncExitStack, closing, suppress
from random import Random

import psycopg
import pytest

from kit.books import proven, transactions
from kit.command import SWIPE, bet, deposit, refund, reward, win
from kit.door import door, why
from kit.processes import wait_for
from kit.world import BRAND, NOON, PostgresWorld, furnished, terms_of
from seamline.ledger.keys import stone_of
from seamline.ledger.postgres import links
from seamline.ledger.postgres.arrays import literal
from seamline.ledger.postgres.links import Line
from seamline.ledger.postgres.pipe import Pipe
from seamline.ledger.postgres.steps import Ask
from seamline.ledger.postgres.tables import SQL
from seamline.ledger.postgres.writing import write
from seamline.ledger.rules import decide
from seamline.ledger.store import NewSession, PlayerChange, StoreUnavailable
from seamline.wallet import Applied, Limits, PlayerStatus, Policy, Rejection, Replayed

pytestmark = pytest.mark.anyio

DONE = (Applied, Replayed)
#: How many wait for somebody's lock.
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
#: A deadlock is found by who waits for that long.
FINDS_DEADLOCKS = "?options=-cdeadlock_timeout%3D200ms"


@pytest.fixture
def anyio_backend():
    """The ledger is used from asyncio."""
    return "asyncio"


@pytest.fixture
def url(new_database):
    """An empty ledger."""
    with new_database() as made:
        yield made


@pytest.fixture
def pair(url):
    """Two worlds on one database, whose books are proven afterwards."""
    with closing(furnished(PostgresWorld(url))) as one, closing(PostgresWorld(url)) as two:
        yield one, two
        proven(one.store)


async def at_both(pair, commands, *, batch_limit=8):
    """The outcomes of commands that are given to the gateways in turn, all at once."""
    async with AsyncExitStack() as stack:
        doors = [
            await stack.enter_async_context(door(each, batch_limit=batch_limit, deadline_ms=60_000))
            for each in pair
        ]
        sent = [settled(doors[n % len(doors)], each) for n, each in enumerate(commands)]
        return await asyncio.gather(*sent)


async def settled(ledger, command):
    """The command's outcome, sent again as vendors do where a lock was not to be had for now."""
    async with asyncio.timeout(60):
        while why(outcome := await ledger.apply(command)) is Rejection.UNAVAILABLE:
            pass
        return outcome


class Round:
    """A bet and what follows it; each is sent several times, by whatever way."""

    def __init__(self, chance, player, number):
        name = f"{player}/{number}"
        session = {"session": f"s{player[1:]}", "round_": f"r{number}"}
        self.refunded = chance.random() < 0.5
        self.bet = bet(f"b{name}", "1.00", **session)
        self.then = win(f"w{name}", "0.50", **session)
        if self.refunded:
            # Half of them say nothing about whose they are.
            session = {"session": chance.choice([session["session"], None])}
            self.then = refund(f"f{name}", self.bet.key, **session)

    @property
    def moves(self):
        """What is left of it in the end, in hundredths."""
        return 0 if self.refunded else -50


def shuffled(chance, rounds, copies):
    """Everything that the rounds say, so many times each, in any order."""
    said = [each for one in rounds for each in (one.bet, one.then)] * copies
    chance.shuffle(said)
    return said


@pytest.mark.parametrize("seed", range(4))
async def test_a_storm_of_duplicates_is_done_once(url, seed):
    """Bets, wins and refunds, with and without a session, several times each through both."""
    chance = Random(seed)
    terms = terms_of(Policy(refund_fingerprint=("target",)))
    with (
        closing(furnished(PostgresWorld(url, terms))) as one,
        closing(PostgresWorld(url, terms)) as two,
    ):
        rounds = [Round(chance, player, n) for player in ("p1", "p2") for n in range(40)]
        commands = shuffled(chance, rounds, 4)
        outcomes = await at_both((one, two), commands, batch_limit=chance.choice((1, 4, 64)))
        refused = Counter(why(each) for each in outcomes if not isinstance(each, DONE))
        # A bet that its refund has overtaken; which had nobody's balance to tell, where it said so.
        assert refused.keys() <= {Rejection.REFUNDED_BEFORE, Rejection.SESSION_UNKNOWN}
        keys = Counter(each.key for each in transactions(one.store))
        assert set(keys.values()) == {1}
        for player in ("p1", "p2"):
            left = sum(each.moves for each in rounds if each.bet.key[1:3] == player)
            assert one.balance(player) == f"{(10_000 + left) / 100:.2f}"
        applied = Counter(c.key for c, o in zip(commands, outcomes, strict=True)
                          if isinstance(o, Applied))  # fmt: skip
        assert set(applied.values()) == {1}
        # Whoever moved money was told so; a refund that found nothing may be told otherwise.
        assert applied.keys() >= keys.keys() & {each.bet.key for each in rounds}
        proven(one.store)


async def test_a_refund_races_its_bet(pair):
    """Sent at the same moment to one gateway each, a bet and its refund leave nothing, always."""
    for number in range(60):
        key = f"b{number}"
        said = [bet(key, "1.00", round_=f"r{number}"), refund(f"f{number}", key, session=None)]
        await at_both(pair, said[:: -1 if number % 2 else 1])
    assert pair[0].balance("p1") == "100.00"
    listed = {each.key: each for each in transactions(pair[0].store)}
    for number in range(60):
        staked = listed.get(f"b{number}")
        assert stone_of(f"b{number}") in listed if staked is None else staked.reversed_by


async def test_a_refund_races_a_bet_of_somebody_else(pair):
    """A refund that names the wrong session is refused, or the bet is; never are both done."""
    for number in range(60):
        key = f"b{number}"
        said = [bet(key, "1.00", round_=f"r{number}"), refund(f"f{number}", key, session="s2")]
        outcomes = await at_both(pair, said)
        assert [isinstance(each, Applied) for each in outcomes].count(True) == 1


async def test_one_key_for_two_players_is_one_of_them(pair):
    """Two players bet under the same keys, in opposite orders: each key is one bet."""
    keys = [f"k{number}" for number in range(40)]
    first = [bet(key, "0.01", "s1") for key in keys]
    second = [bet(key, "0.01", "s2") for key in reversed(keys)]
    mixed = [each for both in zip(first, second, strict=True) for each in both]
    outcomes = await at_both(pair, mixed, batch_limit=64)
    told = Counter(map(why, outcomes))
    assert told == {Applied: 40, Rejection.DUPLICATE_CHANGED: 40}


async def test_every_batch_writes_its_keys_in_one_order(pair):
    """However they came, so that two batches with the same keys never wait for each other."""
    writer, commands = pair[0].writer, [bet(key, "0.01") for key in ("k3", "k1", "k2")]
    with writer.transaction():
        book = writer.load(commands, pair[0].terms, NOON)
        for each in commands:
            view = book.view(each, pair[0].terms[SWIPE])
            book.post(each, view, decide(each, view))
        asks = {each.name: each.bound for each in next(write(book, writer._directory.integrations))}
    assert asks["write_transactions"][2] == '{"k1","k2","k3"}'


async def test_one_claim_of_all_players_is_paid_once(url):
    """What may be paid to one player only is paid to one, whoever asks where at once."""
    terms = terms_of(Policy(claimants="one", second_claim="reject"))
    with (
        closing(furnished(PostgresWorld(url, terms))) as one,
        closing(PostgresWorld(url, terms)) as two,
    ):
        for number in range(20):
            said = [reward(f"j{number}/{s}", "1.00", s, claim=f"c{number}") for s in ("s1", "s2")]
            outcomes = await at_both((one, two), said)
            assert [isinstance(each, Applied) for each in outcomes].count(True) == 1
        proven(one.store)


async def test_the_same_player_purse_and_session_are_opened_once(pair):
    """Both gateways set down the same names at once: one is new, the other one finds it."""

    def player(writer, now_ms):
        return writer.add_player(BRAND, "p9", None, None, now_ms)[1]

    def session(writer, now_ms):
        wanted = NewSession(
            name="s9",
            player="p9",
            currency="EUR",
            game="g1",
            opened_ms=NOON,
            expires_ms=NOON + 3_600_000,
        )
        return writer.open_session(pair[0].terms[SWIPE], wanted)[1]

    async with door(pair[0]) as one, door(pair[1]) as two:
        for errand in (player, session):
            new = await asyncio.gather(*(each.run(errand) for each in (one, two, one, two)))
            assert sorted(new) == [False, False, False, True]
    # A purse comes about with its first deposit; here with two of them.
    outcomes = await at_both(
        pair, [deposit(f"d{n}", "1.00", f"p{n % 2 + 1}", "BTC") for n in range(20)]
    )
    assert all(isinstance(each, Applied) for each in outcomes)
    assert [pair[0].balance(name, "BTC") for name in ("p1", "p2")] == ["10.00000000"] * 2


async def test_an_account_that_somebody_holds_keeps_nobody_else(url):
    """Only commands about it are refused, soon, and go through when it is free again."""
    with closing(furnished(PostgresWorld(url))) as world, psycopg.connect(url) as other:
        world.writer.lanes = 1
        other.execute("SELECT FROM accounts ORDER BY id LIMIT 1 FOR UPDATE")
        async with door(world) as ledger:
            held = bet("b1", "1.00", "s1")
            free = [bet(f"c{number}", "1.00", "s2") for number in range(10)]
            outcomes = await asyncio.gather(*map(ledger.apply, [held, *free, held]))
            assert list(map(why, outcomes)) == [
                Rejection.UNAVAILABLE,
                *[Applied] * 10,
                Rejection.UNAVAILABLE,
            ]
            other.rollback()
            assert isinstance(await ledger.apply(held), Applied)
        assert (world.balance("p1"), world.balance("p2")) == ("99.00", "90.00")
        proven(world.store)


async def test_a_gateway_that_stands_still_does_not_hold_its_accounts_for_ever(pair):
    """Its transaction is ended by the server; when it goes on it has moved nothing."""
    one, two = pair
    still = Line(one.url, prepare=True)
    await still.begin()
    asks = [Ask("prepare_batch"), Ask("lock_accounts", (accounts_of(one),))]
    await still.ask(asks)
    async with door(two) as ledger:
        assert why(await ledger.apply(bet("b1", "1.00"))) is Rejection.UNAVAILABLE
        async with asyncio.timeout(10):
            while why(await ledger.apply(bet("b1", "1.00"))) is not Applied:
                pass
    with pytest.raises(StoreUnavailable):
        await still.ask(asks)


async def test_a_gateway_that_stands_still_for_a_moment_refuses_nobody(url, monkeypatch):
    """What the server has answered meanwhile is heard, at every round trip of a batch."""
    exchange = Pipe.exchange

    async def paused(self, asks):
        asyncio.get_running_loop().call_soon(time.sleep, 0.5)
        return await exchange(self, asks)

    with closing(furnished(PostgresWorld(url))) as world:
        async with door(world) as ledger:
            # On a connection that is there already: that one is waited for otherwise.
            assert isinstance(await ledger.apply(bet("b1", "1.00")), Applied)
            monkeypatch.setattr(Pipe, "exchange", paused)
            monkeypatch.setattr(links, "ANSWER_MS", 400)
            monkeypatch.setattr(links, "COMMIT_MS", 400)
            assert isinstance(await ledger.apply(bet("b2", "1.00")), Applied)
            monkeypatch.undo()
        proven(world.store)


def accounts_of(world):
    """The ids of all accounts, as a batch names them."""
    with psycopg.connect(world.url) as connection:
        return literal(row[0] for row in connection.execute("SELECT id FROM accounts"))


async def test_a_deadlock_is_no_reason_to_refuse(url):
    """Who loses a deadlock to somebody else's transaction begins again behind it."""
    with closing(furnished(PostgresWorld(url))) as world:
        bets = [bet("b1", "1.00", "s1"), bet("b2", "1.00", "s2")]
        world.store.close()
        world.url = url + FINDS_DEADLOCKS
        world.open()
        world.writer.lanes = 1
        with psycopg.connect(url) as other:
            low, high = [row[0] for row in other.execute("SELECT id FROM accounts ORDER BY id")]
            lock = "SELECT FROM accounts WHERE id = %s FOR UPDATE"
            other.execute(lock, [high])
            crossing = threading.Thread(target=cross, args=(url, other, lock, low))
            crossing.start()
            async with door(world) as ledger:
                outcomes = await asyncio.gather(*map(ledger.apply, bets))
            await asyncio.to_thread(crossing.join)
        assert list(map(why, outcomes)) == [Applied, Applied]
        proven(world.store)


def cross(url, other, lock, low):
    """Once the batch waits for its second account, ask for its first one; then let all go."""
    with psycopg.connect(url, autocommit=True) as watcher:
        wait_for(lambda: watcher.execute(WAITING).fetchone()[0])
    with suppress(psycopg.errors.DeadlockDetected):
        other.execute(lock, [low])
    other.rollback()


def test_a_gateway_that_stands_still_in_an_errand_keeps_nobody(pair, monkeypatch):
    """What it holds is free again after a while: its errand did not happen, the next one does."""
    still, other = pair
    soon = SQL["bound_errand"].replace(b"10s", b"300ms").replace(b"400ms", b"10s")
    monkeypatch.setitem(SQL, "bound_errand", soon)

    def stand_still():
        closed = PlayerChange(status=PlayerStatus.CLOSED)
        with still.writer.transaction():
            still.writer.change_player(BRAND, "p1", closed)
            other.change("p1", status=PlayerStatus.BLOCKED)
            still.writer.change_player(BRAND, "p1", closed)

    with pytest.raises(StoreUnavailable, match=r"idle-in-transaction|closed the connection"):
        stand_still()
    assert status(other, "p1") is PlayerStatus.BLOCKED
    still.change("p1", status=PlayerStatus.ACTIVE)
    assert status(other, "p1") is PlayerStatus.ACTIVE


def status(world, name):
    """How a player stands."""
    with world.store.reader() as reader:
        return reader.player(BRAND, name)[0].status


async def test_an_errand_does_not_wait_long_for_what_somebody_holds(pair):
    """Bets queue behind it: it is refused, and they go on."""
    world = pair[0]
    world.writer.lanes = 1

    def beat(writer, now_ms):
        writer.beat(now_ms)

    async with door(world) as ledger:
        await ledger.run(beat)
        with psycopg.connect(world.url) as other:
            other.execute("SELECT FROM heartbeat FOR UPDATE")
            errand = asyncio.create_task(ledger.run(beat))
            with pytest.raises(StoreUnavailable, match="lock timeout"):
                await errand
            assert isinstance(await ledger.apply(bet("b1", "1.00")), Applied)
        await ledger.run(beat)


async def test_a_refund_that_cannot_tell_yet_keeps_nobody_else(pair):
    """What may leave a tombstone waits for batches of others; only that is told to come again."""
    world = pair[0]
    world.writer.lanes = 1
    with psycopg.connect(world.url) as other:
        (number,) = other.execute(
            "SELECT id FROM integrations WHERE name = %s", (SWIPE,)
        ).fetchone()
        other.execute("SELECT pg_advisory_xact_lock_shared(7379616, %s)", (number,))
        async with door(world) as ledger:
            said = [refund("f1", "b9"), *(bet(f"b{n}", "1.00") for n in range(3))]
            outcomes = await asyncio.gather(*map(ledger.apply, said))
            assert list(map(why, outcomes)) == [Rejection.UNAVAILABLE, *[Applied] * 3]
            other.rollback()
            assert isinstance(await ledger.apply(said[0]), Applied)


async def test_a_clock_that_was_ahead_stays_with_its_accounts(pair):
    """What another account did is dated by the clock as it is, also in one batch with them."""
    ahead, right = pair
    hour_ms = 3_600_000
    ahead.now_ms += hour_ms
    ahead.apply(bet("b1", "1.00", "s1"))
    right.apply(bet("b2", "1.00", "s1"), bet("b3", "1.00", "s2"))
    right.apply(bet("b4", "1.00", "s2"))
    with psycopg.connect(right.url) as db:
        dated = dict(db.execute("SELECT key, created_ms FROM transactions").fetchall())
    assert dated["b1"] == dated["b2"] == dated["b3"] + hour_ms == dated["b4"] + hour_ms


def test_two_changes_of_a_player_are_both_kept(pair):
    """Limits that one gateway sets do not undo the exclusion that another one is just writing."""
    one, two = pair
    limits = Limits(session_minutes=30)
    limited = threading.Thread(target=two.change, args=("p1",), kwargs={"limits": limits})
    with one.writer.transaction(), psycopg.connect(one.url, autocommit=True) as third:
        excluded = PlayerChange(status=PlayerStatus.SELF_EXCLUDED)
        one.writer.change_player(BRAND, "p1", excluded)
        limited.start()
        wait_for(lambda: third.execute(WAITING).fetchone()[0])
    limited.join()
    with one.store.reader() as reader:
        player, _ = reader.player(BRAND, "p1")
    assert (player.status, player.limits) == (PlayerStatus.SELF_EXCLUDED, limits)


def test_a_round_of_a_fast_clock_hides_no_later_one(pair):
    """Ids are handed out in blocks and clocks differ: what is too young now is looked at later."""
    one, two = pair
    one.now_ms += 3_600_000
    one.apply(bet("b1", "1.00", "s1"))
    two.apply(bet("b2", "1.00", "s2"))
    with one.store.reader() as reader:
        early, last = reader.overdue(after=0, opened_before_ms=two.now_ms + 1)
        late, _ = reader.overdue(after=last, opened_before_ms=one.now_ms + 1)
    assert [each.round.player for each in early] == ["p2"]
    assert "p1" in [each.round.player for each in late]
