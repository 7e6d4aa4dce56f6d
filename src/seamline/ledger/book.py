"""The part of the ledger that one batch touches, in memory: loaded, decided on, written.

A store fills a `Book`; `view`, of its pages, shows the rules one command's share of it; `post`
enters what they decided, so that the next command of the batch sees it. Nothing here does I/O.
"""

from __future__ import annotations

import msgspec

from seamline.ledger.chain import START, link
from seamline.ledger.changes import AlertRow
from seamline.ledger.keys import claim_of, refused_of, stone_of
from seamline.ledger.pages import Pages
from seamline.ledger.rows import Account, Round, Transaction
from seamline.ledger.rules.stakes import losses_on
from seamline.ledger.rules.view import (
    STAKES,
    Decision,
    Move,
    Raised,
    View,
    is_open,
    transaction_name,
)
from seamline.money import MAX_UNITS, Amount
from seamline.must import must
from seamline.wallet import DAY_MS, HOUR_MS, Applied, Command, Kind, Outcome, Rejected, Rejection

#: The house account on the other side of each kind of movement.
HOUSE = {
    Kind.BET: "game",
    Kind.TIP: "game",
    Kind.WIN: "game",
    Kind.REFUND: "game",
    Kind.REWARD: "bonus",
    Kind.DEPOSIT: "cashier",
    Kind.WITHDRAWAL: "cashier",
}

_PLAYED = frozenset({Kind.BET, Kind.TIP, Kind.WIN, Kind.REFUND})

#: Kinds that belong to no round, whatever round they name.
_OUTSIDE = frozenset({Kind.TIP, Kind.TOMBSTONE, Kind.CLAIM, Kind.NOTICE})


