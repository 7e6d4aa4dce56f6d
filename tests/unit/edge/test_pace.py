"""How often one player may ask."""

from seamline.edge.pace import Pace


def test_the_window_slides():
    """As many as are allowed in any span, and one more once the first has left it."""
    pace = Pace(2, 1_000)
    assert [pace.admits("p1", at) for at in (0, 400, 999, 1_000, 1_100, 1_400)] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]


def test_players_do_not_slow_each_other():
    """Everybody has a window of their own."""
    pace = Pace(1, 1_000)
    assert pace.admits("p1", 0)
    assert pace.admits("p2", 0)
    assert not pace.admits("p1", 1)


def test_who_is_gone_is_forgotten():
    """Memory holds who asked within the last two windows, not everybody who ever did."""
    pace = Pace(1, 1_000)
    for at in range(100):
        pace.admits(f"p{at}", at * 1_000)
    assert len(pace._asked) <= 2
