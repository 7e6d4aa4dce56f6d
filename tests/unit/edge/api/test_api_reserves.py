"""Operations with money in them: reserved, asked, and given back, kept or settled."""

import asyncio

import msgspec
import pytest
from structlog.testing import capture_logs

from seamline.dialects.dialect import Reply, VendorError
from seamline.ledger.registry import Registry
from seamline.ledger.store import StoreUnavailable
from seamline.wallet import Kind, Rejected, Rejection, beside
from unit.edge.api.operator_rig import BuyAsk, reserve_price
from unit.edge.api.test_api_door import problem

BUY = "/v1/integrations/swipe/operations/buy"
CASH = "/v1/integrations/swipe/operations/cash"
#: No vendor is given that long.
LONG_MS = 60_000


def buy(rig, key="t1", price="30.00", **members):
    """Buy a box."""
    return rig.post(BUY, {"transaction_id": key, "price": price} | members)


def balance(rig):
    """What player p1 has."""
    return rig.get("/v1/players/acme/p1").json["balances"][0]["balance"]


def rows(rig):
    """What was done since the deposit, oldest first: key and amount."""
    listed = rig.get("/v1/transactions?brand=acme&player=p1").json["items"]
    return [(each["key"], each["amount"]) for each in reversed(listed)][1:]


def alerts(rig, state="open"):
    """The alerts in that state: what each is, and about which key."""
    listed = rig.get(f"/v1/alerts?state={state}").json["items"]
    return [(each["alert"], each["key"]) for each in listed]


def test_the_price_leaves_before_the_vendor_is_asked(funded):
    """A vendor that calls back while it is being asked finds the money gone, durably."""
    seen = []

    async def look():
        with funded.world.store.reader() as reader:
            seen.append(reader.player("acme", "p1")[1][0].balance)

    funded.vendor.meanwhile = look
    funded.vendor.answers(200, {"prize": "202"})
    got = buy(funded)
    assert got.status == 200
    assert seen == [70_00000]
    assert got.json["answer"] == {"prize": "202"}
    assert got.json["reserved"].startswith("txn_")
    assert (got.json["settled"], got.json["balance"], got.json["currency"]) == (
        None,
        "70.00",
        "USD",
    )
    assert rows(funded)[0] == ("buy/t1", "30.00")


def test_what_was_agreed_is_paid(funded):
    """What the vendor agrees to is settled after it, in a transaction of its own."""
    funded.vendor.answers(200, {})
    got = buy(funded, gift="50.00")
    assert got.json["settled"] not in (None, got.json["reserved"])
    assert got.json["balance"] == balance(funded) == "120.00"


@pytest.mark.parametrize("price", ["100.01", "1000.00"])
def test_who_cannot_pay_asks_nobody(funded, price):
    """A reserve that the ledger refuses is a problem with the balance; the vendor is not asked."""
    told = problem(buy(funded, price=price), 409, "insufficient_funds")
    assert told["balance"] == "100.00"
    assert funded.vendor.asked == []


def test_what_the_vendor_would_refuse_reserves_nothing(funded):
    """An ask that the dialect knows to be wrong moves no money, whichever part of it says so."""
    for members, field in (({"platform": "fridge"}, "platform"), ({"price": "free"}, "price")):
        told = problem(buy(funded, **members), 422, "vendor_refused")
        assert told["field"] == field
    assert (funded.vendor.asked, rows(funded)) == ([], [])


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_refusal_gives_the_money_back(funded, status):
    """The vendor certainly did nothing: the reserve comes back, with the vendor's words."""
    funded.vendor.answers(status)
    told = problem(buy(funded), 502 if status == 401 else 422, "vendor_refused")
    assert (told["outcome"], told["vendor_status"]) == ("returned", status)
    assert told["transaction"].startswith("txn_")
    assert rows(funded) == [("buy/t1", "30.00"), (beside("returned", "buy/t1"), "30.00")]
    assert (balance(funded), alerts(funded)) == ("100.00", [])


