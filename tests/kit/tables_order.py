"""Tables of identity and order: keys that come again, refunds before bets, wins after refunds."""

from kit.table import Table
from seamline.wallet import Kind, Policy

IDENTITY = [
    Table(
        "The same bet again moves nothing and answers as the first time.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        bet b1 10.00 s1 r1 -> replayed 90.00
        bet b2 5.00 s1 r2 -> applied 85.00
        bet b1 10.00 s1 r1 -> replayed 90.00
        p1 has 85.00
        """,
    ),
    Table(
        "Where the dialect wants it, a duplicate is told the balance as it is now.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        bet b2 5.00 s1 r2 -> applied 85.00
        bet b1 10.00 s1 r1 -> replayed 85.00
        """,
        Policy(replayed_balance="current"),
    ),
    Table(
        "A refund that comes again is told whose it was, whoever has its target's key since then.",
        """
        refund f1 of b1 s1 -> applied 100.00
        refund f2 of b1 snone -> applied 100.00
        refund f3 of b1 for p1 in USD -> applied 100.00
        win b1 5.00 s2 r1 -> applied 105.00 ! win_without_bet
        refund f2 of b1 snone -> replayed 100.00
        refund f3 of b1 for p1 in USD -> replayed 100.00
        refund f3 of b1 for p2 in USD -> rejected DUPLICATE_CHANGED ! duplicate_changed
        refund f4 of b2 snone -> rejected SESSION_UNKNOWN
        win b2 5.00 s2 r1 -> applied 110.00 ! win_without_bet
        refund f4 of b2 snone -> rejected SESSION_UNKNOWN -
        """,
        Policy(replayed_balance="current"),
    ),
    Table(
        "A known key with another amount, kind, session, round or purpose is refused and alerts.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        bet b1 11.00 s1 r1 -> rejected DUPLICATE_CHANGED 90.00 ! duplicate_changed
        win b1 10.00 s1 r1 -> rejected DUPLICATE_CHANGED 90.00
        bet b1 10.00 s2 r1 -> rejected DUPLICATE_CHANGED 100.00
        bet b1 10.00 s1 r2 -> rejected DUPLICATE_CHANGED
        bet b1 10.00 s1 -> rejected DUPLICATE_CHANGED
        bet b1 10.00 s1 r1 free -> rejected DUPLICATE_CHANGED
        bet b1 10.00 s1 r1 campaign c1 -> rejected DUPLICATE_CHANGED
        bet b1 10.00 s1 r1 of b0 -> rejected DUPLICATE_CHANGED
        bet b1 10.00 snone r1 -> rejected DUPLICATE_CHANGED
        p1 has 90.00
        p2 has 100.00
        """,
    ),
    Table(
        "Amounts are compared by value: 10, 10.0 and 10.00 are the same stake.",
        """
        bet b1 10 s1 r1 -> applied 90.00
        bet b1 10.0 s1 r1 -> replayed 90.00
        bet b1 10.00000 s1 r1 -> replayed 90.00
        bet b1 10.00001 s1 r1 -> rejected DUPLICATE_CHANGED ! duplicate_changed
        """,
    ),
    Table(
        "A policy names what may change when a key comes again.",
        """
        win w1 1.00 s1 r1 -> applied 101.00 ! win_without_bet
        win w1 1.00 s1 r9 -> replayed 101.00
        win w1 1.00 s1 r1 free -> replayed 101.00
        bet w1 1.00 s1 r1 -> rejected DUPLICATE_CHANGED ! duplicate_changed
        """,
        Policy(fingerprint=("kind", "session")),
    ),
    Table(
        "A key is a name within its integration.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win b1 5.00 for p1 in USD from other -> applied 95.00 ! win_without_bet
        deposit b1 5.00 for p1 in USD -> applied 100.00
        """,
    ),
    Table(
        "A deposit under a known key for another player or currency is refused.",
        """
        deposit d1 5.00 for p1 in USD -> applied 105.00
        deposit d1 5.00 for p1 in USD -> replayed 105.00
        deposit d1 5.00 for p2 in USD -> rejected DUPLICATE_CHANGED 100.00 ! duplicate_changed
        deposit d1 5.00 for p1 in EUR -> rejected DUPLICATE_CHANGED 0.00
        """,
    ),
    Table(
        "A refusal is forgotten: the same bet is decided afresh after a deposit.",
        """
        bet b1 150.00 s1 r1 -> rejected FUNDS 100.00
        deposit d1 100.00 for p1 in USD -> applied 200.00
        bet b1 150.00 s1 r1 -> applied 50.00
        """,
    ),
    Table(
        "Where refusals are remembered, the same key can never succeed later.",
        """
        bet b1 150.00 s1 r1 -> rejected FUNDS 100.00
        deposit d1 100.00 for p1 in USD -> applied 200.00
        bet b1 150.00 s1 r1 -> rejected FUNDS 200.00
        bet b1 10.00 s1 r1 -> rejected DUPLICATE_CHANGED 200.00 ! duplicate_changed
        withdrawal o1 300.00 for p1 in USD -> rejected FUNDS 200.00
        deposit d2 100.00 for p1 in USD -> applied 300.00
        withdrawal o1 300.00 for p1 in USD -> applied 0.00
        bet b2 1.00 snone r2 -> rejected SESSION_UNKNOWN
        session snone p2 USD
        bet b2 1.00 snone r2 -> applied 99.00
        """,
        Policy(remembered_refusals=frozenset({Kind.BET})),
    ),
    Table(
        "A refund of a remembered refusal moves nothing, and the round's other bet is still paid.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        bet b2 150.00 s1 r1 -> rejected FUNDS 90.00
        refund f2 of b2 s1 r1 -> applied 90.00
        refund f3 of b2 s1 r1 -> applied 90.00
        win w1 20.00 s1 r1 -> applied 110.00
        """,
        Policy(remembered_refusals=frozenset({Kind.BET})),
    ),
]

PRICES = [
    Table(
        "A bet that is only checked needs its stake, and moves nothing; nor does its refund.",
        """
        bet b1 100.01 s1 r1 only_checked -> rejected FUNDS 100.00
        bet b1 60.00 s1 r1 only_checked -> applied 100.00
        bet b1 60.00 s1 r1 only_checked -> replayed 100.00
        bet b1 61.00 s1 r1 only_checked -> rejected DUPLICATE_CHANGED 100.00 ! duplicate_changed
        bet b2 60.00 s1 r1 only_checked -> applied 100.00
        refund f1 60.00 of b1 s1 r1 -> applied 100.00
        refund f1 60.00 of b1 s1 r1 -> replayed 100.00
        limits p1 {"currencies": {"USD": {"max_stake": "40.00", "loss_day": "30.00"}}}
        bet b3 40.01 s1 r1 only_checked -> rejected STAKE_LIMIT 100.00
        bet b3 30.01 s1 r1 only_checked -> rejected LOSS_LIMIT 100.00
        bet b3 30.00 s1 r1 only_checked -> applied 100.00
        bet b4 30.00 s1 r1 -> applied 70.00
        """,
    ),
    Table(
        "A price that was looked up may be another one when the key comes again.",
        """
        bet b1 10.00 s1 r1 priced -> applied 90.00
        bet b1 99.00 s1 r1 priced -> replayed 90.00
        bet b1 0.00 s1 r1 priced objects UNAVAILABLE -> replayed 90.00
        bet b1 10.00 s1 r1 -> rejected DUPLICATE_CHANGED 90.00 ! duplicate_changed
        bet b1 10.00 s1 r2 priced -> rejected DUPLICATE_CHANGED 90.00
        bet b2 10.00 s1 r1 -> applied 80.00
        bet b2 10.00 s1 r1 priced -> rejected DUPLICATE_CHANGED 80.00 ! duplicate_changed
        p1 has 80.00
        """,
    ),
    Table(
        "Trouble of the moment is not remembered, other refusals are, whatever the price is later.",
        """
        bet b1 0.00 s1 r1 priced objects UNAVAILABLE -> rejected UNAVAILABLE 100.00
        bet b1 150.00 s1 r1 priced -> rejected FUNDS 100.00
        bet b1 10.00 s1 r1 priced -> rejected FUNDS 100.00
        bet b2 0.00 s1 r1 priced objects UNAVAILABLE -> rejected UNAVAILABLE 100.00
        bet b2 10.00 s1 r1 priced -> applied 90.00
        """,
        Policy(remembered_refusals=frozenset({Kind.BET})),
    ),
    Table(
        "Trouble of the moment is not noted either.",
        """
        bet b1 10.00 s1 r1 objects UNAVAILABLE -> rejected UNAVAILABLE 100.00
        status - s1 of b1 -> rejected TARGET_UNKNOWN 100.00
        bet b1 10.00 s1 r1 objects PRICE -> rejected PRICE 100.00
        status - s1 of b1 -> applied refused
        """,
        Policy(noted_refusals=frozenset({Kind.BET})),
    ),
]

REFUNDS = [
    Table(
        "A refund gives the stake back once; the same refund again answers as before.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        refund f1 10.00 of b1 s1 r1 -> applied 100.00
        refund f1 10.00 of b1 s1 r1 -> replayed 100.00
        refund f2 10.00 of b1 s1 r1 -> applied 100.00
        p1 has 100.00
        """,
    ),
    Table(
        "A refund without amount, round or session uses what is stored.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        refund f1 of b1 -> applied 100.00
        bet b2 10.00 s1 r2 -> applied 90.00
        refund f2 of b2 snone -> applied 100.00
        """,
    ),
    Table(
        "A refund that says another amount gives the stored stake back and alerts.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        refund f1 99.00 of b1 s1 r1 -> applied 100.00 ! refund_amount_differs
        bet b2 10.00 s1 r2 -> applied 90.00
        refund f2 10.0 of b2 s1 r2 -> applied 100.00
        """,
    ),
    Table(
        "A refund before its bet puts up a tombstone; the late bet moves nothing, however often.",
        """
        refund f1 10.00 of b1 s1 r1 -> applied 100.00
        bet b1 10.00 s1 r1 -> rejected REFUNDED_BEFORE 100.00
        bet b1 99.00 s1 r9 -> rejected REFUNDED_BEFORE 100.00
        refund f1 10.00 of b1 s1 r1 -> replayed 100.00
        refund f2 10.00 of b1 s1 r1 -> applied 100.00
        bet b1 10.00 s1 r1 -> rejected REFUNDED_BEFORE 100.00
        p1 has 100.00
        """,
    ),
    Table(
        "A refund of nothing known for nobody known is recorded, and the bet is refused later.",
        """
        refund f1 10.00 of b1 snone -> rejected SESSION_UNKNOWN
        refund f1 10.00 of b1 snone -> rejected SESSION_UNKNOWN
        refund f2 10.00 of b1 s1 -> applied 100.00
        bet b1 10.00 s1 r1 -> rejected REFUNDED_BEFORE 100.00
        """,
    ),
    Table(
        "A refund from another player's session is refused and alerts.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        refund f1 10.00 of b1 s2 r1 -> rejected TARGET_FOREIGN 100.00 ! target_foreign
        p1 has 90.00
        refund f2 10.00 of b1 s1 r1 -> applied 100.00
        """,
    ),
    Table(
        "A refund of a free bet gives nothing back.",
        """
        bet b1 10.00 s1 r1 free -> applied 100.00
        refund f1 10.00 of b1 s1 r1 -> applied 100.00
        """,
    ),
    Table(
        "A refund of a bet that was declined, unrecorded, moves nothing.",
        """
        bet b1 150.00 s1 r1 -> rejected FUNDS 100.00
        refund f1 150.00 of b1 s1 r1 -> applied 100.00
        """,
    ),
    Table(
        "A refund after the round's win gives the stake back and alerts.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 30.00 s1 r1 -> applied 120.00
        refund f1 of b1 s1 r1 -> applied 130.00 ! refund_after_win
        """,
    ),
    Table(
        "A refund of what is no bet moves nothing and alerts, unless the policy says otherwise.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 30.00 s1 r1 -> applied 120.00
        refund f1 of w1 s1 r1 -> applied 120.00 ! refund_of_other_kind
        reward j1 5.00 s1 -> applied 125.00
        refund f2 of j1 s1 -> applied 125.00 ! refund_of_other_kind
        refund f3 of f1 s1 -> applied 125.00 ! refund_of_other_kind
        """,
    ),
    Table(
        "A refund cannot undo itself.",
        """
        refund f1 10.00 of f1 s1 r1 -> rejected MALFORMED 100.00
        bet b1 10.00 s1 r1 -> applied 90.00
        refund b1 10.00 of b1 s1 r1 -> rejected DUPLICATE_CHANGED 90.00 ! duplicate_changed
        """,
    ),
    Table(
        "Wins and rewards are taken back where the policy reverses them, and then be corrected.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 30.00 s1 r1 -> applied 120.00
        refund f1 of w1 s1 r1 -> applied 90.00
        refund f2 of w1 s1 r1 -> applied 90.00
        win w2 20.00 s1 r1 -> applied 110.00
        reward j1 5.00 s1 -> applied 115.00
        refund f3 of j1 s1 -> applied 110.00
        refund f4 of b1 s1 -> applied 120.00 ! refund_after_win
        """,
        Policy(reversible=frozenset({Kind.BET, Kind.WIN, Kind.REWARD})),
    ),
    Table(
        "A win whose refund came first is refused where the policy reverses wins.",
        """
        refund f1 of w1 s1 r1 -> applied 100.00
        win w1 30.00 s1 r1 -> rejected REFUNDED_BEFORE 100.00
        """,
        Policy(reversible=frozenset({Kind.BET, Kind.WIN})),
    ),
    Table(
        "A win that was spent is taken back below zero, with an alert; bets then find no money.",
        """
        win w1 30.00 s1 r1 -> applied 130.00 ! win_without_bet
        bet b1 125.00 s1 r2 -> applied 5.00
        refund f1 of w1 s1 r1 -> applied -25.00 ! overdrawn
        bet b8 5.00 s1 r8 free -> applied -25.00
        bet b9 5.00 s1 r9 -> rejected FUNDS -25.00
        bet b2 0.01 s1 r3 -> rejected FUNDS -25.00
        withdrawal o1 0.01 for p1 in USD -> rejected FUNDS -25.00
        win w2 30.00 s1 r2 -> applied 5.00
        """,
        Policy(reversible=frozenset({Kind.BET, Kind.WIN})),
    ),
    Table(
        "Where a balance must not fall below zero, what is there is taken, with an alert.",
        """
        win w1 30.00 s1 r1 -> applied 130.00 ! win_without_bet
        bet b1 125.00 s1 r2 -> applied 5.00
        refund f1 of w1 s1 r1 -> applied 0.00 ! overdrawn
        win w2 30.00 s1 r2 -> applied 30.00
        """,
        Policy(reversible=frozenset({Kind.WIN}), overdraft="take_what_is_there"),
    ),
]

