"""The laws, proved again over stored rows. Names the first row that is wrong, in any of them.

Works on the stream of rows in the order they were written, in memory that grows with accounts,
roll-ups and what is unfinished (open rounds, refunds on their way), never with transactions. After
a wrong row it goes on from what is stored, so that one wrong row is one finding and not a flood.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from enum import Enum
from operator import itemgetter
from sys import intern
from typing import cast

import msgspec

from seamline.ledger.book import HOUSE
from seamline.ledger.chain import START, link
from seamline.ledger.store import Reader
from seamline.wallet import HOUR_MS, Kind

#: Findings of each law that are kept with their values; all are counted.
KEPT = 20

#: Transactions between two reports of progress.
STRIDE = 1 << 16


class Law(Enum):
    """What must hold of the stored rows."""

    TIME = "no transaction is older than its account's one before it"
    ACCOUNT = "a transaction's account exists"
    PREVIOUS = "a transaction points to the account's transaction before it"
    VERSION = "each transaction brings its account forward by one version"
    BALANCE = "the balance after is the balance before and what moved"
    SIDES = "what moved has the account on one side and the right house on the other"
    FUNDS = "no bet and no withdrawal leaves a balance below zero"
    REFUND = "what was undone and what undid it name each other, once, with the same units"
    SETTLED = "a bet that was paid and the win that paid it name each other"
    TOMBSTONE = "a refund without a target is followed by its tombstone, and only it or a late win"
    CHAIN = "the chain value is the hash of the row, its claim, and the account's row before it"
    CLAIM = "what may be paid once names the reward of that account that paid it"
    ROUND = "a round's totals are those of its transactions"
    HEAD = "an account is as its last transaction left it"
    IDENTITY = "a key names one transaction of an integration"
    ROLLUP = "a roll-up is the sum of its hour's transactions"
    SUM = "players and houses together hold nothing"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One broken law: at which transaction or account, and what was expected there."""

    law: Law
    transaction: int | None = None
    account: int | None = None
    expected: str
    found: str

    def __str__(self) -> str:
        """One line for people."""
        place = f"account {self.account}" if self.transaction is None else f"txn_{self.transaction}"
        if self.transaction is None and self.account is None:
            place = "totals"
        return f"{place}: {self.law.value}: expected {self.expected}, found {self.found}"


