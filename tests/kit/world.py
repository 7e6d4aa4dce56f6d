"""Small worlds to bet in: one in memory, one on a store, both with the same few methods.

A world has a clock that stands still until it is told. `apply` takes commands as one batch.
"""

import asyncio
from datetime import UTC, datetime
from itertools import count, product
from pathlib import Path

import msgspec
import psycopg

from kit.command import CASHIER, OTHER, SWIPE, deposit
from seamline.ledger.book import Book
from seamline.ledger.postgres.links import Line
from seamline.ledger.postgres.store import PostgresStore
from seamline.ledger.rows import Account, Grant, Player, Session, Terms
from seamline.ledger.rules import decide
from seamline.ledger.sqlite.store import SqliteStore
from seamline.ledger.store import NewGrant, NewSession, PlayerChange
from seamline.money import Amount, Currencies, Currency
from seamline.wallet import Limits, PlayerStatus, Policy

#: A few currencies of different scales; 1 unit of WHL is 1.
CURRENCIES = Currencies(
    {
        "USD": Currency("USD", 2, 5),
        "EUR": Currency("EUR", 2, 5),
        "BTC": Currency("BTC", 8, 8),
        "WHL": Currency("WHL", 0, 0),
    }
)
BRAND = "acme"
POLICY, NO_LIMITS = Policy(), Limits()
#: Deposits and withdrawals carry no session: whose they are must not change.
CASHIER_POLICY = Policy(fingerprint=("kind", "player", "currency"))


def ms(text):
    """The Unix milliseconds of a time such as `2026-11-18T12:00`, UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


#: A Wednesday.
NOON = ms("2026-11-18T12:00")


def terms_of(policy=POLICY, limits=NO_LIMITS, currencies=frozenset(CURRENCIES)):
    """Two integrations of one brand under that policy, and the brand's cashier."""
    shared = {"brand": BRAND, "currencies": currencies, "limits": limits}
    return {
        SWIPE: Terms(integration=SWIPE, policy=policy, **shared),
        OTHER: Terms(integration=OTHER, policy=policy, **shared),
        CASHIER: Terms(integration=CASHIER, policy=CASHIER_POLICY, **shared),
    }


def settle(writer, terms, commands, now_ms):
    """One batch on a writer, as the ledger does it."""
    with writer.transaction():
        book = writer.load(commands, terms, now_ms)
        outcomes = []
        for command in commands:
            view = book.view(command, terms[command.integration])
            outcomes.append(book.post(command, view, decide(command, view)))
        writer.write(book)
    return outcomes


class BookWorld:
    """Everything in one book, which is never written anywhere."""

    def __init__(self, terms=None):
        self.terms = terms or terms_of()
        self.book = Book(
            NOON,
            new_transaction=count(1).__next__,
            new_round=count(1).__next__,
            new_session=lambda: next(self._ids),
            house=self._house,
        )
        self._houses = {}
        self._ids = count(1)

    def _house(self, *names):
        return self._houses.setdefault(names, -1 - len(self._houses))

    @property
    def now_ms(self):
        """The time of day."""
        return self.book.now_ms

    @now_ms.setter
    def now_ms(self, now_ms):
        self.book.now_ms = self.book.written_ms = now_ms

    def player(self, name):
        """Add a player."""
        player = Player(next(self._ids), BRAND, name, PlayerStatus.ACTIVE, Limits())
        self.book.players[BRAND, name] = player

    def change(self, name, **changes):
        """Change a player's status or limits."""
        for field, value in changes.items():
            setattr(self.book.players[BRAND, name], field, value)

    def account(self, name, currency):
        """A player's account, opened when it is new."""
        player = self.book.players[BRAND, name]
        account = self.book.purses.get((player.id, currency))
        if account is None:
            account = Account(next(self._ids), player.id, CURRENCIES[currency])
            self.book.purses[player.id, currency] = account
            self.book.accounts[account.id] = account
            self.book.owners[account.id] = name
        return account

    def session(self, name, player, currency="USD", *, hours=4, integration=SWIPE, game="g1"):
        """Open a session."""
        owner, account = self.book.players[BRAND, player], self.account(player, currency)
        span = (self.now_ms, self.now_ms + hours * 3_600_000)
        opened = Session(next(self._ids), integration, name, owner, account, game, *span)
        self.book.sessions[integration, name] = opened
        for of in product((game, None), (currency, None)):
            self.book.newest[integration, player, *of] = opened

    def grant(self, name, player, game, reward=None, *, currency="USD"):
        """A campaign was given to a player."""
        number = self.book.players[BRAND, player].id
        given = Grant(
            name=name,
            vendor_name=None,
            player=number,
            game=game,
            currency=currency,
            reward=reward,
            from_ms=self.now_ms,
            until_ms=None,
            cancelled_ms=None,
        )
        self.book.grants.setdefault((SWIPE, name), []).append(given)
        self.book.given.setdefault((SWIPE, number), []).append(given)

    def cancel(self, name):
        """A campaign is over."""
        for known in (self.book.grants, self.book.given):
            for key, listed in known.items():
                known[key] = [
                    msgspec.structs.replace(each, cancelled_ms=self.now_ms)
                    if each.name == name
                    else each
                    for each in listed
                ]

    def close_session(self, name):
        """Close a session."""
        self.book.sessions[SWIPE, name].closed_ms = self.now_ms

    def apply(self, *commands):
        """The outcomes of a batch."""
        outcomes, before = [], self.book.posted
        self.book.posted = []
        for command in commands:
            known = (BRAND, command.player) in self.book.players
            if known and command.currency in CURRENCIES:
                self.account(command.player, command.currency)
            view = self.book.view(command, self.terms[command.integration])
            outcomes.append(self.book.post(command, view, decide(command, view)))
        self.book.posted = before + self.book.posted
        return outcomes

    def balance(self, name, currency="USD"):
        """What the player has, as text."""
        account = self.account(name, currency)
        return str(Amount(account.balance, account.currency))

    def alerts(self):
        """All alerts so far, by the key that they are about, each once."""
        return list(dict.fromkeys((row.key, row.raised.alert.value) for row in self.book.alerts))