WINS = [
    Table(
        "A win is credited once, with the bet's round or later than other rounds.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        bet b2 10.00 s1 r2 -> applied 80.00
        win w2 7.00 s1 r2 -> applied 87.00
        win w1 5.00 s1 r1 -> applied 92.00
        win w1 5.00 s1 r1 -> replayed 92.00
        win w3 1.00 s1 r1 -> applied 93.00
        """,
    ),
    Table(
        "A win of nothing is recorded and moves nothing.",
        """
        win w1 0 s1 r1 -> applied 100.00
        win w1 0.00 s1 r1 -> replayed 100.00
        """,
    ),
    Table(
        "A free win is recorded and moves nothing.",
        """
        win w1 30.00 s1 r1 free -> applied 100.00
        win w2 30.0000001 s1 r1 free -> applied 100.00 ! dust
        """,
    ),
    Table(
        "A win without a bet is paid and alerts.",
        """
        win w1 30.00 s1 r1 -> applied 130.00 ! win_without_bet
        bet b1 10.00 s1 r1 -> applied 120.00
        win w2 5.00 s1 r2 game g1 -> applied 125.00 ! win_without_bet
        win w3 5.00 s1 r1 game g2 -> applied 130.00 ! win_without_bet
        win w4 5.00 s1 -> applied 135.00 ! win_without_bet
        """,
    ),
    Table(
        "A win after its bet's refund is recorded and held, with an alert.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        refund f1 of b1 s1 r1 -> applied 100.00
        win w1 30.00 s1 r1 -> applied 100.00 ! win_after_refund
        win w1 30.00 s1 r1 -> replayed 100.00
        """,
    ),
    Table(
        "A win is held too when its bet's refund came first, and paid for a bet beside it.",
        """
        refund f1 of b1 s1 r1 -> applied 100.00
        bet b1 10.00 s1 r1 -> rejected REFUNDED_BEFORE 100.00
        win w1 30.00 s1 r1 -> applied 100.00 ! win_after_refund
        bet b2 10.00 s1 r1 -> applied 90.00
        win w2 30.00 s1 r1 -> applied 120.00
        """,
    ),
    Table(
        "A win that a refund named before it came is recorded: paid beside a bet, else held.",
        """
        refund f1 of w1 s1 r1 -> applied 100.00
        win w1 30.00 s1 r1 -> applied 100.00 ! win_after_refund
        refund f2 of w2 s1 r2 -> applied 100.00
        bet b2 10.00 s1 r2 -> applied 90.00
        win w2 30.00 s1 r2 -> applied 120.00
        win w2 30.00 s1 r2 -> replayed 120.00
        """,
    ),
    Table(
        "Where the policy pays wins after refunds, they are paid, with an alert.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        refund f1 of b1 s1 r1 -> applied 100.00
        win w1 30.00 s1 r1 -> applied 130.00 ! win_after_refund
        """,
        Policy(win_after_refund="pay"),
    ),
    Table(
        "A round with one bet left is paid although another was refunded.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        bet b2 10.00 s1 r1 -> applied 80.00
        refund f1 of b1 s1 r1 -> applied 90.00
        win w1 30.00 s1 r1 -> applied 120.00
        """,
    ),
    Table(
        "A win on an expired or closed session, or of a barred player, is paid.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        close s1
        win w1 5.00 s1 r1 -> applied 95.00
        bet b2 10.00 s2 r1 -> applied 90.00
        after 5h
        status p2 self_excluded
        win w2 5.00 s2 r1 -> applied 95.00
        refund f2 of b2 s2 r1 -> applied 105.00 ! refund_after_win
        """,
    ),
    Table(
        "A win for nobody known is refused and alerts; it is paid through the bet that it names.",
        """
        win w1 5.00 snone r1 -> rejected SESSION_UNKNOWN ! win_unknown_session
        bet b1 10.00 s1 r1 -> applied 90.00
        win w2 5.00 snone r1 of b1 game g1 -> applied 95.00
        reward j1 5.00 snone -> rejected SESSION_UNKNOWN ! win_unknown_session
        """,
    ),
]

TABLES = IDENTITY + PRICES + REFUNDS + WINS
