"""Players and the cashier."""

import pytest

from kit.command import bet
from seamline.ledger.lane import OVERDUE
from seamline.ledger.ledger import BUSY
from seamline.wallet import Kind, Rejected, Rejection
from unit.edge.api.test_api_door import problem

P1 = "/v1/players/acme/p1"


def transfer(amount="10.00", name="d1", currency="USD"):
    """The body of a deposit or withdrawal."""
    return {"transaction_id": name, "amount": amount, "currency": currency}


def held(rig, player):
    """What the player has in USD."""
    balances = rig.get(f"/v1/players/acme/{player}").json["balances"]
    return {each["currency"]: each["balance"] for each in balances}["USD"]


def test_a_player_is_added_once(rig):
    """201 when new, 200 when the same comes again, 409 when it differs."""
    body = {"brand": "acme", "id": "p1", "country": "MT", "language": "en"}
    first, again = rig.post("/v1/players", body), rig.post("/v1/players", body)
    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    assert first.json == {
        **body,
        "status": "active",
        "limits": {},
        "created_ms": rig.world.now_ms,
        "balances": [],
    }
    problem(rig.post("/v1/players", body | {"country": "SE"}), 409, "player_changed")


def test_a_brand_must_be_known(rig):
    """A brand that the settings do not have is 404, wherever it stands."""
    problem(rig.post("/v1/players", {"brand": "other", "id": "p"}), 404, "brand_unknown")
    problem(rig.get("/v1/players/other/p"), 404, "brand_unknown")
    problem(rig.patch("/v1/players/other/p", {}), 404, "brand_unknown")
    problem(rig.post("/v1/players/other/p/deposits", transfer()), 404, "brand_unknown")


def test_an_unknown_player_is_404(rig):
    """No player, no answer but that."""
    problem(rig.get(P1), 404, "player_unknown")
    problem(rig.patch(P1, {"status": "blocked"}), 404, "player_unknown")
    problem(rig.post(f"{P1}/deposits", transfer()), 404, "player_unknown")
    problem(rig.post(f"{P1}/withdrawals", transfer()), 404, "player_unknown")


def test_a_player_is_changed_where_the_body_says_so(rig):
    """PATCH changes what it names and leaves the rest."""
    rig.player(funds=None)
    limits = {"session_minutes": 60, "currencies": {"USD": {"max_stake": "5.00"}}}
    changed = rig.patch(P1, {"status": "blocked", "limits": limits, "country": "SE"}).json
    assert (changed["status"], changed["limits"], changed["country"]) == ("blocked", limits, "SE")
    again = rig.patch(P1, {"language": "sv"}).json
    assert again == changed | {"language": "sv"}
    assert rig.get(P1).json == again
    assert rig.patch(P1, {"limits": {}}).json["limits"] == {}
    assert rig.patch(P1, {}).json["status"] == "blocked"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"status": "gone"}, 400, "status"),
        ({"status": None}, 400, "status"),
        ({"country": None}, 400, "country"),
        ({"limits": {"session_minutes": 0}}, 400, "limits.session_minutes"),
        ({"limits": {"session_minutes": "60"}}, 400, "limits.session_minutes"),
        ({"limits": {"max_stake": "1"}}, 400, "limits.max_stake"),
        ({"limits": {"currencies": {"USD": {"max": "1"}}}}, 400, "limits.currencies[...].max"),
        (
            {"limits": {"currencies": {"USD": {"loss_day": "1e3"}}}},
            400,
            "limits.currencies[...].loss_day",
        ),
        (
            {"limits": {"currencies": {"USD": {"max_stake": "-1"}}}},
            400,
            "limits.currencies[...].max_stake",
        ),
        ({"limits": {"currencies": {"XXX": {"max_stake": "1"}}}}, 422, "limits.currencies.XXX"),
        (
            {"limits": {"currencies": {"USD": {"max_stake": "9" * 40}}}},
            422,
            "limits.currencies.USD.max_stake",
        ),
        (
            {"limits": {"currencies": {"USD": {"max_stake": "0.000001"}}}},
            422,
            "limits.currencies.USD.max_stake",
        ),
    ],
)
def test_limits_that_no_bet_could_be_measured_by_are_refused(rig, body, status, field):
    """A limit is a plain decimal that the ledger can hold, in a currency of the brand."""
    rig.player(funds=None)
    got = rig.patch(P1, body)
    assert (got.status, got.json["field"]) == (status, field)
    assert rig.get(P1).json["limits"] == {}


def test_limits_reach_the_ledger(funded):
    """A stake above the limit that was set is refused by the ledger."""
    funded.patch(P1, {"limits": {"currencies": {"USD": {"max_stake": "5.00"}}}})
    outcomes = funded.apply(bet("b1", "5.01"), bet("b2", "5.00"))
    assert outcomes[0].why is Rejection.STAKE_LIMIT
    assert outcomes[1].transaction == "txn_2"


# The cashier.


def test_money_goes_in_and_out(rig):
    """A deposit and a withdrawal answer 201, the transaction, and the balance after it."""
    rig.player(funds=None)
    put = rig.post(f"{P1}/deposits", transfer("100.00", "d1"))
    took = rig.post(f"{P1}/withdrawals", transfer("0.00001", "w1"))
    assert (put.status, took.status) == (201, 201)
    assert put.json == {"transaction": "txn_1", "balance": "100.00", "currency": "USD"}
    assert took.json == {"transaction": "txn_2", "balance": "99.99999", "currency": "USD"}
    assert rig.get(P1).json["balances"] == [{"currency": "USD", "balance": "99.99999"}]


