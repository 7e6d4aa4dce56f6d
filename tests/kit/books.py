"""What the books say, to compare and to prove."""

from msgspec.structs import replace

from kit.world import CURRENCIES
from seamline.ledger.audit import audit
from seamline.ledger.store import RoundFilter, TransactionFilter
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


def seen(world, answers):
    """Everything that the books say, and how the sessions are that vendors may name.

    With what has an id of the store's own by its place among its like.
    """
    listed = transactions(world.store)
    place = {each.transaction: number for number, each in enumerate(listed)}
    names = [f"s{each}" for each in "12349xy"]
    with world.store.reader() as reader:
        rounds = reader.rounds(RoundFilter(limit=1_000))
        sessions = [reader.session("swipe", name) for name in names]
        raised = reader.alerts(state=None, after=None, limit=1_000)
    return {
        "answers": [placed(each, place) for each in answers],
        "transactions": [placed(each, place) for each in listed],
        "settled": settled(world.store),
        "alerts": sorted((each.key, each.alert, each.detail, str(each.player)) for each in raised),
        "balances": balances(world.store),
        "rounds": [replace(each, id=number) for number, each in enumerate(rounds)],
        "sessions": [
            each and (each.player.name, each.account.currency.code, each.game, each.expires_ms)
            for each in sessions
        ],
    }


def placed(said, place):
    """An answer or an entry with the places of the transactions that it names."""
    names = {"transaction", "target", "reversed_by"} & set(said.__struct_fields__)
    return replace(said, **{name: place.get(getattr(said, name)) for name in names})


def settled(store):
    """The keys of bets that were paid, with those of the wins that paid them."""
    with store.reader() as reader:
        rows = [row for _, row in reader.stream(["audit_transactions"])]
    keys = {row[0]: row[2] for row in rows}
    return sorted((row[2], keys[row[22]]) for row in rows if row[22] is not None)
