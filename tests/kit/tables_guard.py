"""Tables of what stops a command: sessions, players, currencies, amounts, limits, funds."""

from kit.table import Table
from kit.world import limits
from seamline.wallet import Kind, Policy

SESSIONS = [
    Table(
        "Every command needs a session that is known.",
        """
        bet b1 10.00 snone r1 -> rejected SESSION_UNKNOWN
        balance - snone -> rejected SESSION_UNKNOWN
        authorize - snone -> rejected SESSION_UNKNOWN
        bet b1 10.00 r1 -> rejected SESSION_UNKNOWN
        """,
    ),
    Table(
        "A closed session takes no bets and tells no balance.",
        """
        close s1
        bet b1 10.00 s1 r1 -> rejected SESSION_CLOSED 100.00
        balance - s1 -> rejected SESSION_CLOSED 100.00
        authorize - s1 -> rejected SESSION_CLOSED 100.00
        """,
    ),
    Table(
        "A session ends at the millisecond of its expiry, not before.",
        """
        after 14399s
        bet b1 10.00 s1 r1 -> applied 90.00
        balance - s1 -> applied 90.00
        after 1s
        bet b2 10.00 s1 r2 -> rejected SESSION_EXPIRED 90.00
        bet b1 10.00 s1 r1 -> replayed 90.00
        balance - s1 -> rejected SESSION_EXPIRED 90.00
        """,
    ),
    Table(
        "A barred player neither bets nor is authorised, but is told the balance.",
        """
        status p1 blocked
        bet b1 10.00 s1 r1 -> rejected PLAYER_BLOCKED 100.00
        authorize - s1 -> rejected PLAYER_BLOCKED 100.00
        balance - s1 -> applied 100.00
        status p1 self_excluded
        bet b1 10.00 s1 r1 -> rejected PLAYER_SELF_EXCLUDED 100.00
        authorize - s1 -> rejected PLAYER_SELF_EXCLUDED 100.00
        status p1 closed
        bet b1 10.00 s1 r1 -> rejected PLAYER_CLOSED 100.00
        authorize - s1 -> rejected PLAYER_CLOSED 100.00
        status p1 active
        bet b1 10.00 s1 r1 -> applied 90.00
        authorize - s1 -> applied 90.00
        """,
    ),
    Table(
        "A closed session is named before a barred player, and both before the amount.",
        """
        status p1 blocked
        bet b1 10.123456 s1 r1 -> rejected PLAYER_BLOCKED 100.00
        close s1
        bet b1 10.123456 s1 r1 -> rejected SESSION_CLOSED 100.00
        """,
    ),
    Table(
        "A bet, win or reward in another currency than the session's is refused.",
        """
        bet b1 10.00 s1 r1 in EUR -> rejected CURRENCY 100.00
        bet b1 10.00 s1 r1 in USD -> applied 90.00
        win w1 10.00 s1 r1 in EUR -> rejected CURRENCY 90.00 ! target_foreign
        win w1 10.00 s1 r1 in USD -> applied 100.00
        reward j1 10.00 s1 in BTC -> rejected CURRENCY 100.00
        """,
    ),
]

