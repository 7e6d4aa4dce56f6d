"""What the books say, to compare and to prove."""

from kit.world import CURRENCIES
from seamline.ledger.audit import audit
from seamline.ledger.store import TransactionFilter
from seamline.money import Amount


def audited(store):
    """What an audit of the store finds."""
    with store.reader() as reader:
        return audit(reader)


def proven(store):
    """The audit's findings, which must be none; every drift gauge is zero."""
    findings = audited(store)
    assert findings.clean, "\n".join(map(str, findings.kept))
    with store.reader() as reader:
        assert not any(reader.drift().values())
    return findings


def transactions(store, **filters):
    """All transactions as the outside sees them, oldest first."""
    with store.reader() as reader:
        found = reader.transactions(TransactionFilter(limit=1_000_000, **filters))
    return list(reversed(found))


def alerts(store):
    """Every alert with the key it is about, sorted."""
    with store.reader() as reader:
        found = reader.alerts(state=None, after=None, limit=1_000_000)
    return sorted((each.key, each.alert, each.detail) for each in found)


def balances(store, brand="acme", names=("p1", "p2")):
    """What each player has in each currency, as text."""
    held = {}
    with store.reader() as reader:
        for name in names:
            for account in reader.player(brand, name)[1]:
                code = account.currency.code
                held[name, code] = str(Amount(account.balance, CURRENCIES[code]))
    return held