def test_the_same_again_asks_nobody(funded):
    """A known transaction id never asks the vendor again; other content is told apart."""
    funded.vendor.answers(200, {"prize": "202"})
    first = buy(funded)
    told = problem(buy(funded), 409, "operation_repeated")
    assert told["transaction"] == first.json["reserved"]
    assert (told["outcome"], told["answer"]) == ("done", '{"prize":"202"}')
    problem(buy(funded, price="31.00"), 409, "duplicate_changed")
    assert len(funded.vendor.asked) == 1
    assert balance(funded) == "70.00"


def test_the_same_at_once_asks_once(funded):
    """While the vendor is being asked, the same id is told so, and moves nothing."""
    seen = []

    async def again():
        funded.vendor.meanwhile = None
        body = msgspec.json.encode({"transaction_id": "t1", "price": "30.00"})
        seen.append(await funded.asking("POST", BUY, body))

    funded.vendor.meanwhile = again
    funded.vendor.answers(200, {"prize": "202"})
    assert buy(funded).status == 200
    assert problem(seen[0], 409, "operation_repeated")["outcome"] == "asking"
    assert len(funded.vendor.asked) == 1


def test_what_is_being_asked_can_be_seen(funded):
    """While the vendor is asked an alert stands, for who kills the gateway now; then it is over."""
    seen = []

    async def look():
        funded.vendor.meanwhile = None
        answer = await funded.asking("GET", "/v1/alerts?state=open", b"")
        seen.extend((each["alert"], each["key"]) for each in answer.json["items"])

    funded.vendor.meanwhile = look
    funded.vendor.answers(200, {"prize": "202"})
    assert buy(funded).status == 200
    assert seen == [("notice", "buy/t1")]
    assert (alerts(funded), alerts(funded, "resolved")) == ([], [("notice", "buy/t1")])


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt()])
def test_who_is_stopped_while_asking_leaves_a_trace(funded, error):
    """The vendor may have acted: the money stays where it is, and the alert stands."""

    async def stopped():
        funded.vendor.meanwhile = None
        raise error

    funded.vendor.meanwhile = stopped
    with pytest.raises(type(error)):
        buy(funded)
    assert balance(funded) == "70.00"
    assert ("notice", "buy/t1") in alerts(funded)


def test_an_alert_that_cannot_be_closed_hides_no_answer(funded, monkeypatch):
    """What the vendor said is told, though the store is away by then."""

    async def away():
        funded.vendor.meanwhile = None
        monkeypatch.setattr(Registry, "close_alert", unavailable)

    def unavailable(*_):
        raise StoreUnavailable("no space")

    funded.vendor.meanwhile = away
    funded.vendor.answers(200, {"prize": "202"})
    with capture_logs() as logs:
        assert buy(funded).json["answer"] == {"prize": "202"}
    assert alerts(funded) == [("notice", "buy/t1")]
    assert "alert_left_open" in [each["event"] for each in logs]


def cash(rig, key="t1", gift="5.00"):
    """Give a box back for a gift."""
    return rig.post(CASH, {"transaction_id": key, "price": "0", "gift": gift})


def test_a_settlement_alone_is_paid_once(funded):
    """Without a reserve the vendor is asked once too; the same id is told that it is done."""
    funded.vendor.answers(200, {})
    assert cash(funded).status == 200
    assert problem(cash(funded), 409, "operation_repeated")["outcome"] == "done"
    assert (balance(funded), len(funded.vendor.asked)) == ("105.00", 1)
    assert ("gift/t1", "5.00") in rows(funded)
    assert alerts(funded) == []


def test_a_settlement_that_nobody_knows_of_is_looked_at(funded):
    """Silence pays nothing and alerts a person; the same id asks nobody, whatever it would say."""
    funded.vendor.reply = TimeoutError()
    told = problem(cash(funded), 504, "outcome_unknown")
    assert told["outcome"] == "unknown"
    assert alerts(funded) == [("notice", beside("unknown", "gift/t1"))]
    funded.vendor.answers(200, {})
    assert problem(cash(funded), 409, "operation_repeated")["outcome"] == "unknown"
    assert (balance(funded), len(funded.vendor.asked)) == ("100.00", 1)


