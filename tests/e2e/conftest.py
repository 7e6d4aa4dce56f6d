"""What the end-to-end tests start from."""

from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from kit.gateway import GatewayRig, Place, in_file
from kit.naga import Naga
from kit.swipe import Swipe
from kit.vendor import Vendor
from seamline.dialects import dialects

BACKENDS = ("sqlite", "postgres")


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request):
    """The store of all gateways of a test. Whoever asks for a place runs on each of them."""
    return request.param


@pytest.fixture(scope="session")
def new_place_on(request, tmp_path_factory):
    """Make a place for a gateway on a backend, for as long as a block runs."""

    @contextmanager
    def make(backend):
        folder = tmp_path_factory.mktemp(backend)
        if backend == "sqlite":
            yield in_file(folder)
            return
        with request.getfixturevalue("new_database")() as url:
            yield Place(folder, url)

    return make


@pytest.fixture(scope="module")
def new_place(new_place_on, backend):
    """The same on the test's own backend."""
    return partial(new_place_on, backend)


@pytest.fixture(scope="module")
def places(new_place_on):
    """A place on each of the backends, for gateways that are compared."""
    with ExitStack() as made:
        yield [made.enter_context(new_place_on(backend)) for backend in BACKENDS]


@pytest.fixture
def place(new_place):
    """A place for a gateway of the test's own."""
    with new_place() as made:
        yield made


@pytest.fixture(scope="module")
def shared_place(new_place):
    """A place for a gateway that serves a whole file."""
    with new_place() as made:
        yield made


@pytest.fixture(scope="module")
def served(shared_place):
    """A gateway on the loopback for a whole file; every test brings a player of its own."""
    made = GatewayRig(shared_place).serve()
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
    """A gateway that waits less long for slow callers than it does in the world.

    On one store: what is refused here is refused before a store hears of it.
    """
    rig = GatewayRig(in_file(tmp_path_factory.mktemp("impatient")), body_timeout_s=0.4)
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
