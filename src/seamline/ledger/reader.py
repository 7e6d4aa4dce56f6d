"""Lists and figures for people and their programs, read from the tables of either backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from seamline.ledger import columns
from seamline.ledger.rows import Account, Player, Session
from seamline.ledger.rules.view import transaction_name
from seamline.ledger.store import (
    AlertEntry,
    Overdue,
    RoundEntry,
    RoundFilter,
    TotalEntry,
    TransactionEntry,
    TransactionFilter,
)
from seamline.ledger.tables import Tables
from seamline.money import MAX_UNITS, Amount, Currencies
from seamline.wallet import HOUR_MS

#: How many rounds one look for unsettled ones goes through, and how many it finds at most: their
#: alerts are one transaction, and bets wait for it.
OVERDUE_STEP = 50_000
OVERDUE_LIMIT = 100

_TransactionRow = tuple[
    int,  # id
    str,  # integration
    str,  # brand
    str | None,  # player
    str,  # kind
    str,  # key
    str | None,  # asked
    int,  # units
    str | None,  # currency
    int,  # balance
    int,  # version
    str | None,  # session
    str | None,  # game of the round
    str | None,  # round
    str | None,  # campaign
    int,  # free
    int | None,  # target
    int | None,  # reversed_by
    str | None,  # rejection
    str | None,  # dust
    int,  # created_ms
    str | None,  # game of the session
    str | None,  # feature
    str | None,  # reference
]
_RoundRow = tuple[
    int, str, str, str, str, str, str, int, int, int, int, int, int, int, int
]  # fmt: skip
_AlertRow = tuple[int, str, str, str, str, str | None, str | None, str, int, int]


class TableReader:
    """What was committed, in the words of `store.py`. Used by one thread at a time."""

    def __init__(self, tables: Tables, currencies: Currencies) -> None:
        self._tables = tables
        self._currencies = currencies

    def player(self, brand: str, name: str) -> tuple[Player, Sequence[Account]] | None:
        """A player with all accounts, or None."""
        found = self._tables.rows("load_players", brand, [name])
        if not found:
            return None
        player = columns.player_of(found[0])
        purses = self._tables.rows("load_purses", [player.id])
        return player, [columns.account_of(purse, self._currencies) for purse in purses]

    def session(self, integration: str, name: str) -> Session | None:
        """A session, or None."""
        known = cast("list[tuple[int, str, str]]", self._tables.rows("all_integrations"))
        numbers = {found: number for number, found, _ in known}
        if integration not in numbers:
            return None
        found = self._tables.rows("load_sessions", numbers[integration], [name])
        return columns.session_of(found[0], integration, self._currencies) if found else None

    def transactions(self, wanted: TransactionFilter) -> Sequence[TransactionEntry]:
        """A page of transactions, newest first."""
        after = wanted.after if wanted.after is not None else MAX_UNITS
        bindings = (after, wanted.brand, wanted.integration, wanted.limit)
        if wanted.key is not None:
            keyed = (*bindings, wanted.key, wanted.player)
            found = self._tables.rows("list_keyed_transactions", *keyed)
        elif wanted.round is not None:
            named = (*bindings, wanted.round, wanted.game, wanted.player)
            found = self._tables.rows("list_round_transactions", *named)
        elif wanted.player is not None:
            found = self._tables.rows("list_player_transactions", *bindings, wanted.player)
        else:
            found = self._tables.rows("list_transactions", *bindings)
        return [self._entry(row) for row in found]

    def _entry(self, row: columns.Row) -> TransactionEntry:
        values = cast("_TransactionRow", row)
        currency = self._currencies[values[8]] if values[8] is not None else None
        return TransactionEntry(
            transaction=transaction_name(values[0]),
            integration=values[1],
            brand=values[2],
            player=values[3],
            kind=values[4],
            key=values[5],
            asked=values[6],
            amount=str(Amount(values[7], currency)) if currency is not None else "0",
            currency=values[8],
            balance=str(Amount(values[9], currency)) if currency is not None else None,
            version=values[10],
            session=values[11],
            game=values[12] or values[21],
            round=values[13],
            campaign=values[14],
            free=bool(values[15]),
            target=transaction_name(values[16]) if values[16] is not None else None,
            reversed_by=transaction_name(values[17]) if values[17] is not None else None,
            rejection=values[18],
            dust=values[19],
            feature=values[22],
            reference=values[23],
            at_ms=values[20],
        )

    def rounds(self, wanted: RoundFilter) -> Sequence[RoundEntry]:
        """A page of rounds, newest first."""
        after = wanted.after if wanted.after is not None else MAX_UNITS
        bindings = (after, wanted.brand, wanted.integration, wanted.limit)
        filters = (wanted.game, wanted.player, int(wanted.unsettled))
        if wanted.round is not None:
            found = self._tables.rows("list_named_rounds", *bindings, *filters, wanted.round)
        else:
            found = self._tables.rows("list_rounds", *bindings, *filters)
        return [self._round(row) for row in found]

    def _round(self, row: columns.Row) -> RoundEntry:
        values = cast("_RoundRow", row)
        currency = self._currencies[values[6]]
        return RoundEntry(
            id=values[0],
            integration=values[1],
            brand=values[2],
            game=values[3],
            round=values[4],
            player=values[5],
            currency=values[6],
            bets=values[7],
            staked=str(Amount(values[8], currency)),
            wins=values[9],
            won=str(Amount(values[10], currency)),
            refunds=values[11],
            refunded=str(Amount(values[12], currency)),
            opened_ms=values[13],
            changed_ms=values[14],
        )

    def overdue(self, *, after: int, opened_before_ms: int) -> tuple[Sequence[Overdue], int]:
        """Rounds that never ended, and the id to go on after; looks at a bounded number."""
        bounds = (after, opened_before_ms, OVERDUE_STEP)
        found = self._tables.rows("list_overdue_rounds", *bounds, OVERDUE_LIMIT)
        overdue = [Overdue(self._round(row[:15]), cast("int", row[15])) for row in found]
        if len(overdue) == OVERDUE_LIMIT:
            return overdue, overdue[-1].round.id
        last = cast("int | None", self._tables.rows("last_round_before", *bounds)[0][0])
        return overdue, after if last is None else last

    def alerts(self, *, state: str | None, after: int | None, limit: int) -> Sequence[AlertEntry]:
        """A page of alerts, newest first."""
        bindings = (after if after is not None else MAX_UNITS, state, limit)
        found = (cast("_AlertRow", row) for row in self._tables.rows("list_alerts", *bindings))
        return [
            AlertEntry(
                id=number,
                integration=integration,
                key=key,
                alert=alert,
                detail=detail,
                player=player,
                currency=currency,
                state=shown,
                created_ms=created,
                changed_ms=changed,
            )
            for (
                number, integration, key, alert, detail, player, currency, shown, created, changed
            ) in found
        ]  # fmt: skip

    def totals(self, *, from_ms: int, until_ms: int) -> Sequence[TotalEntry]:
        """The roll-ups of the hours that lie in the span."""
        bindings = (from_ms // HOUR_MS, -(-until_ms // HOUR_MS))
        found = self._tables.rows("list_totals", *bindings)
        typed = (cast("tuple[int, str, str, str, int, int, int]", row) for row in found)
        return [
            TotalEntry(
                hour_ms=hour * HOUR_MS,
                integration=integration,
                currency=currency,
                kind=kind,
                transactions=transactions,
                amount=str(Amount((high << 32) + low, self._currencies[currency])),
            )
            for hour, integration, currency, kind, transactions, high, low in typed
        ]

    def drift(self) -> Mapping[str, int]:
        """By currency: players' balances less all movements, in units. All zeros when well."""
        found = (cast("tuple[str, int, int]", row) for row in self._tables.rows("drift"))
        return {currency: (high << 32) + low for currency, high, low in found}