class Findings(msgspec.Struct, kw_only=True):
    """What an audit found: how much it read, and each broken law."""

    transactions: int = 0
    accounts: int = 0
    #: How often each broken law was found broken; empty when all is well.
    broken: dict[Law, int] = msgspec.field(default_factory=dict)
    #: The first findings of each law, oldest transaction first.
    kept: list[Finding] = msgspec.field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every law holds."""
        return not self.broken

    @property
    def first(self) -> Finding | None:
        """The finding at the oldest transaction; where there is none, the first of the others."""
        return self.kept[0] if self.kept else None


def audit(reader: Reader, *, progress: Callable[[int], None] = lambda _: None) -> Findings:
    """Prove every law over one snapshot; *progress* hears how many transactions were read."""
    books = _Books(progress)
    # Each step knows the columns of its own query.
    steps = cast(
        "dict[str, Callable[[tuple[object, ...]], None]]",
        {
            "audit_houses": books.house,
            "audit_accounts": books.account,
            "audit_transactions": books.transaction,
            "audit_heads": books.head,
            "audit_rounds": books.stray_round,
            "audit_unpaid": books.unpaid,
            "audit_claims": books.stray_claim,
            "audit_keys": books.shared_key,
            "audit_rollups": books.rollup,
        },
    )
    for name, row in reader.stream(tuple(steps)):
        steps[name](row)
    return books.close()


_Row = tuple[
    int,  # id
    str,  # integration
    str,  # key
    str,  # kind
    bytes,  # fingerprint
    int | None,  # session
    int | None,  # round
    str | None,  # asked
    int,  # units
    int | None,  # debit
    int | None,  # credit
    int,  # balance
    int,  # version
    int | None,  # target
    str | None,  # rejection
    str | None,  # campaign
    int,  # free
    str | None,  # dust
    int,  # created_ms
    int | None,  # account
    int,  # previous
    bytes,  # chain
    int | None,  # reversed_by
    int | None,  # settled_by
    str | None,  # feature
    str | None,  # reference
    str | None,  # claim
    int | None,  # account of the round, where this is its last transaction; else all are None
    int | None,  # first
    int | None,  # bets
    int | None,  # staked
    int | None,  # wins
    int | None,  # won
    int | None,  # refunds
    int | None,  # refunded
]
_FREE = ((False,), (True,))
_PICK = cast(
    "Callable[[_Row], tuple[int, str, int | None, int | None, int, int | None, int | None]]",
    itemgetter(0, 3, 6, 19, 18, 22, 23),
)
_CARRY = cast(
    "Callable[[_Row], tuple[int, str, str, int, int | None, int, int, int, int, int]]",
    itemgetter(0, 1, 3, 8, 10, 11, 12, 18, 19, 20),
)
_House = tuple[str, str, str]  # role, integration, currency
# Balance, version, last, chain, currency, and when it changed.
_Head = tuple[int, int, int, bytes, str, int]

_NOBODY: _Head = (0, 0, 0, START, "", 0)
_OUT = frozenset({Kind.BET.value, Kind.TIP.value, Kind.WITHDRAWAL.value})
_STAKES = frozenset({Kind.BET.value, Kind.TIP.value})
_ROLE = {kind.value: role for kind, role in HOUSE.items()}
_BET, _WIN = Kind.BET.value, Kind.WIN.value
_REFUND, _TOMBSTONE = Kind.REFUND.value, Kind.TOMBSTONE.value


class _Undone(msgspec.Struct, frozen=True, gc=False):
    """A transaction that says which refund undid it."""

    id: int
    kind: str
    units: int
    account: int | None
    round: int | None
    #: The win that paid it, and whether that one was taken back with the stake.
    settler: int | None
    voided: bool = False


class _Books:
    """What the laws remember while the rows go by."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress = progress
        self._late: tuple[str, int | None] | None = None
        self._found = Findings()
        self._houses: dict[int | None, _House] = {}
        self._heads: dict[int, _Head] = {}
        self._rounds: dict[int, list[int]] = {}  # the open ones
        self._undone: dict[int, _Undone] = {}  # by the refund that is to come
        self._paid: dict[int, int] = {}  # the bet, by the win that is to come
        self._unburied: dict[tuple[str, int | None], list[int]] = {}  # refunds without a target
        self._hours: dict[tuple[int, str, str, str], list[int]] = {}  # what roll-ups should be
        self._rolled: set[tuple[int, str, str, str]] = set()
        self._sums: dict[str, int] = defaultdict(int)  # players and houses, by currency

    def house(self, row: tuple[int, str, str, str]) -> None:
        """A house account."""
        self._houses[row[0]] = row[1:]

    def account(self, row: tuple[int, str]) -> None:
        """An account, before its first transaction."""
        self._heads[row[0]] = (0, 0, 0, START, intern(row[1]), 0)

    def transaction(self, row: _Row) -> None:
        """A transaction: what it says of itself, of its account, its round and its target."""
        number, kind, round_, account, created, reversed_by, settled_by = _PICK(row)
        self._found.transactions += 1
        if not self._found.transactions % STRIDE:
            self._progress(self._found.transactions)
        head = _NOBODY
        if account is not None:
            head = self._heads.get(account) or self._unknown(number, account)
            self._carry(row, head)
        if row[8] or row[9] is not None or row[10] is not None:
            self._move(row, head[4])
        if reversed_by is not None:
            self._undo(reversed_by, _Undone(number, kind, row[8], account, round_, settled_by))
        if settled_by is not None:
            self._settle(number, settled_by)
        if kind == _WIN and row[13] is not None:
            self._win(row)
        undone = self._refund(row) if kind == _REFUND else None
        if kind == _TOMBSTONE:
            self._tombstone(row)
        # A win that came late may be followed by a tombstone for what it could not find.
        self._late = (row[1], account) if kind == _WIN and row[13] is None else None
        if link(head[3], row[:16] + _FREE[row[16]] + row[17:19], row[24:26], row[26]) != row[21]:
            self._break(Law.CHAIN, number, account, "another hash", row[21].hex()[:16])
        if created < head[5]:
            self._break(Law.TIME, number, account, f"{head[5]} or later", created)
        if round_ is not None:
            self._play(row, round_, undone)

    def _unknown(self, number: int, account: int) -> _Head:
        """The head of an account that does not exist; named once, then carried on."""
        self._break(Law.ACCOUNT, number, account, "an account", "none")
        return _NOBODY

    def _carry(self, row: _Row, head: _Head) -> None:
        """The account, brought forward; and the hour's movements of its currency."""
        number, name, kind, units, credit, balance, version, created, account, previous = _CARRY(
            row
        )
        signed = units if credit == account else -units
        if previous != head[2]:
            self._break(Law.PREVIOUS, number, account, head[2], previous)
        if version != head[1] + 1:
            self._break(Law.VERSION, number, account, head[1] + 1, version)
        if balance != head[0] + signed:
            self._break(Law.BALANCE, number, account, head[0] + signed, balance)
        if balance < 0 and units and kind in _OUT:
            self._break(Law.FUNDS, number, account, "0 or more", balance)
        self._heads[account] = (balance, version, number, row[21], head[4], created)
        key = (created // HOUR_MS, name, head[4], kind)
        summed = self._hours.get(key)
        if summed is None:
            summed = self._hours[key] = [0, 0]
        summed[0] += 1
        summed[1] += signed

    def _move(self, row: _Row, currency: str) -> None:
        """Both sides of what moved: the account, and the house that its kind is for."""
        name, kind, account = row[1], row[3], row[19]
        units, debit, credit = row[8:11]
        incoming = credit == account
        house = self._houses.get(debit if incoming else credit)
        if house is not None:
            self._sums[house[2]] += -units if incoming else units
        right = house == (_ROLE.get(kind), name, currency) and incoming != (kind in _OUT)
        if kind == _REFUND:
            right = house in (("game", name, currency), ("bonus", name, currency))
        if not right or units <= 0 or (credit if incoming else debit) != account:
            expected = f"{account} and the {_ROLE.get(kind)} house of {name} in {currency}"
            found = f"{units} units from {debit} to {credit}, which is {house}"
            self._break(Law.SIDES, row[0], account, expected, found)

    def _refund(self, row: _Row) -> _Undone | None:
        """What a refund undid, if it did; it must have moved the same units the other way."""
        number, units, target, rejection, account = row[0], row[8], row[13], row[14], row[19]
        undone = self._undone.pop(number, None)
        if undone is None:
            if target is None and rejection is None:
                self._unburied.setdefault((row[1], account), []).append(number)
            if units:
                self._break(Law.REFUND, target or number, account, f"undone by {number}", "not so")
            return None
        returned = undone.kind in _STAKES
        signed = units if row[10] == account else -units
        # A credit that was spent may be taken back in part: the integration's overdraft policy.
        # With the stake of a paid bet what it won may be taken back.
        moved = signed <= undone.units if undone.voided else signed == undone.units
        if not returned:
            moved = -undone.units <= signed <= 0
        right = moved and (target, account, rejection) == (undone.id, undone.account, None)
        if not right:
            expected = f"refund {number} of {undone.units} units of {undone.id}"
            self._break(Law.REFUND, undone.id, account, expected, f"{units} units of {target}")
        return undone

    def _undo(self, refund: int, undone: _Undone) -> None:
        """A transaction that says which refund undid it: one only, or a bet with its win."""
        first = self._undone.get(refund)
        if first is None:
            self._undone[refund] = undone
        elif first.settler == undone.id and first.account == undone.account:
            self._undone[refund] = msgspec.structs.replace(first, voided=True)
        else:
            expected = f"another refund than {refund}, of {first.id}"
            self._break(Law.REFUND, undone.id, undone.account, expected, "the same")

    def _settle(self, bet: int, win: int) -> None:
        """A bet that says which win paid it: that one is later, and names the bet."""
        if win <= bet:
            self._break(Law.SETTLED, bet, None, "a later win", win)
        else:
            self._paid[win] = bet

    def _win(self, row: _Row) -> None:
        """A win that names a bet: where the bet names a win, it is this one."""
        bet = self._paid.pop(row[0], None)
        if bet is not None and bet != row[13]:
            self._break(Law.SETTLED, bet, row[19], f"a win of {bet}", f"one of {row[13]}")

    def _tombstone(self, row: _Row) -> None:
        """A tombstone, which a refund without a target put up just before."""
        key = row[1], row[19]
        refunds = self._unburied.get(key)
        if not refunds and self._late == key:
            return
        if not refunds:
            self._break(Law.TOMBSTONE, row[0], row[19], "a refund before it", "none")
            return
        refunds.pop()
        if not refunds:
            del self._unburied[key]

    def _play(self, row: _Row, round_: int, undone: _Undone | None) -> None:
        """A round's totals, compared and forgotten when its last transaction was met."""
        number, kind, units, account = row[0], row[3], row[8], row[19] or 0
        totals = self._rounds.get(round_)
        if totals is None:
            totals = self._rounds[round_] = [account, number, 0, 0, 0, 0, 0, 0]
        if kind != _REFUND:
            at = 2 if kind == _BET else 4
            totals[at] += 1
            totals[at + 1] += units
        elif row[13] is None:
            totals[2] += 1  # a bet undone before it came
            totals[6] += 1
        elif undone is not None and undone.round == round_:
            if undone.kind == _BET:
                signed = units if row[10] == row[19] else -units
                totals[6] += 1
                totals[7] += undone.units
                totals[5] -= undone.units - signed
            else:
                totals[5] -= units
        if row[27] is not None:
            del self._rounds[round_]
            if tuple(totals) != row[27:] or totals[0] != account:
                self._break(Law.ROUND, number, account, totals, list(row[26:]))

    def head(self, row: tuple[int, int, int, int, bytes]) -> None:
        """An account after its last transaction."""
        self._found.accounts += 1
        carried = self._heads[row[0]]
        self._sums[carried[4]] += row[1]
        if row[1:] != carried[:4]:
            self._break(Law.HEAD, None, row[0], carried[:3], row[1:4])

    def stray_round(self, row: tuple[int, int, int]) -> None:
        """A round whose last transaction is not one of its own."""
        number, account, last = row
        self._break(
            Law.ROUND, None, account, f"txn_{last} in round {number}", "no such transaction"
        )

    def unpaid(self, row: tuple[int, int | None, int]) -> None:
        """A win of a bet that does not say that it was paid, and could be paid again."""
        win, account, bet = row
        self._break(Law.SETTLED, win, account, f"{bet} paid by a win", "by none")

    def stray_claim(self, row: tuple[int, int, str]) -> None:
        """A claim that no reward of its account and integration paid."""
        number, account, claim = row
        self._break(Law.CLAIM, None, account, f"{claim!r} paid by a reward", f"by txn_{number}")

    def shared_key(self, row: tuple[int, str, int, int]) -> None:
        """A key that names several transactions; the newest should not be there."""
        self._break(Law.IDENTITY, row[3], None, f"{row[1]} once", f"{row[2]} times")

    def rollup(self, row: tuple[int, str, str, str, int, int, int]) -> None:
        """A roll-up, which its hour's transactions add up to."""
        key, stored = row[:4], [row[4], (row[5] << 32) + row[6]]
        self._rolled.add(key)
        summed = self._hours.get(key, [0, 0])
        if summed != stored:
            self._break(Law.ROLLUP, None, None, f"{summed} at {key}", stored)

    def close(self) -> Findings:
        """What must have come and did not; then all findings, oldest transaction first."""
        for refund, undone in self._undone.items():
            self._break(Law.REFUND, undone.id, undone.account, f"refund {refund}", "none")
        for win, bet in self._paid.items():
            self._break(Law.SETTLED, bet, None, f"win {win}", "none")
        for (_, account), refunds in self._unburied.items():
            self._break(Law.TOMBSTONE, refunds[0], account, "a tombstone after it", "none")
        for number, totals in self._rounds.items():
            self._break(Law.ROUND, totals[1], totals[0], totals, f"no end of round {number}")
        for key in self._hours.keys() - self._rolled:
            self._break(Law.ROLLUP, None, None, f"{self._hours[key]} at {key}", "none")
        for currency, units in self._sums.items():
            if units:
                self._break(Law.SUM, None, None, f"0 {currency}", units)
        self._found.kept.sort(key=lambda each: (each.transaction is None, each.transaction or 0))
        return self._found

    def _break(
        self,
        law: Law,
        transaction: int | None,
        account: int | None,
        expected: object,
        found: object,
    ) -> None:
        broken = self._found.broken
        broken[law] = broken.get(law, 0) + 1
        if broken[law] <= KEPT:
            words = {"expected": str(expected), "found": str(found)}
            self._found.kept.append(
                Finding(law=law, transaction=transaction, account=account, **words)
            )
