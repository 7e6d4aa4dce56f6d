"""Which call a request is: by method and path, by a pattern, or by what its body says."""

import msgspec
import pytest

from seamline.dialects.dialect import Call, Dialect, Refused, Request
from seamline.edge.gateway import Connection
from seamline.edge.routes import Routes
from seamline.ledger.rows import Terms
from seamline.wallet import Integration, Policy, Rejection


class Options(msgspec.Struct, frozen=True):
    """Nothing to choose but a path."""

    bet: str = "/bet"


def call(name, path, **fields):
    """A call that is never made."""
    unused = dict.fromkeys(("read", "write", "compose", "judge"))
    return Call(name=name, method="POST", path=path, **unused, **fields)


def routes(*calls, options=None, policy=Policy(), **fields):  # noqa: B008 - a frozen value
    """The routes of one integration named `swipe`."""
    unused = dict.fromkeys(("verify", "sign", "trials", "signature_header", "refuse", "sandbox"))
    dialect = Dialect(
        name="plain",
        title="Plain Games",
        document="none 1.0",
        options=Options,
        policy=lambda _: policy,
        session_ms=lambda _: 1,
        calls=calls,
        secret_headers=frozenset(),
        **unused,
        **fields,
    )
    integration = Integration(
        name="swipe", brand="acme", dialect="plain", options=options or Options()
    )
    terms = Terms(integration="swipe", brand="acme", policy=policy, currencies=frozenset())
    connection = Connection(integration=integration, dialect=dialect, terms=terms)
    return Routes({"swipe": connection}, body_limit=100)


def found(made, path, method="POST"):
    """The name of the call of a path below the integration; None for a path that is none."""
    route = made.find(method, f"/callbacks/swipe{path}")
    return route.call.name if route.call is not None else None


def test_calls_that_share_a_place_are_told_apart_by_the_dialect():
    """The dialect names the call; until then the place is none of them."""

    def which(request, _integration):
        if request.body == b"?":
            raise Refused(Rejection.CALL_UNKNOWN)
        return request.body.decode()

    made = routes(call("bet", ""), call("win", "", body_limit=500), which=which)
    route = made.find("POST", "/callbacks/swipe")
    assert route.call is None
    assert route.body_limit == 500
    assert route.of(Request("POST", "", body=b"win")).call.name == "win"
    with pytest.raises(Refused):
        route.of(Request("POST", "", body=b"?"))
    assert made.methods("/callbacks/swipe") == ["POST"]


def test_a_call_alone_at_its_place_needs_no_name():
    """Where paths tell the calls apart, the body is not asked."""
    made = routes(call("bet", "/bet"), call("win", "/win"))
    assert [found(made, path) for path in ("/bet", "/win", "/tip")] == ["bet", "win", None]
    route = made.find("POST", "/callbacks/swipe/bet")
    assert route.of(Request("POST", "/bet")) is route


def test_options_may_choose_other_places():
    """A call that the options move is found there and nowhere else."""
    moved = routes(
        call("bet", "/bet"),
        call("win", "/win"),
        options=Options(bet="/users/{id}/bets"),
        routes=lambda options: {"bet": ("PUT", options.bet)},
    )
    assert found(moved, "/users/p1/bets", "PUT") == "bet"
    for method, path in (("PUT", "/users/p1/x/bets"), ("PUT", "/users//bets"), ("POST", "/bet")):
        assert found(moved, path, method) is None
    assert found(moved, "/win") == "win"
    assert moved.methods("/callbacks/swipe/users/p1/bets") == ["PUT"]


def test_a_pattern_is_only_its_segments():
    """What else stands in a path is meant as it is written."""
    made = routes(call("bet", "/v1.0/{id}"))
    assert found(made, "/v1.0/7") == "bet"
    assert found(made, "/v1x0/7") is None


def test_players_of_an_integration_share_no_pace_with_others():
    """The pace is the integration's policy, and the same for all of its calls."""
    made = routes(call("bet", "/bet"), call("win", "/win"), policy=Policy(pace=(1, 1_000)))
    bet, win = (made.find("POST", f"/callbacks/swipe{path}") for path in ("/bet", "/win"))
    assert bet.pace is win.pace is not None
    assert routes(call("bet", "/bet")).find("POST", "/callbacks/swipe/bet").pace is None


def test_nobody_is_found_for_a_strange_path():
    """A path of no integration has no route."""
    assert routes(call("bet", "/bet")).find("POST", "/callbacks/other/bet") is None
