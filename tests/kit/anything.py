"""Commands of every kind and policies of every sort, drawn by chance from few ids: they meet."""

from kit.command import OTHER, deposit, say, withdrawal
from seamline.ledger.keys import overdue_of
from seamline.money import Quantity
from seamline.wallet import Kind, Policy, Rejection

_STAKES = (Kind.BET, Kind.TIP)
_CREDITS = (Kind.WIN, Kind.REWARD)
_ASKING = (Kind.BALANCE, Kind.AUTHORIZE, Kind.STATUS)
_CASHIER = {Kind.DEPOSIT: deposit, Kind.WITHDRAWAL: withdrawal}
_KINDS = (
    *[Kind.BET] * 4,
    *[Kind.WIN] * 5,
    *[Kind.REFUND] * 5,
    *[Kind.REWARD] * 2,
    *(Kind.TIP, Kind.NOTICE, *_ASKING, *_CASHIER),
)

#: What each field of a policy may be, beside what it is when nothing is said.
POLICIES = {
    "fingerprint": (("kind", "target"), ("kind", "player", "currency", "target")),
    "replayed_balance": ("current",),
    "refunded_bet_again": ("reject",),
    "remembered_refusals": (frozenset({Kind.BET}), frozenset({Kind.BET, Kind.WIN, Kind.REFUND})),
    "noted_refusals": (frozenset({Kind.BET}), frozenset({Kind.BET, Kind.WIN})),
    "unknown_session": ("adopt",),
    "session_slides_ms": (4 * 3_600_000,),
    "bet_game": ("launched",),
    "win_without_bet": ("reject",),
    "late_win_without_bet": ("reject",),
    "late_space": ("late/",),
    "win_after_refund": ("pay", "reject"),
    "second_win": ("reject",),
    "bet_as_win": ("reject",),
    "reversible": (frozenset({Kind.BET, Kind.TIP, *_CREDITS}), frozenset({Kind.BET, *_CREDITS})),
    "irreversible": ("reject",),
    "refund_after_win": ("void", "reject"),
    "refund_within_ms": (3_600_000,),
    "overdraft": ("take_what_is_there", "reject"),
    "claimants": ("one",),
    "second_claim": ("reject",),
    "campaigns": ("checked", "attributed"),
    "unknown_campaign": ("reject",),
    "disbelief": ("alert", "reject"),
    "overdue_bet": ("undo",),
}


def any_policy(chance):
    """A policy in which about every second field is not as usual."""
    chosen = {name: chance.choice(others) for name, others in POLICIES.items()}
    policy = {name: value for name, value in chosen.items() if chance.random() < 0.5}
    if policy.get("campaigns") == "attributed":
        # Whose campaigns to look up is not known of a session that the same batch takes over.
        policy.pop("unknown_session", None)
    return Policy(**policy)


def any_command(chance, *, ours=True):
    """A command of any kind, for few players, about few keys; *ours*: also our own refunds."""
    choose, often = chance.choice, lambda share: chance.random() < share
    kind, key = choose(_KINDS), f"k{choose(range(1, 15))}"
    if kind in _CASHIER:
        amount = choose(("0.00", "1.00", "50.00"))
        return _CASHIER[kind](key, amount, choose(("p1", "p2", "p9")), choose(("USD", "EUR")))
    fields = _whose(choose, often)
    if kind in (Kind.BET, Kind.TIP, Kind.WIN, Kind.REFUND) and often(0.8):
        fields["round"] = choose(("r1", "r2"))
    if often(0.3):
        fields["game"] = choose(("g1", "g2"))
    if kind in (Kind.REFUND, Kind.STATUS) or (kind is Kind.WIN and often(0.6)):
        fields["target"] = f"k{choose(range(1, 15))}"
        if kind is Kind.WIN and often(0.35):
            fields["late"] = True
            key = f"late/{fields['target']}" if often(0.7) else key
        if kind is Kind.REFUND and often(0.1) and ours:
            key = overdue_of(fields["target"])
    elif kind in (Kind.BET, *_CREDITS) and often(0.2):
        fields["campaign"] = choose(("", "c1", "c2"))
    _odd(kind, fields, choose, often)
    if kind in (*_STAKES, *_CREDITS):
        fine = ("5.001234567",) if kind is Kind.WIN else ()
        fields["amount"] = choose(("0.00", "10.00", "25.00", "60.00", *fine))
    return say(kind, None if kind in _ASKING else key, fields.pop("amount", None), **fields)


def _whose(choose, often):
    """A session, a player with or without a currency, or both; not always of one another."""
    fields = {}
    named = choose(("session", "session", "session", "player", "both"))
    if named != "player":
        fields["session"] = choose(("s1", "s2", "s3", "s4", "s9", "sx", "sy"))
    if named != "session" or (fields["session"][1] in "xy" and often(0.8)):
        fields["player"] = choose(("p1", "p1", "p2", "p9"))
        if often(0.8):
            fields["currency"] = choose(("USD", "USD", "EUR", "XXX"))
    return fields


def _odd(kind, fields, choose, often):
    """What is seldom said."""
    if kind in (Kind.BET, Kind.WIN) and often(0.15):
        fields["free"] = True
    if kind is Kind.REWARD and often(0.5):
        fields["claim"] = choose(("x1", "x2"))
    if kind is Kind.BET and often(0.1):
        fields["believed"] = Quantity.parse("100.00")
    if kind is Kind.BET and often(0.05):
        fields["objection"] = choose((Rejection.PRICE, Rejection.UNAVAILABLE))
    if kind is Kind.BET and often(0.15):
        fields[choose(("priced", "only_checked"))] = True
    if kind is Kind.WIN and often(0.3):
        fields["ends"] = choose((True, False))
    if kind is Kind.NOTICE or often(0.05):
        fields["note"] = "look"
    if often(0.1):
        fields["integration"] = OTHER
