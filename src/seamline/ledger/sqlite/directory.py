"""The names in the file, remembered in small dictionaries, and which ids come next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import cast

from seamline.ledger.directory import Directory
from seamline.ledger.rows import Terms
from seamline.ledger.tables import Tables
from seamline.money import Currencies


class SqliteDirectory(Directory):
    """One process writes the file: ids are counted in memory, and names are known for good."""

    def __init__(self, tables: Tables, currencies: Currencies) -> None:
        super().__init__(tables, currencies)
        self.refresh()

    def refresh(self) -> None:
        """Read the names and the newest ids; again after a rollback, which may have undone some."""
        last = cast("tuple[int, ...]", self._tables.rows("last_ids")[0])
        self._ids = [count(number + 1).__next__ for number in last[:6]]
        self.new_transaction, self.new_round = self._ids[:2]
        self._new_house: Callable[[], int] = count(last[6] - 1, -1).__next__
        named = cast("list[tuple[int, str, str]]", self._tables.rows("all_integrations"))
        self._integrations = {name: number for number, name, _ in named}
        houses = cast("list[tuple[int, str, str, str]]", self._tables.rows("all_houses"))
        self._houses = {(role, name, currency): number for number, role, name, currency in houses}

    def new_account(self) -> int:
        """An id for a new account."""
        return self._ids[2]()

    def new_player(self) -> int:
        """An id for a new player."""
        return self._ids[3]()

    def new_session(self) -> int:
        """An id for a new session."""
        return self._ids[4]()

    @property
    def integrations(self) -> Mapping[str, int]:
        """The ids of the integrations by name."""
        return self._integrations

    def integration(self, terms: Terms) -> int:
        """The id of an integration, new when nothing was recorded for it yet."""
        number = self._integrations.get(terms.integration)
        if number is None:
            number = self._ids[5]()
            self._tables.change("insert_integration", [(number, terms.integration, terms.brand)])
            self._integrations[terms.integration] = number
        return number

    def house(self, role: str, integration: str, currency: str) -> int:
        """The id of a house account, new when nothing moved through it yet."""
        number = self._houses.get((role, integration, currency))
        if number is None:
            number = self._new_house()
            row = (number, role, self._integrations[integration], currency)
            self._tables.change("insert_house", [row])
            self._houses[role, integration, currency] = number
        return number
