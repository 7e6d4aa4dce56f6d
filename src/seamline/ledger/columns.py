"""Between the columns of stored rows and the ledger's structs, in the order of the queries.

Both backends name and order columns alike, and keep the types honest: the casts are their promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from seamline.ledger.changes import AlertRow, RollupKey
from seamline.ledger.rows import Account, Grant, Player, Round, Session, Transaction
from seamline.money import Currencies
from seamline.wallet import NO_LIMITS, Kind, Limits, PlayerStatus, Rejection

#: A row as it is read.
Row = tuple[object, ...]

#: A row as a statement takes it.
Value = None | int | bytes | str
Cells = tuple[Value, ...]

_LIMITS = msgspec.json.Decoder(Limits)
_KIND = {kind.value: kind for kind in Kind}
_STATUS = {status.value: status for status in PlayerStatus}

_AccountRow = tuple[int, int, str, int, int, bytes, int, int, int, int, int]
_PlayerRow = tuple[int, str, str, str, str, str | None, str | None, int]
_SessionRow = tuple[int, str, str, int, int, int | None]
_RoundRow = tuple[
    int, str, str, str, int, int, int, int, int, int, int, int, int, int, int, int | None
]
_GrantRow = tuple[
    str, str | None, int | None, str | None, str, str | None, int, int | None, int | None
]
_TransactionRow = tuple[
    int,  # id
    str,  # key
    str,  # kind
    bytes,  # fingerprint
    int | None,  # account
    int | None,  # session
    int | None,  # round
    str | None,  # asked
    int,  # units
    int | None,  # debit
    int | None,  # credit
    int,  # balance
    int,  # version
    int,  # previous
    bytes,  # chain
    int | None,  # target
    int | None,  # reversed_by
    str | None,  # rejection
    str | None,  # campaign
    int,  # free
    str | None,  # dust
    int,  # created_ms
    int | None,  # settled_by
    str | None,  # feature
    str | None,  # reference
    int | None,  # vouched_ms
    str | None,  # currency of the account
    str | None,  # name of the player
]


def account_of(row: Row, currencies: Currencies) -> Account:
    """A row `id, player, currency, balance, version, chain, last, loss_on, ...`."""
    values = cast("_AccountRow", row)
    return Account(values[0], values[1], currencies[values[2]], *values[3:])


def player_of(row: Row) -> Player:
    """A row `id, brand, name, status, limits, country, language, created_ms`."""
    number, brand, name, status, limits, country, language, created = cast("_PlayerRow", row)
    read = NO_LIMITS if limits == "{}" else _LIMITS.decode(limits)
    return Player(number, brand, name, _STATUS[status], read, country, language, created)


def session_of(row: Row, integration: str, currencies: Currencies) -> Session:
    """A row of `load_sessions`."""
    number, name, game, opened, expires, closed = cast("_SessionRow", row[:6])
    account = account_of((row[6], row[16], *row[7:16]), currencies)
    player = player_of(row[16:])
    return Session(number, integration, name, player, account, game, opened, expires, closed)


def found_session(row: Row, integration: str, player: Player, account: Account) -> Session:
    """A row of `find_sessions`, with its player and its account."""
    number, name, game, opened, expires, closed = cast("_SessionRow", row[:6])
    return Session(number, integration, name, player, account, game, opened, expires, closed)


def round_of(row: Row) -> Round:
    """A row of `load_rounds`."""
    values = cast("_RoundRow", row)
    ended = values[15]
    return Round(*values[:15], ended=None if ended is None else bool(ended))


def grant_of(row: Row) -> Grant:
    """A row of `load_grants`."""
    name, vendor_name, player, game, currency, reward, start, end, cancelled = cast(
        "_GrantRow", row
    )
    return Grant(
        name=name,
        vendor_name=vendor_name,
        player=player,
        game=game,
        currency=currency,
        reward=reward,
        from_ms=start,
        until_ms=end,
        cancelled_ms=cancelled,
    )


def transaction_of(row: Row, integration: str, currencies: Currencies) -> Transaction:
    """A row of `load_transactions`."""
    values = cast("_TransactionRow", row)
    return Transaction(
        id=values[0],
        integration=integration,
        key=values[1],
        kind=_KIND[values[2]],
        fingerprint=values[3],
        account=values[4],
        session=values[5],
        round=values[6],
        asked=values[7],
        units=values[8],
        debit=values[9],
        credit=values[10],
        balance=values[11],
        version=values[12],
        previous=values[13],
        chain=values[14],
        target=values[15],
        reversed_by=values[16],
        rejection=Rejection[values[17]] if values[17] is not None else None,
        campaign=values[18],
        free=bool(values[19]),
        dust=values[20],
        created_ms=values[21],
        settled_by=values[22],
        feature=values[23],
        reference=values[24],
        vouched_ms=values[25],
        currency=currencies[values[26]] if values[26] is not None else None,
        player=values[27],
    )


def transaction_row(t: Transaction, integrations: Mapping[str, int]) -> Cells:
    """A transaction as `insert_transaction` takes it."""
    return (
        t.id,
        integrations[t.integration],
        t.key,
        t.kind.value,
        t.fingerprint,
        t.account,
        t.session,
        t.round,
        t.asked,
        t.units,
        t.debit,
        t.credit,
        t.balance,
        t.version,
        t.previous,
        t.chain,
        t.target,
        # What is marked later, reversed say, is so by statements of its own, also within one batch.
        t.rejection.name if t.rejection is not None else None,
        t.campaign,
        int(t.free),
        t.dust,
        t.created_ms,
        t.feature,
        t.reference,
    )


def session_row(s: Session, integrations: Mapping[str, int]) -> Cells:
    """A session as `insert_session` takes it."""
    names = (s.id, integrations[s.integration], s.name, s.account.id, s.game)
    return (*names, s.opened_ms, s.expires_ms)


def account_change(a: Account, loaded_version: int) -> Cells:
    """An account as `update_account` takes it."""
    losses = (a.loss_on, a.loss_day, a.loss_week, a.loss_month)
    return (a.balance, a.version, a.chain, a.last, *losses, a.id, loaded_version)


def round_row(r: Round, integrations: Mapping[str, int]) -> Cells:
    """A round as `insert_round` takes it."""
    names = (r.id, integrations[r.integration], r.game, r.name, r.account)
    spans = (r.opened_ms, r.changed_ms, r.first, r.last)
    return (*names, *spans, r.bets, r.staked, r.wins, r.won, r.refunds, r.refunded, _ended(r))


def round_change(r: Round) -> Cells:
    """A round as `update_round` takes it."""
    totals = (r.bets, r.staked, r.wins, r.won, r.refunds, r.refunded)
    return (r.changed_ms, r.last, *totals, _ended(r), r.id)


def _ended(r: Round) -> int | None:
    return None if r.ended is None else int(r.ended)


def rollup_row(key: RollupKey, entry: list[int], integrations: Mapping[str, int]) -> Cells:
    """A count and a sum of units as `add_to_rollup` takes them."""
    hour, integration, currency, kind = key
    transactions, units = entry
    high, low = units >> 32, units & 0xFFFF_FFFF
    return (hour, integrations[integration], currency, kind, transactions, high, low)


def alert_row(row: AlertRow, integrations: Mapping[str, int]) -> Cells:
    """An alert as `insert_alert` takes it."""
    number, raised = integrations[row.integration], row.raised
    return (number, row.key, raised.alert.value, raised.detail, row.account, row.created_ms)