AMOUNTS = [
    Table(
        "A stake finer than the ledger's scale is refused, never rounded.",
        """
        bet b1 0.00001 s1 r1 -> applied 99.99999
        bet b2 0.000001 s1 r1 -> rejected PRECISION 99.99999
        bet b3 0.000010 s1 r1 -> applied 99.99998
        withdrawal o1 0.000001 for p1 in USD -> rejected PRECISION 99.99998
        deposit d1 0.000001 for p1 in USD -> rejected PRECISION 99.99998
        """,
    ),
    Table(
        "A win finer than the ledger's scale is rounded down, and its dust alerts.",
        """
        bet b1 1.00 s1 r1 -> applied 99.00
        win w1 0.123459 s1 r1 -> applied 99.12345 ! dust
        win w2 0.000009 s1 r1 -> applied 99.12345 ! dust
        reward j1 0.0000019 s1 -> applied 99.12345 ! dust
        """,
    ),
    Table(
        "Currencies have scales of their own.",
        """
        session s3 p1 BTC
        deposit d1 1.00000001 for p1 in BTC -> applied 1.00000001
        bet b1 0.00000001 s3 r1 -> applied 1.00000000
        bet b2 0.000000001 s3 r1 -> rejected PRECISION
        session s4 p1 WHL
        deposit d2 7 for p1 in WHL -> applied 7
        bet b3 0.5 s4 r1 -> rejected PRECISION 7
        bet b4 7.0 s4 r1 -> applied 0
        """,
    ),
    Table(
        "A stake of nothing is recorded.",
        """
        bet b1 0.00 s1 r1 -> applied 100.00
        bet b1 0 s1 r1 -> replayed 100.00
        """,
    ),
    Table(
        "Nothing passes 64 bits: neither an amount nor a balance.",
        """
        session s3 p1 WHL
        bet b1 9223372036854775808 s3 r1 -> rejected AMOUNT_RANGE 0
        win w1 9223372036854775808 s3 r1 -> rejected AMOUNT_RANGE 0
        reward j1 9223372036854775808 s3 -> rejected AMOUNT_RANGE 0
        deposit d1 9223372036854775808 for p1 in WHL -> rejected AMOUNT_RANGE 0
        deposit d1 9223372036854775807 for p1 in WHL -> applied 9223372036854775807
        deposit d2 1 for p1 in WHL -> rejected AMOUNT_RANGE 9223372036854775807
        win w1 1 s3 r1 -> rejected AMOUNT_RANGE 9223372036854775807
        reward j1 1 s3 -> rejected AMOUNT_RANGE 9223372036854775807
        win w1 0 s3 r1 -> applied 9223372036854775807
        """,
    ),
    Table(
        "A refund that would bring the balance out of range is refused, not a fault.",
        """
        session s3 p1 WHL
        deposit d1 9223372036854775800 for p1 in WHL -> applied
        bet b1 10 s3 r1 -> applied 9223372036854775790
        after 1h
        win w1 17 s3 r1 -> applied 9223372036854775807
        refund f1 of b1 s3 r1 -> rejected AMOUNT_RANGE 9223372036854775807
        after 1h
        withdrawal o1 10 for p1 in WHL -> applied 9223372036854775797
        after 1h
        refund f1 of b1 s3 r1 -> applied 9223372036854775807 ! refund_after_win
        """,
    ),
    Table(
        "A bet may take the last unit and not one more.",
        """
        bet b1 100.00001 s1 r1 -> rejected FUNDS 100.00
        bet b1 100.00 s1 r1 -> applied 0.00
        bet b2 0.00001 s1 r1 -> rejected FUNDS 0.00
        """,
    ),
    Table(
        "A free bet needs no money and moves none; its amount must still be readable.",
        """
        bet b1 150.00 s1 r1 free -> applied 100.00
        bet b2 0.000001 s1 r1 free -> rejected PRECISION 100.00
        """,
    ),
]

CASHIER = [
    Table(
        "A deposit opens the player's account in a new currency.",
        """
        deposit d1 5.00 for p1 in EUR -> applied 5.00
        deposit d1 5.00 for p1 in EUR -> replayed 5.00
        p1 has 5.00 EUR
        p1 has 100.00
        """,
    ),
    Table(
        "The cashier needs a known player and one of the brand's currencies.",
        """
        deposit d1 5.00 for p9 in USD -> rejected PLAYER_UNKNOWN
        withdrawal o1 5.00 for p9 in USD -> rejected PLAYER_UNKNOWN
        deposit d1 5.00 for p1 in XXX -> rejected CURRENCY
        withdrawal o1 5.00 for p1 in XXX -> rejected CURRENCY
        withdrawal o1 5.00 for p1 in EUR -> rejected FUNDS
        """,
    ),
    Table(
        "A withdrawal takes what is there, also from players who may not play.",
        """
        withdrawal o1 100.00001 for p1 in USD -> rejected FUNDS 100.00
        status p1 closed
        withdrawal o2 40.00 for p1 in USD -> applied 60.00
        withdrawal o2 40.00 for p1 in USD -> replayed 60.00
        status p1 self_excluded
        withdrawal o3 60.00 for p1 in USD -> applied 0.00
        """,
    ),
    Table(
        "A closed player takes no deposit; a blocked one does.",
        """
        status p1 blocked
        deposit d1 5.00 for p1 in USD -> applied 105.00
        status p1 closed
        deposit d2 5.00 for p1 in USD -> rejected PLAYER_CLOSED 105.00
        """,
    ),
]

