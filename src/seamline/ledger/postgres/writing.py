"""Everything that a book changed, written in one round trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

from seamline.ledger import columns
from seamline.ledger.book import Book
from seamline.ledger.chain import START
from seamline.ledger.columns import Cells
from seamline.ledger.postgres.arrays import literals
from seamline.ledger.postgres.steps import Ask, Collision, Steps


def write(book: Book, integrations: Mapping[str, int]) -> Steps[None]:
    """Write what changed. `Collision` when a row is no longer as the book knew it."""
    writes = {name: rows for name, rows in _changes(book, integrations) if rows}
    if not writes:
        return
    answers = yield [Ask(name, literals(rows)) for name, rows in writes.items()]
    for (name, rows), answer in zip(writes.items(), answers, strict=True):
        # An alert that is there already is no news; every other row changes once.
        if answer.changed != len(rows) and name != "write_alerts":
            raise Collision(name)


def _changes(book: Book, integrations: Mapping[str, int]) -> Sequence[tuple[str, Sequence[Cells]]]:
    """What each statement writes, in the order in which they go out.

    What several batches may touch at once, or give the same name, comes sorted, so that two of them
    never wait for each other. Alerts are read in the order in which they were raised: should two
    batches raise the same ones in another order, one of them starts again.
    """
    opened = {each.id for each in book.opened}
    adopted, posted = sorted(book.adopted, key=_NAME), sorted(book.posted, key=_KEY)
    return (
        ("write_sessions", [columns.session_row(each, integrations) for each in adopted]),
        ("slide_sessions", sorted((each.id, each.expires_ms) for each in book.slid.values())),
        ("write_transactions", [columns.transaction_row(each, integrations) for each in posted]),
        (
            "write_new_accounts",
            [
                (each.id, each.player, each.currency.code, START)
                for each in book.new_accounts.values()
                if each.id in book.moved  # It opens with its first deposit, not with a refused one.
            ],
        ),
        (
            "write_accounts",
            [
                (*columns.account_change(account, loaded), book.time_of(account))
                for account, loaded in book.moved.values()
            ],
        ),
        ("write_new_rounds", [columns.round_row(each, integrations) for each in book.opened]),
        (
            "write_rounds",
            [columns.round_change(each) for each in book.changed.values() if each.id not in opened],
        ),
        (
            "write_claims",
            [(a, integrations[name], claim, by) for a, name, claim, by in book.claimed],
        ),
        ("write_reversed", book.reversed),
        ("write_settled", book.settled),
        ("write_vouched", book.vouched),
        (
            "write_rollups",
            [columns.rollup_row(*entry, integrations) for entry in sorted(book.rollups.items())],
        ),
        ("write_alerts", [columns.alert_row(each, integrations) for each in book.alerts]),
    )


_NAME, _KEY = attrgetter("integration", "name"), attrgetter("integration", "key")
