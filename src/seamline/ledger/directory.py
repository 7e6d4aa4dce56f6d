"""Who is who in the tables: short ids for names, new ids for rows, and whose purse is which."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping

from seamline.ledger import columns
from seamline.ledger.chain import START
from seamline.ledger.rows import Account, Player, Session, Terms
from seamline.ledger.tables import Tables
from seamline.money import Currencies


class Directory(ABC):
    """What is looked up one by one. How ids are handed out is the backend's own."""

    def __init__(self, tables: Tables, currencies: Currencies) -> None:
        self._tables = tables
        self._currencies = currencies

    @property
    @abstractmethod
    def integrations(self) -> Mapping[str, int]:
        """The ids of the integrations by name."""

    @abstractmethod
    def integration(self, terms: Terms) -> int:
        """The id of an integration."""

    @abstractmethod
    def new_player(self) -> int:
        """An id for a new player."""

    @abstractmethod
    def new_session(self) -> int:
        """An id for a new session."""

    @abstractmethod
    def new_account(self) -> int:
        """An id for a new account."""

    def player(self, brand: str, name: str) -> Player | None:
        """A brand's player."""
        found = self._tables.rows("load_players", brand, [name])
        return columns.player_of(found[0]) if found else None

    def session(self, terms: Terms, name: str) -> Session | None:
        """A session of an integration."""
        found = self._tables.rows("load_sessions", self.integration(terms), [name])
        return columns.session_of(found[0], terms.integration, self._currencies) if found else None

    def purse(self, player: int, currency: str) -> Account | None:
        """A player's account in that currency."""
        return self.purses({player}).get((player, currency))

    def purses(self, players: Collection[int]) -> Mapping[tuple[int, str], Account]:
        """All accounts of those players, by player and currency."""
        if not players:
            return {}
        found = self._tables.rows("load_purses", list(players))
        accounts = (columns.account_of(row, self._currencies) for row in found)
        return {(account.player, account.currency.code): account for account in accounts}

    def new_purse(self, player: int, currency: str) -> Account:
        """An account that is not stored yet."""
        return Account(self.new_account(), player, self._currencies[currency])

    def open(self, account: Account) -> None:
        """Store a new account."""
        row = (account.id, account.player, account.currency.code, START)
        self._tables.change("insert_account", [row])