class Book(Pages):
    """The pages of a batch, and what the rules' decisions change on them."""

    def post(self, command: Command, view: View, decision: Decision) -> Outcome:
        """Enter a decision and say what the outcome is once the batch is committed."""
        for raised in decision.alerts:
            self._alert(command, view, raised, decision.move)
        if decision.answer is not None:
            self._slide(view)
            if decision.vouches is not None:
                self._vouch(decision.vouches)
            return decision.answer
        must(decision.move is not None, "a decision answers or moves", key=command.key)
        self._slide(view)
        return self._record(command, view, decision.move or Move())

    def _slide(self, view: View) -> None:
        """A session that is played in stays open; its row is written when a quarter has gone."""
        session, span = view.session, view.terms.policy.session_slides_ms
        if session is None or span is None or not is_open(session, view.now_ms):
            return
        if session.expires_ms - view.now_ms < span // 4 * 3:
            session.expires_ms = view.now_ms + span
            self.slid[session.id] = session

    def _record(self, command: Command, view: View, move: Move) -> Outcome:
        """Write the transaction; a move without an account leaves only traces of its keys."""
        if move.aside:
            command = msgspec.structs.replace(command, key=refused_of(command.key or ""))
        transaction = self._enter(command, view, move)
        if move.buries:
            self._bury(command, view)
        if self._pays(command, view, move, "one"):
            self._mark(command, view, Kind.CLAIM, claim_of(command.claim or ""))
        if move.settles is not None:
            move.settles.settled_by = transaction.id
            self.by_id[transaction.id] = transaction
            self.settled.append((transaction.id, move.settles.id))
        for undone in (move.reverses, move.voids):
            if undone is not None:
                undone.reversed_by = transaction.id
                self.reversed.append((transaction.id, undone.id))
        account = view.account
        if account is None:
            return Rejected(why=Rejection.SESSION_UNKNOWN)
        balance = Amount(account.balance, account.currency)
        if move.rejection is not None:
            player = view.session.player if view.session is not None else view.player
            language = player.language if player is not None else None
            return Rejected(why=move.rejection, balance=balance, language=language)
        return Applied(
            balance=balance,
            player=transaction.player or "",
            transaction=transaction_name(transaction.id),
            # A refund whose target is unknown says so by having moved nothing that could be named.
            moved=None
            if move.buries and command.kind is Kind.REFUND
            else Amount(move.units, account.currency),
        )

    def _enter(self, command: Command, view: View, move: Move) -> Transaction:
        """The double entry: both sides named, the player's side carried forward and chained."""
        must(bool(command.key), "what is recorded has a key", command=command)
        at_ms = self.time_of(view.account)
        transaction = _drafted(self._new_transaction(), command, view, move, at_ms)
        if view.account is not None:
            self._charge(transaction, command, view, move, view.account)
        else:
            transaction.chain = chained(START, transaction)
        self.transactions[command.integration, transaction.key] = transaction
        self.posted.append(transaction)
        return transaction

    def _charge(
        self, transaction: Transaction, command: Command, view: View, move: Move, account: Account
    ) -> None:
        """Enter the transaction in the account, its round, its chain and the totals."""
        transaction.account = account.id
        transaction.player = self.owners.get(account.id)
        transaction.currency = account.currency
        transaction.debit, transaction.credit = self._sides(command, account, move)
        round_ = self._play(command, view, move, transaction)
        transaction.round = round_.id if round_ is not None else None
        transaction.previous = account.last
        self._carry(command, account, move, transaction.id)
        transaction.balance, transaction.version = account.balance, account.version
        if self._pays(command, view, move, "each"):
            self._claim(transaction, command.claim or "", account.id)
        account.chain = transaction.chain = chained(account.chain, transaction)
        self._roll_up(transaction, account, move)

    @staticmethod
    def _pays(command: Command, view: View, move: Move, claimants: str) -> bool:
        """Whether it is the first to pay a claim, where that is paid to one or to each player."""
        first = command.claim is not None and move.rejection is None and not view.claimed
        return first and view.terms.policy.claimants == claimants

    def _claim(self, transaction: Transaction, claim: str, account: int) -> None:
        """Note what was paid and may not be again; the audit looks for it at rewards alone."""
        must(transaction.kind is Kind.REWARD, "a claim is a reward's", key=transaction.key)
        transaction.claim = claim
        key = (account, transaction.integration, claim)
        self.claims.add(key)
        self.claimed.append((*key, transaction.id))

    def _sides(
        self, command: Command, account: Account, move: Move
    ) -> tuple[int | None, int | None]:
        """Debit and credit account of the movement; none where nothing moves."""
        if not move.units:
            return None, None
        kind = command.kind
        if move.reverses is not None and move.reverses.kind is Kind.REWARD:
            kind = Kind.REWARD
        house = self._house(HOUSE[kind], command.integration, account.currency.code)
        return (house, account.id) if move.credit else (account.id, house)

    def _carry(self, command: Command, account: Account, move: Move, number: int) -> None:
        """Bring the account forward by one version; bets and withdrawals never below zero."""
        signed = move.units if move.credit else -move.units
        balance = account.balance + signed
        must(abs(balance) <= MAX_UNITS, "a balance fits 64 bits", account=account.id)
        if (command.kind in STAKES or command.kind is Kind.WITHDRAWAL) and move.units:
            must(balance >= 0, "a stake is covered", account=account.id, balance=balance)
        undone = move.reverses
        played = command.kind in _PLAYED and (undone is None or undone.kind in _PLAYED)
        if played and signed:
            day = self.now_ms // DAY_MS
            lost = losses_on(account, day)
            account.loss_on = day
            account.loss_day, account.loss_week, account.loss_month = (
                max(-MAX_UNITS, min(MAX_UNITS, before - signed)) for before in lost
            )
        self.moved.setdefault(account.id, (account, account.version))
        account.balance = balance
        account.version += 1
        account.last = number

    def _bury(self, command: Command, view: View) -> None:
        """A tombstone under the target's key: the bet is refused when it comes."""
        must(bool(command.target), "a refund names its target", key=command.key)
        key = stone_of(command.target or "")
        self._mark(command, view, Kind.TOMBSTONE, key)

    def _vouch(self, bet: Transaction) -> None:
        """Note that its vendor was told that it stands.

        Not of a bet of this very batch: should its outcome come too late, so does this answer.
        """
        if any(each is bet for each in self.posted):
            return
        bet.vouched_ms = self.written_ms
        self.vouched.append((self.written_ms, bet.id))

    def _mark(self, command: Command, view: View, kind: Kind, key: str) -> None:
        """A row that moves nothing, so that a key is found later."""
        mark = msgspec.structs.replace(command, kind=kind, key=key)
        self._enter(mark, msgspec.structs.replace(view, fingerprint=bytes(16), prior=None), Move())

    def _play(
        self, command: Command, view: View, move: Move, transaction: Transaction
    ) -> Round | None:
        """The round that the command belongs to, brought up to date; opened when it is new."""
        account = view.account
        if command.kind in _OUTSIDE or account is None or move.rejection is not None:
            return None
        round_ = view.round
        if round_ is None:
            if command.round is None:
                return None
            round_ = self._open(command, view, account, transaction)
        round_.last, round_.changed_ms = transaction.id, transaction.created_ms
        if command.kind is Kind.BET:
            round_.bets, round_.staked = round_.bets + 1, round_.staked + move.units
        elif command.kind is Kind.REFUND:
            _undo(round_, move)
        else:
            round_.wins, round_.won = round_.wins + 1, round_.won + move.units
            if command.ends is not None:
                round_.ended = command.ends or bool(round_.ended)
        self.changed[round_.id] = round_
        return round_

    def _open(self, command: Command, view: View, account: Account, first: Transaction) -> Round:
        key, at_ms = self._round_key(command, view, account.id), first.created_ms
        round_ = Round(self._new_round(), *key, at_ms, at_ms, first.id, first.id)
        self.enter_round(round_)
        self.opened.append(round_)
        return round_

    def _roll_up(self, row: Transaction, account: Account, move: Move) -> None:
        """Count the movement; units are signed as the player sees them."""
        hour, kind = row.created_ms // HOUR_MS, row.kind.value
        key = (hour, row.integration, account.currency.code, kind)
        entry = self.rollups.setdefault(key, [0, 0])
        entry[0] += 1
        entry[1] += move.units if move.credit else -move.units

    def _alert(self, command: Command, view: View, raised: Raised, move: Move | None) -> None:
        account = view.account.id if view.account is not None else None
        if move is None and account in self.new_accounts and account not in self.moved:
            account = None  # It is not stored, and its id may be another one's later.
        self.alerts.append(
            AlertRow(command.integration, command.key or "", raised, account, self.written_ms)
        )


