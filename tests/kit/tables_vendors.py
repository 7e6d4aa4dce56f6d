"""Tables of what some vendors need: players without sessions, wins that name bets, bonuses."""

from kit.table import Table
from seamline.wallet import Kind, Policy

SESSIONLESS = [
    Table(
        "A command may name the player and the currency in place of a session.",
        """
        balance - for p1 in USD -> applied 100.00
        bet b1 10.00 for p1 in USD -> applied 90.00
        bet b1 10.00 for p1 in USD -> replayed 90.00
        win w1 5.00 for p1 in USD of b1 -> applied 95.00
        bet b2 10.00 for p1 in EUR -> rejected FUNDS 0.00
        bet b3 0.00 for p1 in EUR -> applied 0.00
        bet b4 1.00 for p9 in USD -> rejected PLAYER_UNKNOWN
        bet b5 1.00 for p1 in XXX -> rejected CURRENCY
        status p1 blocked
        bet b6 1.00 for p1 in USD -> rejected PLAYER_BLOCKED 95.00
        reward j1 1.00 for p1 in USD -> applied 96.00
        reward j2 1.00 for p1 in XXX -> rejected CURRENCY ! win_unknown_session
        """,
        Policy(fingerprint=("kind", "player", "currency", "target")),
    ),
    Table(
        "A session that is not the named player's does not count.",
        """
        bet b1 10.00 s2 r1 for p1 -> rejected SESSION_UNKNOWN
        bet b1 10.00 s1 r1 for p1 -> applied 90.00
        win w1 5.00 snone for p1 in USD of b1 -> applied 95.00
        """,
    ),
    Table(
        "Where a key may come again from another session, it is still the same player's.",
        """
        session s8 p1 USD g1
        session s9 p1 EUR g1
        bet b1 10.00 s1 r1 -> applied 90.00
        bet b1 10.00 s8 r1 -> replayed 90.00
        bet b1 10.00 s2 r1 -> rejected DUPLICATE_CHANGED 100.00 ! duplicate_changed
        bet b1 10.00 s9 r1 -> rejected DUPLICATE_CHANGED 0.00
        win w1 5.00 s1 r1 of b1 -> applied 95.00
        win w1 5.00 s2 r1 of b1 -> rejected DUPLICATE_CHANGED 100.00 ! duplicate_changed
        """,
        Policy(fingerprint=("kind", "target")),
    ),
    Table(
        "Without a session too a key that comes again is the same player's, and of the same money.",
        """
        bet b1 10.00 for p1 in USD -> applied 90.00
        bet b1 10.00 for p1 in USD -> replayed 90.00
        bet b1 10.00 for p1 in EUR -> rejected DUPLICATE_CHANGED 0.00 ! duplicate_changed
        bet b1 10.00 for p2 in USD -> rejected DUPLICATE_CHANGED 100.00
        bet b1 10.00 for p9 in USD -> rejected DUPLICATE_CHANGED
        """,
        Policy(fingerprint=("kind", "target"), replayed_balance="current"),
    ),
    Table(
        "What is said of a player whom nobody knows touches no one else's bet.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 5.00 s1 r1 for p9 of b1 -> rejected TARGET_FOREIGN - ! target_foreign
        refund f1 of b1 for p9 in USD -> rejected TARGET_FOREIGN - ! target_foreign
        status - of b1 for p9 -> rejected TARGET_FOREIGN -
        win w1 5.00 for p1 of b1 -> applied 95.00
        """,
    ),
    Table(
        "A session that nobody opened is taken for the player's newest of that game, and stays it.",
        """
        session s8 p1 USD g8
        bet b1 10.00 sx r1 for p1 game g8 -> applied 90.00
        session s9 p1 EUR g8
        bet b2 10.00 sx r2 for p1 game g8 -> applied 80.00
        bet b3 10.00 sy r3 for p1 game g8 -> rejected FUNDS 0.00
        bet b4 10.00 sz r4 for p1 game g0 -> rejected SESSION_UNKNOWN
        bet b5 10.00 sx r5 for p2 game g8 -> rejected SESSION_UNKNOWN
        after 25h
        bet b6 10.00 sw r6 for p1 game g8 -> rejected SESSION_UNKNOWN
        """,
        Policy(unknown_session="adopt"),
    ),
    Table(
        "What names a currency goes to the newest session in that currency, or to none.",
        """
        session s8 p1 EUR g8
        session s9 p1 USD g8
        bet b1 0.00 sx r1 for p1 in EUR game g8 -> applied 0.00
        bet b2 10.00 sy r2 for p1 in USD game g8 -> applied 90.00
        bet b3 10.00 sx r3 for p1 in USD game g8 -> rejected CURRENCY 0.00
        bet b4 10.00 sz r4 for p1 in BTC game g8 -> rejected SESSION_UNKNOWN
        reward j1 5.00 sw for p1 game g8 -> applied 95.00
        """,
        Policy(unknown_session="adopt"),
    ),
    Table(
        "An authorisation may name the player and the game; the newest session is told.",
        """
        authorize - for p1 game g1 -> applied 100.00
        authorize - for p1 game g7 -> rejected SESSION_UNKNOWN
        authorize - for p9 game g1 -> rejected PLAYER_UNKNOWN
        status p1 closed
        authorize - for p1 game g1 -> rejected PLAYER_CLOSED 100.00
        """,
    ),
    Table(
        "A session that is played in stays open.",
        """
        after 200m
        bet b1 1.00 s1 r1 -> applied 99.00
        after 200m
        bet b2 1.00 s1 r2 -> applied 98.00
        bet b3 1.00 s2 r3 -> rejected SESSION_EXPIRED 100.00
        after 241m
        bet b4 1.00 s1 r4 -> rejected SESSION_EXPIRED 98.00
        """,
        Policy(session_slides_ms=4 * 3_600_000),
    ),
    Table(
        "Where bets must name the game that was launched, another one is refused.",
        """
        bet b1 1.00 s1 r1 game g2 -> rejected GAME 100.00
        bet b2 1.00 s1 r1 game g1 -> applied 99.00
        bet b3 1.00 s1 r1 -> applied 98.00
        """,
        Policy(bet_game="launched"),
    ),
]

NOTICES = [
    Table(
        "A notice moves nothing and is for a person; once.",
        """
        notice n1 for p1 in USD note ship-it -> applied 100.00 ! notice
        notice n1 for p1 in USD note ship-it -> replayed 100.00
        notice n2 for p9 in USD note x -> rejected PLAYER_UNKNOWN
        notice n3 for p1 in XXX note x -> rejected CURRENCY
        notice n4 snone note x -> rejected SESSION_UNKNOWN
        bet b1 10.00 s1 r1 note odd -> applied 90.00 ! notice
        """,
        Policy(fingerprint=("kind", "player")),
    ),
    Table(
        "A tip is a stake, and no bet of its round.",
        """
        tip t1 2.00 s1 r1 -> applied 98.00
        win w1 5.00 s1 r1 -> rejected TARGET_UNKNOWN 98.00 ! win_without_bet
        refund f1 of t1 s1 r1 -> applied 100.00
        refund f2 of t1 s1 r1 -> applied 100.00
        tip t2 100.01 s1 r1 -> rejected FUNDS 100.00
        """,
        Policy(win_without_bet="reject"),
    ),
    Table(
        "What the dialect objects to is refused, unless it is known.",
        """
        bet b1 10.00 s1 r1 objects PRICE -> rejected PRICE 100.00
        bet b1 10.00 s1 r1 -> applied 90.00
        bet b1 10.00 s1 r1 objects PRICE -> replayed 90.00
        reward j1 1.00 s1 objects PRICE -> rejected PRICE 90.00
        authorize - s1 objects GAME -> rejected GAME 90.00
        authorize - s9 objects GAME -> rejected SESSION_UNKNOWN
        """,
    ),
    Table(
        "A vendor that believes in another balance raises an alert.",
        """
        bet b1 10.00 s1 r1 believes 100.0 -> applied 90.00
        bet b2 10.00 s1 r2 believes 100.00 -> applied 80.00 ! balance_differs
        """,
        Policy(disbelief="alert"),
    ),
    Table(
        "Whose player asks too often is refused, but for repeats and what is owed; not for ever.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        bet b1 10.00 s1 r1 hasty -> replayed 90.00
        bet b2 10.00 s1 r2 hasty -> rejected RATE 90.00
        tip t1 10.00 s1 hasty -> rejected RATE 90.00
        reward j1 10.00 s1 hasty -> rejected RATE 90.00
        notice n1 s1 hasty -> rejected RATE 90.00
        balance - s1 hasty -> rejected RATE 90.00
        win w1 5.00 s1 r1 hasty -> applied 95.00
        refund f1 of b1 s1 hasty -> applied 105.00 ! refund_after_win
        bet b2 10.00 s1 r2 -> applied 95.00
        """,
        Policy(remembered_refusals=frozenset({Kind.BET}), noted_refusals=frozenset({Kind.BET})),
    ),
    Table(
        "A vendor believes in what it was shown: some decimals, and 0 of what is overdrawn.",
        """
        reward j1 0.99 s1 -> applied 100.99
        bet b1 10.00 s1 r1 believes 100 -> applied 90.99
        bet b2 10.00 s1 r2 believes 90.0 -> applied 80.99
        bet b3 10.00 s1 r3 believes 80.99 -> rejected OUT_OF_SYNC 80.99
        win w1 50.00 s2 r4 -> applied 150.00 ! win_without_bet
        bet b5 150.00 s2 r5 -> applied 0.00
        refund f1 of w1 s2 -> applied -50.00 ! overdrawn
        bet b6 1.00 s2 r6 free believes 0 -> applied -50.00
        bet b7 1.00 s2 r7 free believes 1 -> rejected OUT_OF_SYNC -50.00
        """,
        Policy(disbelief="reject", shown_decimals=0, reversible=frozenset({Kind.WIN})),
    ),
    Table(
        "A vendor that believes in another balance is refused where policy says so.",
        """
        bet b1 10.00 s1 r1 believes 90 -> rejected OUT_OF_SYNC 100.00
        bet b1 10.00 s1 r1 believes 100 -> applied 90.00
        """,
        Policy(disbelief="reject"),
    ),
]

