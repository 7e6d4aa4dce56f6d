"""The names in a PostgreSQL ledger, set down at start, and blocks of new ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from seamline.ledger.book import HOUSE
from seamline.ledger.directory import Directory
from seamline.ledger.rows import Terms
from seamline.ledger.tables import Tables
from seamline.money import Currencies
from seamline.must import must

#: How many ids one block has.
BLOCK = 512


class PostgresDirectory(Directory):
    """Integrations and house accounts are there before the first bet: nothing waits for a name."""

    def __init__(self, tables: Tables, currencies: Currencies) -> None:
        super().__init__(tables, currencies)
        self._integrations: Mapping[str, int] = {}
        self._houses: Mapping[tuple[str, str, str], int] = {}

    def set_down(self, terms: Iterable[Terms]) -> None:
        """Store the names that are new, of integrations and of their houses; know all of them."""
        self._tables.rows("lock_set_up")
        self._read()
        wanted = tuple(terms)
        new = [(each.integration, each.brand) for each in wanted]
        self._tables.change(
            "insert_integration", [row for row in new if row[0] not in self._integrations]
        )
        self._read()
        for each in wanted:
            number = self._integrations[each.integration]
            houses = {(r, each.integration, c) for r in HOUSE.values() for c in each.currencies}
            missing = sorted(houses - self._houses.keys())
            self._tables.change(
                "insert_house", [(role, number, currency) for role, _, currency in missing]
            )
        self._read()

    def _read(self) -> None:
        named = cast("list[tuple[int, str, str]]", self._tables.rows("all_integrations"))
        self._integrations = {name: number for number, name, _ in named}
        houses = cast("list[tuple[int, str, str, str]]", self._tables.rows("all_houses"))
        self._houses = {(role, name, currency): number for number, role, name, currency in houses}

    @property
    def integrations(self) -> Mapping[str, int]:
        """The ids of the integrations by name."""
        return self._integrations

    def integration(self, terms: Terms) -> int:
        """The id of an integration."""
        must(terms.integration in self._integrations, "adopted", integration=terms.integration)
        return self._integrations[terms.integration]

    def house(self, role: str, integration: str, currency: str) -> int:
        """The id of a house account."""
        return self._houses[role, integration, currency]

    def new_account(self) -> int:
        """An id for a new account."""
        return self._new()

    def new_player(self) -> int:
        """An id for a new player."""
        return self._new()

    def new_session(self) -> int:
        """An id for a new session."""
        return self._new()

    def _new(self) -> int:
        (block,) = cast("tuple[int]", self._tables.rows("take_blocks", 1)[0])
        return block * BLOCK


def ids_of(blocks: Iterable[int]) -> Iterator[int]:
    """All ids of the blocks, smallest first."""
    for block in sorted(blocks):
        yield from range(block * BLOCK, (block + 1) * BLOCK)