def _undo(round_: Round, move: Move) -> None:
    """Count what a refund undid in the round: a stake given back, or a win taken back.

    A refused bet was never counted in, so its refund is not counted either.
    """
    if move.buries:
        # A bet that is undone before it comes: a win of the round must not be paid for it.
        round_.bets, round_.refunds = round_.bets + 1, round_.refunds + 1
        return
    undone = move.reverses
    if undone is None or undone.round != round_.id:
        return
    if undone.kind is Kind.BET:
        round_.refunds, round_.refunded = round_.refunds + 1, round_.refunded + undone.units
        # With the stake of a paid bet its wins may be taken: what came back is less by them.
        round_.won -= undone.units - (move.units if move.credit else -move.units)
    else:
        round_.won -= move.units


def _drafted(number: int, command: Command, view: View, move: Move, at_ms: int) -> Transaction:
    """A transaction row with all that does not depend on the account."""
    return Transaction(
        id=number,
        integration=command.integration,
        key=command.key or "",
        kind=command.kind,
        fingerprint=view.fingerprint,
        session=view.session.id if view.session is not None else None,
        asked=str(command.amount) if command.amount is not None else None,
        units=move.units,
        target=view.target.id if view.target is not None else None,
        rejection=move.rejection,
        campaign=(command.campaign or (view.grant.name if view.grant is not None else None)),
        free=command.free,
        dust=str(move.dust) if move.dust is not None else None,
        feature=command.feature,
        reference=command.reference,
        created_ms=at_ms,
    )


def chained(previous: bytes, row: Transaction) -> bytes:
    """The chain value of a transaction row, from the account's chain before it."""
    return link(
        previous,
        (
            row.id,
            row.integration,
            row.key,
            row.kind.value,
            row.fingerprint,
            row.session,
            row.round,
            row.asked,
            row.units,
            row.debit,
            row.credit,
            row.balance,
            row.version,
            row.target,
            row.rejection.name if row.rejection is not None else None,
            row.campaign,
            row.free,
            row.dust,
            row.created_ms,
        ),
        (row.feature, row.reference),
        row.claim,
    )
