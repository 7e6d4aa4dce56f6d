"""What the end-to-end tests start from."""

import pytest

from kit.gateway import GatewayRig
from kit.naga import Naga
from kit.swipe import Swipe
from kit.vendor import Vendor
from seamline.dialects import dialects


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A gateway on the loopback for a whole file; every test brings a player of its own."""
    made = GatewayRig(tmp_path_factory.mktemp("served")).serve()
    yield made
    made.close()


@pytest.fixture(params=sorted(dialects()))
def vendor(served, request):
    """A vendor of each dialect with a new player who has 100.00; the books are audited after."""
    yield Vendor(served, request.param).sit_down()
    served.audit()


@pytest.fixture
def swipe(served):
    """The vendor by raw requests, with a new player who has 200.00 USD; audited afterwards."""
    yield Swipe(served).sit_down("200.00")
    served.audit()


@pytest.fixture
def naga(served):
    """The vendor by raw requests, with a new player who has 100.00 USD; audited afterwards."""
    yield Naga(served).sit_down()
    served.audit()


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """A gateway that waits less long for slow callers than it does in the world."""
    rig = GatewayRig(tmp_path_factory.mktemp("impatient"), body_timeout_s=0.4)
    rig.serve(head_timeout_s=0.4)
    yield rig
    rig.close()


@pytest.fixture(params=sorted(dialects()))
def caller(impatient, request):
    """A vendor who is about to misbehave; unless it says so, no money may move by that.

    Afterwards the gateway still answers, and the laws of the books hold.
    """
    made = Vendor(impatient, request.param).sit_down()
    made.expected = None
    before = impatient.books()
    yield made
    if made.expected is None:
        assert impatient.books() == before
    made.done(made.bet("1.00"))
    impatient.audit()
