"""Several vendors over one ledger: one purse for all, and ids, sessions and rounds for each."""

import asyncio
from itertools import combinations_with_replacement

import msgspec
import pytest

from kit.gateway import GatewayRig
from kit.vendor import Vendor
from seamline.dialects import dialects
from seamline.wallet import Kind, Verdict

NAMES = sorted(dialects())
#: Every two integrations: of two dialects, or twice of one.
PAIRS = [(one, f"second-{other}") for one, other in combinations_with_replacement(NAMES, 2)]


@pytest.fixture(scope="module")
def rig(shared_place):
    """A gateway with two integrations of each dialect."""
    made = GatewayRig(shared_place, second=True).serve()
    yield made
    made.close()


@pytest.fixture(params=PAIRS, ids="-".join)
def two(rig, request):
    """Two vendors with one player between them; the books are audited afterwards."""
    one, other = (Vendor(rig, name) for name in request.param)
    one.sit_down()
    other.sit_down(player=one.player)
    yield one, other
    rig.audit()


def test_one_purse_for_all_vendors(two):
    """What one vendor takes the other cannot, and each tells the same balance."""
    one, other = two
    one.done(one.bet("60.00"))
    other.refused(other.bet("40.01"))
    other.done(other.bet("40.00"))
    one.refused(one.bet("0.01"))
    assert one.balance() == "0.00"


def test_vendors_at_once_lose_no_update(two):
    """Bets and wins of two vendors at once on one account add up."""
    for vendor in two:
        vendor.needs(Kind.WIN)
    one, said = two[0], []
    for vendor in two:
        commands = [vendor.bet("1.00") for _ in range(10)]
        commands += [vendor.owed(Kind.WIN, "1.50") for _ in range(10)]
        said += [(vendor, each) for each in commands]
    prepared, said = len(one.moved()), said[::2] + said[1::2]
    replies = one.doors.run(at_once(one.doors, said))
    heard = [
        vendor.judged((each,), reply) for (vendor, each), reply in zip(said, replies, strict=True)
    ]
    assert {each.verdict for each in heard} == {Verdict.DONE}
    assert one.balance() == "110.00"
    assert len(one.moved()) - prepared == 40


async def at_once(rig, said):
    """The replies to commands of several vendors at once."""
    requests = [(vendor.name, vendor.compose(command)) for vendor, command in said]
    return await asyncio.gather(*(rig.exchange(name, each) for name, each in requests))


def test_an_id_is_known_to_its_own_integration_only(two):
    """The same id at two integrations is two bets; undoing one leaves the other."""
    one, other = two
    bet = one.bet("10.00")
    one.done(bet)
    if one.speaks != other.speaks:
        pytest.skip("ids of two dialects do not meet")
    same = msgspec.structs.replace(bet, integration=other.name, session=other.session)
    other.done(same)
    assert one.balance() == "80.00"
    other.needs(Kind.REFUND)
    other.done(other.refund(same))
    assert one.balance() == "90.00"
    one.done(one.refund(bet))
    assert one.balance() == "100.00"


def test_a_refund_finds_bets_of_its_own_integration_only(two):
    """A refund that names another integration's bet undoes nothing of it."""
    one, other = two
    other.needs(Kind.REFUND)
    if one.speaks != other.speaks:
        pytest.skip("ids of two dialects do not meet")
    bet = one.bet("10.00")
    one.done(bet)
    other.send(other.refund(bet, session=other.session, integration=other.name))
    assert one.balance() == "90.00"


def test_a_session_belongs_to_its_integration(two):
    """A session opened for one integration is unknown at another."""
    one, other = two
    bet = other.bet("10.00")
    if bet.session is None:
        pytest.skip("the dialect says no session")
    if other.adopts:
        pytest.skip("any session of a known player is taken for that player's newest")
    said = other.send(msgspec.structs.replace(bet, session=one.session))
    assert said.verdict is not Verdict.DONE
    assert one.balance() == "100.00"


def test_a_signature_belongs_to_its_path(two):
    """One vendor's request at another's address is refused, unless keys are shared.

    With shared keys it is the session that belongs elsewhere, where the dialect says one.
    """
    one, other = two
    bet = one.bet("10.00")
    if one.speaks == other.speaks and (other.adopts or bet.session is None):
        pytest.skip("keys are shared, and no session tells the two apart")
    request = one.compose(bet)
    reply = other.doors.send(other.name, request)
    assert reply.status < 500
    assert one.balance() == "100.00"


def test_all_vendors_at_once_on_one_account(rig):
    """Every vendor plays with one player's money at the same time, and the books stay exact."""
    vendors = [Vendor(rig, name) for name in NAMES]
    first = vendors[0].sit_down("100.00")
    for vendor in vendors[1:]:
        vendor.sit_down(player=first.player)
    bets = [(vendor, vendor.bet("1.00")) for _ in range(8) for vendor in vendors]
    replies = rig.run(at_once(rig, bets))
    heard = [
        vendor.judged((bet,), reply) for (vendor, bet), reply in zip(bets, replies, strict=True)
    ]
    assert {each.verdict for each in heard} == {Verdict.DONE}
    assert first.balance() == f"{100 - len(bets)}.00"
    assert first.moved() == [("bet", "1.00")] * len(bets)
    rig.audit()
