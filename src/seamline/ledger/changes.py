"""What a batch changed: entered by the book, written by the store."""

from __future__ import annotations

import msgspec

from seamline.ledger.rows import Account, Round, Session, Transaction
from seamline.ledger.rules.view import Raised

RollupKey = tuple[int, str, str, str]  # hour, integration, currency, kind


class AlertRow(msgspec.Struct, frozen=True, gc=False):
    """An alert to be written: what about which command of which account."""

    integration: str
    key: str
    raised: Raised
    account: int | None
    created_ms: int


class Changes:
    """What a batch changed, in the order in which it did; written when the batch is decided."""

    def __init__(self) -> None:
        self.posted: list[Transaction] = []
        self.moved: dict[int, tuple[Account, int]] = {}  # with the version as loaded
        self.opened: list[Round] = []
        self.changed: dict[int, Round] = {}
        self.reversed: list[tuple[int, int]] = []  # by which transaction, which one
        self.settled: list[tuple[int, int]] = []  # by which win, which bet
        self.vouched: list[tuple[int, int]] = []  # when, which bet
        self.adopted: list[Session] = []
        self.slid: dict[int, Session] = {}
        self.claimed: list[tuple[int, str, str, int]] = []
        self.alerts: list[AlertRow] = []
        self.rollups: dict[RollupKey, list[int]] = {}
