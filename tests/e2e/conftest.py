"""What the end-to-end tests start from."""

import pytest

from kit.gateway import GatewayRig
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