def test_a_settlement_that_was_refused_can_be_asked_again(funded):
    """A clear refusal leaves nothing: the same id is asked again, and paid when it is agreed to."""
    funded.vendor.answers(404)
    problem(cash(funded), 422, "vendor_refused")
    assert alerts(funded) == []
    funded.vendor.answers(200, {})
    assert cash(funded).status == 200
    assert balance(funded) == "105.00"


def test_a_settlement_is_asked_for_by_one_at_a_time(funded):
    """While the vendor is asked, and after a refusal while it is asked again, nobody else asks."""
    seen = []

    async def again():
        funded.vendor.meanwhile = None
        body = msgspec.json.encode({"transaction_id": "t1", "price": "0", "gift": "5.00"})
        seen.append(await funded.asking("POST", CASH, body))

    for turn in (1, 2, 3):
        funded.vendor.meanwhile = again
        funded.vendor.answers(404)
        problem(cash(funded), 422, "vendor_refused")
        assert problem(seen.pop(), 409, "operation_repeated")["outcome"] == "asking"
        assert len(funded.vendor.asked) == turn
    assert (balance(funded), alerts(funded)) == ("100.00", [])


def test_a_settlement_without_a_fate_is_looked_at(funded, monkeypatch):
    """A gateway that was stopped while it asked pays nothing, and nobody asks the vendor again."""

    async def killed():
        raise KeyboardInterrupt

    monkeypatch.setattr(funded.vendor, "meanwhile", killed)
    with pytest.raises(KeyboardInterrupt):
        cash(funded)
    funded.vendor.meanwhile = None
    assert problem(cash(funded), 409, "operation_repeated")["outcome"] == "asking"
    funded.world.now_ms += LONG_MS
    assert problem(cash(funded), 409, "operation_repeated")["outcome"] == "unknown"
    assert alerts(funded) == [("notice", beside("unknown", "gift/t1"))]
    assert (balance(funded), len(funded.vendor.asked)) == ("100.00", 1)


def test_a_vendor_error_says_whether_nothing_was_done():
    """A 4xx is certain, anything else is not, unless the dialect knows better."""
    assert VendorError("no", status=404).refused
    assert not VendorError("no", status=500).refused
    assert not VendorError("no", status=200).refused
    assert not VendorError("no").refused
    assert VendorError("no", status=200, refused=True).refused
    assert not VendorError("no", status=429, refused=False).refused


UNHEARD = [
    (Reply(500), 502),
    (Reply(503), 502),
    (Reply(302), 502),
    (TimeoutError("no reply"), 504),
    (ConnectionError("reset"), 502),
]


@pytest.mark.parametrize(("reply", "status"), UNHEARD)
def test_what_nobody_knows_keeps_the_money(funded, reply, status):
    """Trouble, silence and a broken line keep the reserve, ask nobody again, and alert a person."""
    funded.vendor.reply = reply
    told = problem(buy(funded), status, "outcome_unknown")
    assert told["outcome"] == "unknown"
    assert told["transaction"].startswith("txn_")
    assert balance(funded) == "70.00"
    assert alerts(funded) == [("notice", beside("unknown", "buy/t1"))]
    assert len(funded.vendor.asked) == 1
    again = problem(buy(funded), 409, "operation_repeated")
    assert (again["outcome"], again["transaction"]) == ("unknown", told["transaction"])
    assert len(funded.vendor.asked) == 1
    assert len(alerts(funded)) == 1


def test_an_answer_that_cannot_be_read_keeps_the_money(funded, capsys):
    """A dialect that fails on the answer is a fault of ours; the reserve is kept with an alert."""
    funded.vendor.reply = Reply(200, b"[")
    problem(buy(funded), 500, "fault")
    assert (balance(funded), alerts(funded)) == ("70.00", [("notice", beside("unknown", "buy/t1"))])
    capsys.readouterr()


def test_a_returned_reserve_is_told_as_that(funded):
    """Whoever asks again after a refusal hears that the money came back; nobody is asked."""
    funded.vendor.answers(404)
    buy(funded)
    told = problem(buy(funded), 409, "operation_repeated")
    assert told["outcome"] == "returned"
    assert (balance(funded), len(funded.vendor.asked)) == ("100.00", 1)


