"""Tables of bonuses that were given or paid, of refusals noted, and of bets that are overdue."""

from kit.table import Table
from seamline.wallet import Kind, Policy

REWARDS = [
    Table(
        "What is kept beside a key is found by no id of a vendor's, whatever words it begins with.",
        """
        refund f1 of b1 s1 -> applied 100.00
        bet tombstone/b1 10.00 s1 r2 -> applied 90.00
        refund f2 of tombstone/b1 s1 -> applied 100.00
        bet b2 1000.00 s1 r3 -> rejected FUNDS 100.00
        bet refused/b2 10.00 s1 r4 -> applied 90.00
        refund overdue/b3 of refused/b2 s1 -> applied 100.00
        """,
        Policy(noted_refusals=frozenset({Kind.BET})),
    ),
    Table(
        "A claim is paid twice with an alert where the policy says so.",
        """
        reward j1 5.00 s1 claim c1 -> applied 105.00
        reward j1 5.00 s1 claim c1 -> replayed 105.00
        reward j2 5.00 s1 claim c1 -> applied 110.00 ! second_payout
        reward j3 5.00 s1 claim c2 -> applied 115.00
        reward j4 5.00 s2 claim c1 -> applied 105.00
        """,
    ),
    Table(
        "A claim of one for all is paid to one player, in one currency, whatever was undone of it.",
        """
        session s7 p1 EUR
        reward j1 5.00 s1 claim c1 -> applied 105.00
        reward j1 5.00 s1 claim c1 -> replayed 105.00
        reward j2 5.00 s1 claim c1 -> rejected ALREADY_CLAIMED 105.00 ! second_payout
        reward j3 5.00 s2 claim c1 -> rejected ALREADY_CLAIMED 100.00 ! second_payout
        reward j4 5.00 s7 claim c1 -> rejected ALREADY_CLAIMED 0.00 ! second_payout
        refund f1 of j1 s1 -> applied 100.00
        reward j5 5.00 s2 claim c1 -> rejected ALREADY_CLAIMED 100.00 ! second_payout
        reward j6 5.00 s2 claim c2 -> applied 105.00
        bet claim/c3 5.00 s2 r1 -> applied 100.00
        reward j7 5.00 s2 claim c3 -> applied 105.00
        """,
        Policy(
            claimants="one", second_claim="reject", reversible=frozenset({Kind.BET, Kind.REWARD})
        ),
    ),
    Table(
        "A claim of one for all is paid again with an alert where the policy says so.",
        """
        reward j1 5.00 s1 claim c1 -> applied 105.00
        reward j2 5.00 s2 claim c1 -> applied 105.00 ! second_payout
        reward j3 5.00 s2 claim c1 -> applied 110.00 ! second_payout
        """,
        Policy(claimants="one"),
    ),
    Table(
        "A second payment of a claim is rejected where the policy says so.",
        """
        reward j1 5.00 s1 claim c1 -> applied 105.00
        reward j2 5.00 s1 claim c1 -> rejected ALREADY_CLAIMED 105.00 ! second_payout
        reward j3 5.00 s2 claim c1 -> applied 105.00
        reward j4 5.00 s1 -> applied 110.00
        """,
        Policy(second_claim="reject"),
    ),
    Table(
        "A claim is paid once also when rewards name the player and no session.",
        """
        reward j1 5.00 for p1 in USD claim c1 -> applied 105.00
        reward j2 5.00 for p1 in USD claim c1 -> rejected ALREADY_CLAIMED 105.00 ! second_payout
        reward j3 5.00 s1 claim c1 -> rejected ALREADY_CLAIMED 105.00 ! second_payout
        """,
        Policy(second_claim="reject"),
    ),
]