STRICT = Policy(
    win_without_bet="reject",
    win_after_refund="reject",
    second_win="reject",
    refund_after_win="reject",
    refunded_bet_again="reject",
)
TARGETS = [
    Table(
        "A win that names its bet pays that bet, once; the bet tells how it stands.",
        """
        win w0 5.00 s1 r1 of b1 -> rejected TARGET_UNKNOWN 100.00 ! win_without_bet
        status - s1 of b1 -> rejected TARGET_UNKNOWN 100.00
        bet b1 10.00 s1 r1 -> applied 90.00
        status - of b1 -> applied open
        win w0 5.00 s1 r1 of b1 -> applied 95.00
        status - of b1 -> applied settled
        win w0 5.00 s1 r1 of b1 -> replayed 95.00
        win w1 5.00 s1 r1 of b1 -> rejected TARGET_SETTLED 95.00 ! second_payout
        refund f1 of b1 s1 -> rejected TARGET_SETTLED 95.00
        win w2 5.00 s1 r1 of w0 -> rejected TARGET_KIND 95.00 ! refund_of_other_kind
        status - of b1 s2 -> rejected TARGET_FOREIGN 100.00
        win w3 5.00 s2 r1 of b1 -> rejected TARGET_FOREIGN 100.00 ! target_foreign
        """,
        STRICT,
    ),
    Table(
        "A bet's own request, sent as its win, pays nothing where policy says so.",
        """
        bet b1 10.00 s1 reference t1 -> applied 90.00
        win w1 10.00 s1 of b1 reference t1 -> rejected DUPLICATE_CHANGED 90.00 ! duplicate_changed
        win w1 10.00 s1 of b1 reference t2 -> applied 100.00
        bet b2 10.00 s1 reference t3 -> applied 90.00
        win w2 11.00 s1 of b2 reference t3 -> applied 101.00
        """,
        Policy(bet_as_win="reject"),
    ),
    Table(
        "A bet that was refunded is neither paid nor placed again.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        refund f1 of b1 -> applied 100.00
        status - of b1 -> applied refunded
        win w1 5.00 s1 r1 of b1 -> rejected TARGET_REFUNDED 100.00 ! win_after_refund
        win w2 0.00 s1 r1 of b1 -> rejected TARGET_REFUNDED 100.00
        bet b1 10.00 s1 r1 -> rejected REFUNDED_BEFORE 100.00
        refund f2 of b2 -> rejected SESSION_UNKNOWN
        bet b2 10.00 s1 r2 -> rejected REFUNDED_BEFORE 100.00
        status - of b2 -> rejected REFUNDED_BEFORE
        win w3 5.00 s1 r2 of b2 -> rejected TARGET_REFUNDED 100.00 ! win_after_refund
        """,
        STRICT,
    ),
    Table(
        "By default a second win that names the same bet is paid too, with an alert.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 5.00 s1 r1 of b1 -> applied 95.00
        win w2 5.00 s1 r1 of b1 -> applied 100.00 ! second_payout
        win w3 0.00 s1 r1 of b1 -> applied 100.00
        """,
    ),
    Table(
        "Without targets it is the round that must have a live bet.",
        """
        win w1 5.00 s1 r1 -> rejected TARGET_UNKNOWN 100.00 ! win_without_bet
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 5.00 s1 r1 -> applied 95.00
        bet b2 10.00 s1 r2 -> applied 85.00
        refund f1 of b2 s1 -> applied 95.00
        win w2 5.00 s1 r2 -> rejected TARGET_REFUNDED 95.00 ! win_after_refund
        reward j1 5.00 s1 r9 -> applied 100.00
        """,
        STRICT,
    ),
    Table(
        "What cannot be undone is refused where policy says so.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        refund f1 of b1 s1 -> applied 100.00
        refund f2 of f1 s1 -> rejected TARGET_KIND 100.00 ! refund_of_other_kind
        """,
        Policy(irreversible="reject"),
    ),
    Table(
        "A player whom nobody knows is told before a session that nobody opened.",
        """
        balance - s9 for p9 -> rejected PLAYER_UNKNOWN
        bet b1 10.00 s1 r1 for p9 -> rejected PLAYER_UNKNOWN
        bet b1 10.00 s9 r1 for p1 -> rejected SESSION_UNKNOWN
        """,
    ),
]

VOID = Policy(
    refund_after_win="void",
    reversible=frozenset({Kind.BET, Kind.WIN, Kind.REWARD}),
    second_win="reject",
)
VOIDS = [
    Table(
        "The refund of a paid bet takes its win back with it; nothing is taken twice.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 25.00 s1 r1 of b1 -> applied 115.00
        refund f1 of b1 s1 -> applied 100.00 ! refund_after_win
        refund f2 of w1 s1 -> applied 100.00
        bet b2 10.00 s1 r2 -> applied 90.00
        win w2 5.00 s1 r2 of b2 -> applied 95.00
        refund f3 of b2 s1 -> applied 100.00 ! refund_after_win
        """,
        VOID,
    ),
    Table(
        "A win that was taken with its bet is not taken again from what its round wins later.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 25.00 s1 r1 of b1 -> applied 115.00
        refund f1 of b1 s1 -> applied 100.00 ! refund_after_win
        bet b2 10.00 s1 r1 -> applied 90.00
        win w2 30.00 s1 r1 of b2 -> applied 120.00
        refund f2 of w1 s1 -> applied 120.00
        refund f3 of w2 s1 -> applied 90.00
        """,
        VOID,
    ),
    Table(
        "With one of several bets of a round only its own win is taken, also where there is none.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        bet b2 10.00 s1 r1 -> applied 80.00
        win w1 25.00 s1 r1 of b1 -> applied 105.00
        win w2 30.00 s1 r1 of b2 -> applied 135.00
        refund f1 of b1 s1 -> applied 120.00 ! refund_after_win
        refund f2 of b2 s1 -> applied 100.00 ! refund_after_win
        bet b3 10.00 s1 -> applied 90.00
        win w3 25.00 s1 of b3 -> applied 115.00
        refund f3 of b3 s1 -> applied 100.00 ! refund_after_win
        refund f4 of w3 s1 -> applied 100.00
        """,
        VOID,
    ),
    Table(
        "All that the only bet of a round won is taken with it.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 25.00 s1 r1 of b1 -> applied 115.00
        win w2 5.00 s1 r1 of b1 -> applied 120.00 ! second_payout
        refund f1 of b1 s1 -> applied 100.00 ! refund_after_win
        refund f2 of w1 s1 -> applied 100.00
        refund f3 of w2 s1 -> applied 100.00
        """,
        Policy(refund_after_win="void", reversible=frozenset({Kind.BET, Kind.WIN})),
    ),
    Table(
        "A win that was taken back can be paid again, and its bet be refunded as if it never was.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 25.00 s1 r1 of b1 -> applied 115.00
        refund f1 of w1 s1 -> applied 90.00
        status - of b1 -> applied open
        win w2 30.00 s1 r1 of b1 -> applied 120.00
        refund f2 of w2 s1 -> applied 90.00
        refund f3 of b1 s1 -> applied 100.00
        """,
        VOID,
    ),
    Table(
        "What was won and spent is owed, or the refund is refused where policy says so.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        win w1 25.00 s1 r1 of b1 -> applied 115.00
        bet b2 110.00 s1 r2 -> applied 5.00
        refund f1 of w1 s1 -> rejected FUNDS 5.00
        refund f2 of b1 s1 -> rejected FUNDS 5.00
        refund f3 of b2 s1 -> applied 115.00
        refund f1 of w1 s1 -> applied 90.00
        """,
        Policy(
            refund_after_win="void",
            reversible=frozenset({Kind.BET, Kind.WIN}),
            overdraft="reject",
        ),
    ),
    Table(
        "After its time a transaction is not undone any more.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        after 60s
        refund f1 of b1 s1 -> applied 100.00
        bet b2 10.00 s1 r2 -> applied 90.00
        after 61s
        refund f2 of b2 s1 -> rejected TARGET_EXPIRED 90.00
        """,
        Policy(refund_within_ms=60_000),
    ),
]

TABLES = [*SESSIONLESS, *NOTICES, *TARGETS, *VOIDS]