class StoreWorld:
    """A store in a folder; each batch is a transaction of its own."""

    def __init__(self, folder, terms=None):
        self.terms = terms or terms_of()
        self.path = Path(folder) / "seamline.db"
        self.now_ms = NOON
        self.open()

    def open(self):
        """Open the store, again after `close`."""
        self.store = SqliteStore(self.path, CURRENCIES)
        self.writer = self.store.writer

    def before_commits(self, monkeypatch, act):
        """Let *act*, which may wait, go before each commit of a batch."""
        commit = self.writer._commit
        monkeypatch.setattr(self.writer, "_commit", lambda: (act(), commit()))

    def close(self):
        """Close the store."""
        self.store.close()

    def rows(self, sql):
        """What a query finds in the tables themselves."""
        return self.store._connection.execute(sql).fetchall()

    def tamper(self, *statements):
        """Change rows as somebody with the file in hand would, past the schema's checks."""
        db = self.store._connection
        db.execute("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
        for statement in statements:
            db.execute(statement)
        db.execute("PRAGMA ignore_check_constraints = OFF; PRAGMA foreign_keys = ON")

    def player(self, name):
        """Add a player."""
        with self.writer.transaction():
            self.writer.add_player(BRAND, name, None, None, self.now_ms)

    def change(self, name, **changes):
        """Change a player's status or limits."""
        with self.writer.transaction():
            self.writer.change_player(BRAND, name, PlayerChange(**changes))

    def session(self, name, player, currency="USD", *, hours=4, integration=SWIPE, game="g1"):
        """Open a session."""
        wanted = NewSession(
            name=name,
            player=player,
            currency=currency,
            game=game,
            opened_ms=self.now_ms,
            expires_ms=self.now_ms + hours * 3_600_000,
        )
        with self.writer.transaction():
            self.writer.open_session(self.terms[integration], wanted)

    def close_session(self, name):
        """Close a session."""
        with self.writer.transaction():
            self.writer.close_session(self.terms[SWIPE], name, self.now_ms)

    def grant(self, name, player, game, reward=None, *, currency="USD"):
        """A campaign was given to a player."""
        given = NewGrant(
            name=name,
            vendor_name=None,
            currency=currency,
            reward=reward,
            from_ms=self.now_ms,
            until_ms=None,
            players=(player,),
            games=(game,),
        )
        with self.writer.transaction():
            self.writer.grant(self.terms[SWIPE], given)

    def cancel(self, name):
        """A campaign is over."""
        with self.writer.transaction():
            self.writer.cancel_grants(self.terms[SWIPE], name, self.now_ms)

    def apply(self, *commands):
        """The outcomes of a batch."""
        return settle(self.writer, self.terms, commands, self.now_ms)

    def balance(self, name, currency="USD"):
        """What the player has, as text."""
        with self.store.reader() as reader:
            _, accounts = reader.player(BRAND, name)
        held = {each.currency.code: each.balance for each in accounts}
        return str(Amount(held.get(currency, 0), CURRENCIES[currency]))

    def alerts(self):
        """All alerts so far, by the key that they are about, oldest first."""
        with self.store.reader() as reader:
            found = reader.alerts(state=None, after=None, limit=1_000)
        return [(each.key, each.alert) for each in reversed(found)]


class PostgresWorld(StoreWorld):
    """The same on a PostgreSQL database; another world may be on it too, as another gateway."""

    def __init__(self, url, terms=None):
        self.url = url
        super().__init__("/", terms)

    def open(self):
        """Open the store, again after `close`."""
        self.store = PostgresStore(self.url, CURRENCIES, lanes=2)
        self.writer = self.store.writer
        self.writer.adopt(self.terms.values())

    def before_commits(self, monkeypatch, act):
        """Let *act*, which may wait, go before each commit of a batch."""
        commit = Line.commit

        async def slow(line):
            await asyncio.to_thread(act)
            await commit(line)

        monkeypatch.setattr(Line, "commit", slow)

    def rows(self, sql):
        """What a query finds in the tables themselves."""
        with psycopg.connect(self.url) as db:
            return db.execute(sql).fetchall()

    def tamper(self, *statements):
        """Change rows as the database's administrator could, past the schema's checks."""
        checks = self.rows(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE contype = 'c' AND connamespace = current_schema()::regnamespace"
        )
        with psycopg.connect(self.url) as db:
            db.execute("SET session_replication_role = replica")
            for table, check in checks:
                db.execute(f"ALTER TABLE {table} DROP CONSTRAINT {check}")
            for statement in statements:
                db.execute(statement)


def furnished(world, *, funds="100.00"):
    """The world with players p1 and p2, sessions s1 and s2 in USD, and money for both."""
    for number in (1, 2):
        world.player(f"p{number}")
        world.session(f"s{number}", f"p{number}")
        if funds is not None:
            world.apply(deposit(f"fund{number}", funds, f"p{number}"))
    return world


def limits(text):
    """Limits from JSON, as an operator gives them."""
    return msgspec.json.decode(text, type=Limits)