CAMPAIGNS = [
    Table(
        "A reward is held against what was given: to whom, how much, and whether it still stands.",
        """
        grant c1 p1 g1 5.00
        reward j1 5.00 s1 campaign c1 claim c1 -> applied 105.00
        reward j2 1.00 s2 campaign c1 claim c1 -> rejected CAMPAIGN 100.00
        reward j3 1.00 s1 campaign c9 -> applied 106.00 ! campaign_unknown
        grant c2 p1 g1 5.00
        reward j4 6.00 s1 campaign c2 -> applied 112.00 ! campaign_unknown
        grant c3 p1 g1
        cancel c3
        reward j5 6.00 s1 campaign c3 -> rejected CAMPAIGN 112.00
        reward j6 1.00 s1 -> applied 113.00
        """,
        Policy(campaigns="checked", second_claim="reject"),
    ),
    Table(
        "A reward of a campaign that nobody gave is refused where policy says so.",
        """
        reward j1 1.00 s1 campaign c9 -> rejected CAMPAIGN 100.00
        """,
        Policy(campaigns="checked", unknown_campaign="reject"),
    ),
    Table(
        "A free round of a campaign that the wire does not name is of the oldest that fits.",
        """
        bet b0 1.00 s1 r1 free campaign - -> applied 100.00 ! campaign_unknown
        grant c1 p1 g1
        bet b1 1.00 s1 r1 free campaign - -> applied 100.00
        reward j1 2.00 s1 campaign - -> applied 102.00
        reward j2 2.00 s1 -> applied 104.00
        bet b2 1.00 s2 r1 free campaign - -> applied 100.00 ! campaign_unknown
        cancel c1
        reward j3 1.00 s1 campaign - -> applied 105.00 ! campaign_unknown
        """,
        Policy(campaigns="attributed"),
    ),
]

ANY_GAME = [
    Table(
        "Where a round is known by its name alone, it goes on in another game.",
        """
        bet b1 10.00 s1 r1 game g1 -> applied 90.00
        win w1 5.00 s1 r1 game g2 -> applied 95.00
        bet b2 10.00 s1 r2 -> applied 85.00
        win w2 5.00 s1 r2 game g2 -> applied 90.00
        win w3 5.00 s2 r2 game g2 -> rejected TARGET_UNKNOWN 100.00 ! win_without_bet
        """,
        Policy(round_game="any", win_without_bet="reject"),
    ),
    Table(
        "A refund that names another round or session is the same one, where its target decides.",
        """
        session s3 p1 USD
        bet b1 10.00 s1 r1 -> applied 90.00
        refund f1 of b1 s1 r1 -> applied 100.00
        refund f1 of b1 s1 r9 -> replayed 100.00
        refund f1 of b1 s3 -> replayed 100.00
        refund f1 of b9 s1 -> rejected DUPLICATE_CHANGED 100.00 ! duplicate_changed
        """,
        Policy(refund_fingerprint=("kind", "target")),
    ),
]

NOTED = [
    Table(
        "The first refusal of a bet can be asked for; when it comes again it is decided afresh.",
        """
        bet b1 150.00 s1 r1 -> rejected FUNDS 100.00
        status - of b1 -> applied refused
        bet b1 150.00 s1 r1 -> rejected FUNDS 100.00
        deposit d1 100.00 for p1 in USD -> applied 200.00
        bet b1 150.00 s1 r1 -> applied 50.00
        status - of b1 -> applied open
        bet b2 1.00 snone r1 -> rejected SESSION_UNKNOWN
        status - of b2 -> rejected TARGET_UNKNOWN
        win w1 5.00 s1 r3 of b3 -> rejected TARGET_UNKNOWN 50.00 ! win_without_bet
        """,
        Policy(noted_refusals=frozenset({Kind.BET}), win_without_bet="reject"),
    ),
]

OVERDUE = [
    Table(
        "A bet is undone as overdue unless its vendor heard meanwhile that it stands; never both.",
        """
        bet b1 10.00 s1 r1 -> applied 90.00
        bet b1 10.00 s1 r1 -> replayed 90.00
        bet b1 10.00 s1 r1 -> replayed 90.00
        refund overdue^b1 of b1 s1 r1 -> rejected TARGET_SETTLED 90.00 ! overdue_bet_stands
        bet b2 10.00 s1 r2 -> applied 80.00
        status - of b2 s1 -> applied open
        refund overdue^b2 of b2 s1 r2 -> rejected TARGET_SETTLED 80.00 ! overdue_bet_stands
        bet b3 10.00 s1 r3 -> applied 70.00
        refund overdue^b3 of b3 s1 r3 -> applied 80.00
        refund overdue^b3 of b3 s1 r3 -> replayed 80.00
        bet b3 10.00 s1 r3 -> rejected REFUNDED_BEFORE 80.00
        status - of b3 s1 -> applied refunded
        refund f1 of b1 s1 r1 -> applied 90.00
        bet b1 10.00 s1 r1 -> replayed 90.00
        """,
        Policy(overdue_bet="undo"),
    ),
]

TABLES = [*REWARDS, *CAMPAIGNS, *ANY_GAME, *NOTED, *OVERDUE]
