"""Two gateways on one PostgreSQL are asked for the same operation at once: the vendor is once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from msgspec.structs import replace

from kit.gateway import GatewayRig, Place
from kit.processes import wait_for
from seamline.dialects.dialect import Reply, Secret
from seamline.dialects.nagagames import DIALECT

ROUNDS = 5


class Vendor:
    """Answers when it is let go, and counts how often it was asked."""

    def __init__(self):
        self.asked, self.free = 0, threading.Event()

    async def send(self, _base_url, _request, _deadline_s):
        """One exchange, for which all of the gateway waits."""
        self.asked += 1
        assert self.free.wait(10)
        return Reply(200, b'{"ok":true}')


@pytest.fixture
def vendor():
    """One vendor."""
    return Vendor()


@pytest.fixture
def gateways(tmp_path, database, vendor):
    """Two gateways in transfer mode, with one vendor and one database."""
    options = replace(DIALECT.sandbox(), mode="transfer", secret_key=Secret("transfer-secret"))
    with closing(rig(tmp_path, database, options, vendor)) as one:
        one.player()
        with closing(rig(tmp_path, database, options, vendor)) as two:
            yield one, two
        one.audit()


def rig(folder, database, options, vendor):
    """A gateway of which only the vendor is made up."""
    made = GatewayRig(Place(folder, database), options={"nagagames": options})
    made.app = type(made.app)(
        replace(made.gateway, send=vendor.send), disk=folder, body_limit=65_536, body_timeout_s=5
    )
    return made


@pytest.mark.parametrize("name", ["withdraw", "deposit"])
def test_the_vendor_is_asked_by_one(gateways, vendor, name):
    """Whether money is paid in the end or taken first: one asks, the other one is told so."""
    target = f"/v1/integrations/nagagames/operations/{name}"
    for number in range(1, ROUNDS + 1):
        body = {"transaction_id": f"t{number}", "player": "p1", "currency": "USD", "amount": "1.00"}
        told = sorted(asked_at_once(gateways, vendor, target, body), key=lambda each: each[0])
        assert [status for status, _ in told] == [200, 409], told
        assert told[1][1]["outcome"] == "asking"
        assert vendor.asked == number
    left = 100 + ROUNDS * (1 if name == "withdraw" else -1)
    assert gateways[0].balance() == f"{left}.00"
    assert gateways[0].asked("GET", "/v1/alerts?state=open")["items"] == []


def asked_at_once(gateways, vendor, target, body):
    """What both say when the vendor answers only after one of them has."""
    vendor.free.clear()
    with ThreadPoolExecutor(2) as threads:
        said = [threads.submit(each.operator, "POST", target, body) for each in gateways]
        wait_for(lambda: any(each.done() for each in said))
        vendor.free.set()
    return [each.result() for each in said]