@pytest.mark.parametrize("way", ["deposits", "withdrawals"])
def test_the_same_id_moves_money_once(rig, way):
    """The same id again answers 200 with the first answer, and moves nothing."""
    rig.player(funds="50.00")
    first = rig.post(f"{P1}/{way}", transfer())
    again = rig.post(f"{P1}/{way}", transfer("10.0"))
    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    balance = {"deposits": "60.00", "withdrawals": "40.00"}[way]
    assert rig.get(P1).json["balances"][0]["balance"] == balance


@pytest.mark.parametrize(
    ("player", "way", "body"),
    [
        ("p1", "deposits", transfer("10.01")),
        ("p1", "deposits", transfer(currency="EUR")),
        ("p1", "withdrawals", transfer()),
        ("p2", "deposits", transfer()),
    ],
)
def test_a_known_id_with_other_content_is_409(rig, player, way, body):
    """Another amount, currency, direction or player under a known id moves nothing."""
    rig.player("p1")
    rig.player("p2")
    rig.post(f"{P1}/deposits", transfer())
    got = rig.post(f"/v1/players/acme/{player}/{way}", body)
    problem(got, 409, "duplicate_changed")
    assert held(rig, "p2") == "100.00"
    assert held(rig, "p1") == "110.00"


def test_nobody_takes_out_what_is_not_there(rig):
    """A withdrawal above the balance is 409, tells the balance, and may succeed later."""
    rig.player(funds="5.00")
    got = rig.post(f"{P1}/withdrawals", transfer("5.00001", "w1"))
    assert problem(got, 409, "insufficient_funds")["balance"] == "5.00"
    problem(rig.post(f"{P1}/withdrawals", transfer("1", "w2", "EUR")), 409, "insufficient_funds")
    rig.post(f"{P1}/deposits", transfer("1", "d1"))
    assert rig.post(f"{P1}/withdrawals", transfer("5.00001", "w1")).status == 201


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (transfer("0"), 422, "amount_range", "amount"),
        (transfer("0.000"), 422, "amount_range", "amount"),
        (transfer("0.000001"), 422, "precision", "amount"),
        (transfer("9" * 60), 422, "amount_range", "amount"),
        (transfer("-1"), 400, "malformed", "amount"),
        (transfer("1e3"), 400, "malformed", "amount"),
        (transfer("1."), 400, "malformed", "amount"),
        (transfer("01"), 400, "malformed", "amount"),
        (transfer(" 1"), 400, "malformed", "amount"),
        (transfer("1\n"), 400, "malformed", "amount"),
        (transfer("\u0661"), 400, "malformed", "amount"),
        (transfer("1" * 65), 400, "malformed", "amount"),
        (transfer(10), 400, "malformed", "amount"),
        (transfer(10.5), 400, "malformed", "amount"),
        (transfer(None), 400, "malformed", "amount"),
        (transfer(name=""), 400, "malformed", "transaction_id"),
        (transfer(name=None), 400, "malformed", "transaction_id"),
        (transfer(name=7), 400, "malformed", "transaction_id"),
        ({"amount": "1", "currency": "USD"}, 400, "malformed", "transaction_id"),
        (transfer(currency="usd"), 422, "currency_unknown", None),
        (transfer(currency="XXX"), 422, "currency_unknown", None),
    ],
)
def test_a_transfer_is_exact_and_has_an_id(rig, body, status, code, field):
    """Amounts are plain decimals above zero that the ledger holds exactly; ids are never empty."""
    rig.player()
    told = problem(rig.post(f"{P1}/deposits", body), status, code)
    assert told.get("field") == field
    assert len(rig.get("/v1/transactions").json["items"]) == 1


def test_a_closed_player_gets_no_deposits(rig):
    """Money does not go to a closed player, but comes out."""
    rig.player()
    rig.patch(P1, {"status": "closed"})
    problem(rig.post(f"{P1}/deposits", transfer()), 409, "player_closed")
    assert rig.post(f"{P1}/withdrawals", transfer(name="w1")).status == 201


def test_what_may_still_come_is_not_called_refused(rig):
    """A payout without an outcome may be debited yet: whoever asked must look, not cancel."""

    class Hanging:
        async def apply(self, _command):
            return OVERDUE

    rig.swap(ledger=Hanging())
    told = problem(rig.post(f"{P1}/withdrawals", transfer()), 504, "outcome_unknown")
    assert told["detail"] == "the store did not answer in time"


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(BUSY, "busy"), (Rejected(why=Rejection.UNAVAILABLE, detail="disk full"), "unavailable")],
)
def test_a_full_gateway_says_when_to_come_back(rig, outcome, code):
    """What is refused because there is no room or no disk is 503 with Retry-After."""
    asked = []

    class Full:
        async def apply(self, command):
            asked.append(command)
            return outcome

    rig.swap(ledger=Full())
    got = rig.post(f"{P1}/deposits", transfer())
    problem(got, 503, code)
    assert got.headers["retry-after"] == "1"
    assert (asked[0].kind, asked[0].key, str(asked[0].amount)) == (Kind.DEPOSIT, "d1", "10.00")
