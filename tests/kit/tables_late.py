"""Tables of late wins: in place of a win that was lost, or named by its bet."""

from kit.table import Table
from seamline.wallet import Kind, Policy

TABLES = [
    Table(
        "A late win names the lost win or its bet, and is paid once either way.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 5.00 s1 r1 of b1 -> applied 95.00
        win l1 5.00 s1 of w1 late -> replayed 95.00
        win l1 5.00 s2 of w1 late -> rejected TARGET_FOREIGN 100.00 ! target_foreign
        win l2 5.00 s1 of b1 late -> rejected TARGET_SETTLED 95.00 ! second_payout
        bet b2 10.00 s1 r2 -> applied 85.00
        win l3 5.00 s1 of b2 late -> applied 90.00
        win l3 5.00 s1 of b2 late -> replayed 90.00
        win l4 5.00 s1 of w9 late -> applied 95.00 ! win_without_bet
        win l4 5.00 s1 of w9 late -> replayed 95.00
        win w9 5.00 s1 r1 of b9 -> rejected REFUNDED_BEFORE 95.00
        bet b3 10.00 s1 r3 -> applied 85.00
        refund f3 of b3 s1 -> applied 95.00
        win l5 5.00 s1 of b3 late -> rejected TARGET_REFUNDED 95.00 ! win_after_refund
        """,
        Policy(
            win_without_bet="reject",
            win_after_refund="reject",
            second_win="reject",
            reversible=frozenset({Kind.BET, Kind.WIN}),
        ),
    ),
    Table(
        "A late win is undone by who names what it came in place of.",
        """
        win late/w9 5.00 s1 of w9 late -> applied 105.00 ! win_without_bet
        refund f1 of w9 s1 -> applied 100.00
        refund f2 of w9 s1 -> applied 100.00
        refund f3 of w8 s1 -> applied 100.00
        refund f4 of w8 s1 -> applied 100.00
        bet b1 10.00 s1 r1 -> applied 90.00
        win late/b1 5.00 s1 of b1 late -> applied 95.00
        refund f5 of b1 s1 -> applied 105.00 ! refund_after_win
        """,
        Policy(
            late_space="late/",
            win_without_bet="reject",
            reversible=frozenset({Kind.BET, Kind.WIN}),
        ),
    ),
    Table(
        "A win that comes after the late win in its place is told as done, unless it is another.",
        """
        win late/w9 5.00 s1 of w9 late -> applied 105.00 ! win_without_bet
        bet b1 10.00 s1 r1 -> applied 95.00
        win w9 5.00 s1 r1 of b1 -> replayed 105.00
        win w9 6.00 s1 r1 of b1 -> rejected DUPLICATE_CHANGED 95.00 ! duplicate_changed
        refund f1 of w9 s1 -> applied 90.00
        win w9 5.00 s1 r1 of b1 -> rejected REFUNDED_BEFORE 90.00
        win late/w8 5.00 s1 of w8 late -> applied 95.00 ! win_without_bet
        win w8 5.00 s2 r1 of b1 -> rejected DUPLICATE_CHANGED 100.00 ! duplicate_changed
        """,
        Policy(
            late_space="late/",
            win_without_bet="reject",
            reversible=frozenset({Kind.BET, Kind.WIN}),
        ),
    ),
    Table(
        "A win that was refused for good is not paid by bringing it late; one that may pass is.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 5.00 s1 r1 of b1 -> applied 95.00
        win w2 5.00 s1 r1 of b1 -> rejected TARGET_SETTLED 95.00 ! second_payout
        win late/w2 5.00 s1 of w2 late -> rejected TARGET_KIND 95.00 ! second_payout
        bet b2 10.00 s1 r2 -> applied 85.00
        refund f2 of b2 s1 -> applied 95.00
        win w3 5.00 s1 r2 of b2 -> rejected TARGET_REFUNDED 95.00 ! win_after_refund
        win late/w3 5.00 s1 of w3 late -> rejected TARGET_REFUNDED 95.00 ! second_payout
        win w4 5.00 s2 r1 of b1 -> rejected TARGET_FOREIGN 100.00 ! target_foreign
        win late/w4 5.00 s2 of w4 late -> rejected TARGET_FOREIGN 100.00 ! second_payout
        win late/w4 5.00 s1 of w4 late -> applied 100.00 ! win_without_bet
        win w6 5.00 s9 of b1 for p2 -> rejected TARGET_FOREIGN - ! target_foreign
        win w5 5.00 s1 r5 of b5 -> rejected TARGET_UNKNOWN 100.00 ! win_without_bet
        win late/w5 5.00 s1 of w5 late -> applied 105.00 ! win_without_bet
        """,
        Policy(
            late_space="late/",
            win_without_bet="reject",
            win_after_refund="reject",
            second_win="reject",
            noted_refusals=frozenset({Kind.WIN}),
            reversible=frozenset({Kind.BET, Kind.WIN}),
        ),
    ),
    Table(
        "A late win of a refused bet is none that was lost.",
        """
        bet b1 1000.00 s1 r1 -> rejected FUNDS 100.00
        win l1 5.00 s1 of b1 late -> rejected TARGET_UNKNOWN 100.00 ! win_without_bet
        """,
        Policy(win_without_bet="reject", remembered_refusals=frozenset({Kind.BET})),
    ),
    Table(
        "A late win of a refused bet is paid with an alert where any win without a bet is.",
        """
        bet b1 1000.00 s1 r1 -> rejected FUNDS 100.00
        win l1 5.00 s1 of b1 late -> applied 105.00 ! win_without_bet
        bet b1 1000.00 s1 r1 -> rejected FUNDS 105.00
        """,
        Policy(remembered_refusals=frozenset({Kind.BET})),
    ),
    Table(
        "A late win whose bet nobody knows is refused where policy says so.",
        """
        win l4 5.00 s1 of w9 late -> rejected TARGET_UNKNOWN 100.00 ! win_without_bet
        """,
        Policy(late_win_without_bet="reject"),
    ),
]