def test_a_reserve_without_a_fate_is_looked_at(funded):
    """A gateway that was stopped while it asked leaves a reserve; asking again alerts a person.

    Not before its time is over: until then another gateway may be waiting for the vendor.
    """
    ask = BuyAsk(transaction_id="t1", price="30.00")
    funded.apply(reserve_price(ask, funded.world.gateway.connections["swipe"].integration))
    assert problem(buy(funded), 409, "operation_repeated")["outcome"] == "asking"
    assert alerts(funded) == []
    funded.world.now_ms += LONG_MS
    told = problem(buy(funded), 409, "operation_repeated")
    assert told["outcome"] == "unknown"
    assert alerts(funded) == [("notice", beside("unknown", "buy/t1"))]
    assert funded.vendor.asked == []


def test_a_settlement_that_is_refused_is_looked_at(funded):
    """The vendor agreed and the ledger did not pay: a problem, and an alert for a person."""
    funded.vendor.answers(200, {})
    problem(cash(funded, gift="99999999999999999"), 422, "amount_range")
    assert alerts(funded) == [("notice", beside("unpaid", "gift/t1"))]
    assert balance(funded) == "100.00"


def test_a_refusal_that_cannot_be_paid_back_is_looked_at(funded, monkeypatch):
    """Where the reserve could not be given back it is said so, and a person is alerted."""
    real = funded.world.ledger.apply

    async def apply(command):
        if command.kind is Kind.REFUND:
            return Rejected(why=Rejection.UNAVAILABLE, detail="the disk is full")
        return await real(command)

    monkeypatch.setattr(funded.world.ledger, "apply", apply)
    funded.vendor.answers(404)
    told = problem(buy(funded), 503, "unavailable")
    assert told["outcome"] == "kept"
    assert alerts(funded) == [("notice", beside("unreturned", "buy/t1"))]


@pytest.mark.parametrize(
    ("refused", "left"),
    [
        ({Kind.REWARD, Kind.WIN}, beside("unpaid", "gift/t1")),
        ({Kind.REWARD, Kind.WIN, Kind.NOTICE}, beside("asking", "gift/t1")),
    ],
)
def test_what_was_agreed_and_not_paid_is_always_looked_at(funded, monkeypatch, refused, left):
    """Also where the queue was full just then: an alert stands, if only that it was asked."""
    real, asked = funded.world.ledger.apply, []

    async def apply(command):
        if command.kind in refused and asked:
            return Rejected(why=Rejection.BUSY)
        return await real(command)

    async def full():
        asked.append(1)

    monkeypatch.setattr(funded.world.ledger, "apply", apply)
    funded.vendor.meanwhile = full
    funded.vendor.answers(200, {})
    problem(cash(funded), 503, "busy")
    assert balance(funded) == "100.00"
    assert alerts(funded) == [("notice", left)]


def test_what_cannot_be_noted_is_logged(funded, monkeypatch, capsys):
    """A notice that the ledger does not take leaves its words in the log, and changes nothing."""
    real = funded.world.ledger.apply

    async def apply(command):
        if command.kind is Kind.NOTICE:
            return Rejected(why=Rejection.BUSY)
        return await real(command)

    monkeypatch.setattr(funded.world.ledger, "apply", apply)
    funded.vendor.answers(200, {"prize": "202"})
    assert buy(funded).status == 200
    funded.vendor.reply = TimeoutError()
    problem(buy(funded, "t2"), 504, "outcome_unknown")
    assert capsys.readouterr().out.count("operation_not_noted") == 2


def test_a_transaction_is_found_by_its_key(funded):
    """The list can be asked for one key of an integration; a key alone does not say whose."""
    funded.vendor.answers(200, {"prize": "202"})
    buy(funded)
    listed = funded.get("/v1/transactions?integration=swipe&key=done%1Fbuy/t1").json["items"]
    assert [(each["kind"], each["reference"]) for each in listed] == [("notice", '{"prize":"202"}')]
    assert funded.get("/v1/transactions?integration=swipe&key=x").json["items"] == []
    assert funded.get("/v1/transactions?integration=local&key=buy/t1").json["items"] == []
    problem(funded.get("/v1/transactions?key=buy/t1"), 400, "malformed")
