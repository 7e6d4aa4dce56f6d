"""Short ids for names, new ids for rows, and whose purse is which: small dictionaries in memory."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Mapping
from itertools import count
from typing import cast

import apsw

from seamline.ledger.chain import START
from seamline.ledger.rows import Account, Player, Session, Terms
from seamline.ledger.sql import queries
from seamline.ledger.sqlite import rows
from seamline.money import Currencies

SQL = queries(__package__)


class Directory:
    """What the writer remembers of the names in the file, and which ids come next."""

    def __init__(self, connection: apsw.Connection, currencies: Currencies) -> None:
        self._run = connection.cursor().execute
        self._currencies = currencies
        self.refresh()

    def refresh(self) -> None:
        """Read the names and the newest ids; again after a rollback, which may have undone some."""
        last = cast("tuple[int, ...]", self._run(SQL["last_ids"]).fetchall()[0])
        ids = [count(number + 1).__next__ for number in last[:6]]
        self.new_transaction, self.new_round, self.new_account = ids[:3]
        self.new_player, self.new_session, self._new_integration = ids[3:]
        self._new_house: Callable[[], int] = count(last[6] - 1, -1).__next__
        self._integrations = {
            name: number for number, name, _ in self._run(SQL["all_integrations"])
        }
        self._houses = {
            (role, name, currency): number
            for number, role, name, currency in self._run(SQL["all_houses"])
        }

    @property
    def integrations(self) -> Mapping[str, int]:
        """The ids of the integrations by name."""
        return self._integrations

    def integration(self, terms: Terms) -> int:
        """The id of an integration, new when nothing was recorded for it yet."""
        number = self._integrations.get(terms.integration)
        if number is None:
            number = self._new_integration()
            self._run(SQL["insert_integration"], (number, terms.integration, terms.brand))
            self._integrations[terms.integration] = number
        return number

    def house(self, role: str, integration: str, currency: str) -> int:
        """The id of a house account, new when nothing moved through it yet."""
        number = self._houses.get((role, integration, currency))
        if number is None:
            number = self._new_house()
            bindings = (number, role, self._integrations[integration], currency)
            self._run(SQL["insert_house"], bindings)
            self._houses[role, integration, currency] = number
        return number

    def player(self, brand: str, name: str) -> Player | None:
        """A brand's player."""
        found = self._run(SQL["load_players"], (brand, apsw.carray((name,)))).fetchall()
        return rows.player_of(found[0]) if found else None

    def session(self, terms: Terms, name: str) -> Session | None:
        """A session of an integration."""
        bindings = (self.integration(terms), apsw.carray((name,)))
        found = self._run(SQL["load_sessions"], bindings).fetchall()
        return rows.session_of(found[0], terms.integration, self._currencies) if found else None

    def purse(self, player: int, currency: str) -> Account | None:
        """A player's account in that currency."""
        return self.purses({player}).get((player, currency))

    def purses(self, players: Collection[int]) -> Mapping[tuple[int, str], Account]:
        """All accounts of those players, by player and currency."""
        if not players:
            return {}
        found = self._run(SQL["load_purses"], (apsw.carray(array("q", players)),))
        accounts = (rows.account_of(row, self._currencies) for row in found)
        return {(account.player, account.currency.code): account for account in accounts}

    def new_purse(self, player: int, currency: str) -> Account:
        """An account that is not stored yet."""
        return Account(self.new_account(), player, self._currencies[currency])

    def open(self, account: Account) -> None:
        """Store a new account."""
        bindings = (account.id, account.player, account.currency.code, START)
        self._run(SQL["insert_account"], bindings)