LIMITS = [
    Table(
        "A stake may reach the largest stake and not pass it.",
        """
        limits p1 {"currencies": {"USD": {"max_stake": "5.00"}}}
        bet b1 5.00 s1 r1 -> applied 95.00
        bet b2 5.00001 s1 r1 -> rejected STAKE_LIMIT 95.00
        bet b3 50.00 s1 r1 free -> applied 95.00
        bet b4 50.00 s2 r1 -> applied 50.00
        """,
    ),
    Table(
        "The brand's limits and the player's hold both, the player's named first.",
        """
        limits p1 {"currencies": {"USD": {"max_stake": "50.00"}}}
        bet b1 21.00 s1 r1 -> rejected STAKE_LIMIT 100.00
        bet b2 21.00 s2 r1 -> rejected STAKE_LIMIT 100.00
        bet b3 20.00 s1 r1 -> applied 80.00
        limits p1 {"currencies": {"USD": {"max_stake": "5.00"}}}
        bet b4 6.00 s1 r1 -> rejected STAKE_LIMIT 80.00
        bet b5 6.00 s2 r1 -> applied 94.00
        """,
        limits=limits('{"currencies": {"USD": {"max_stake": "20.00"}}}'),
    ),
    Table(
        "A limit is of its currency.",
        """
        limits p1 {"currencies": {"EUR": {"max_stake": "5.00"}}}
        bet b1 50.00 s1 r1 -> applied 50.00
        """,
    ),
    Table(
        "Losses are stakes less wins and refunds, never of free play, rewards or the cashier.",
        """
        limits p1 {"currencies": {"USD": {"loss_day": "20.00"}}}
        bet b1 15.00 s1 r1 -> applied 85.00
        bet b2 6.00 s1 r1 -> rejected LOSS_LIMIT 85.00
        bet b3 5.00 s1 r1 -> applied 80.00
        bet b4 0.01 s1 r1 -> rejected LOSS_LIMIT 80.00
        win w1 3.00 s1 r1 -> applied 83.00
        bet b4 3.00 s1 r2 -> applied 80.00
        refund f4 of b4 s1 r2 -> applied 83.00
        reward j1 9.00 s1 -> applied 92.00
        withdrawal o1 9.00 for p1 in USD -> applied 83.00
        bet b5 3.01 s1 r3 -> rejected LOSS_LIMIT 83.00
        bet b6 9.00 s1 r3 free -> applied 83.00
        bet b7 3.00 s1 r3 -> applied 80.00
        """,
    ),
    Table(
        "A day begins at midnight UTC, in the middle of a session.",
        """
        limits p1 {"currencies": {"USD": {"loss_day": "10.00"}}}
        at 2026-11-18T23:59
        session s3 p1 USD
        bet b1 10.00 s3 r1 -> applied 90.00
        bet b2 1.00 s3 r1 -> rejected LOSS_LIMIT 90.00
        after 1m
        bet b3 10.00 s3 r1 -> applied 80.00
        """,
    ),
    Table(
        "A week is an ISO week: Monday begins it, also across the turn of a year.",
        """
        limits p1 {"currencies": {"USD": {"loss_week": "10.00"}}}
        at 2026-12-31T12:00
        session s3 p1 USD
        bet b1 10.00 s3 r1 -> applied 90.00
        at 2027-01-01T12:00
        session s4 p1 USD
        bet b2 1.00 s4 r1 -> rejected LOSS_LIMIT 90.00
        at 2027-01-03T23:59
        session s5 p1 USD
        bet b3 1.00 s5 r1 -> rejected LOSS_LIMIT 90.00
        after 1m
        bet b4 10.00 s5 r1 -> applied 80.00
        """,
    ),
    Table(
        "A month ends with its last day, in the middle of a week.",
        """
        limits p1 {"currencies": {"USD": {"loss_month": "10.00"}}}
        bet b1 10.00 s1 r1 -> applied 90.00
        at 2026-11-30T23:59
        session s3 p1 USD
        bet b2 1.00 s3 r1 -> rejected LOSS_LIMIT 90.00
        after 1m
        bet b3 10.00 s3 r1 -> applied 80.00
        at 2027-12-01T00:00
        session s4 p1 USD
        bet b4 10.00 s4 r1 -> applied 70.00
        """,
    ),
    Table(
        "A session reaches its time limit at that minute, and only bets are stopped.",
        """
        limits p1 {"session_minutes": 60}
        bet b1 10.00 s1 r1 -> applied 90.00
        after 3599s
        bet b2 10.00 s1 r1 -> applied 80.00
        after 1s
        bet b3 10.00 s1 r1 -> rejected TIME_LIMIT 80.00
        win w1 5.00 s1 r1 -> applied 85.00
        refund f1 of b1 s1 -> applied 95.00 ! refund_after_win
        session s3 p1 USD
        bet b4 10.00 s3 r1 -> applied 85.00
        """,
    ),
    Table(
        "Taking a reward back is no loss.",
        """
        limits p1 {"currencies": {"USD": {"loss_day": "10.00"}}}
        reward j1 9.00 s1 -> applied 109.00
        refund f1 of j1 s1 -> applied 100.00
        bet b1 10.00 s1 r1 -> applied 90.00
        """,
        policy=Policy(reversible=frozenset({Kind.BET, Kind.REWARD})),
    ),
]

TABLES = SESSIONS + AMOUNTS + CASHIER + LIMITS
