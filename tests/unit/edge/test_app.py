"""One application: each path goes to its surface, and the machines' paths to their port."""

import pytest

from kit.gateway import API_KEY, settings_in
from seamline.cli import assembly
from seamline.edge.app import Application
from unit.edge.api.asgi_caller import call

pytestmark = pytest.mark.anyio

#: The port that the caller's requests come in on.
PORT = 8600
OPS = ["/healthz", "/readyz", "/metrics"]
OPERATOR = [("authorization", f"Bearer {API_KEY}")]


@pytest.fixture
def anyio_backend():
    """The edge runs in asyncio."""
    return "asyncio"


@pytest.fixture
async def gateway(tmp_path):
    """A gateway on a new store, with every dialect."""
    async with assembly.gateway(settings_in(tmp_path)) as built:
        yield built


@pytest.fixture
def app(gateway, tmp_path):
    """The application with one port for everything."""
    return Application(gateway, disk=tmp_path)


async def status(app, path, method="GET", **options):
    """The status of one exchange."""
    return (await call(app, method, path, **options)).status


@pytest.mark.parametrize("path", OPS)
async def test_without_a_port_of_their_own_machines_share_one(app, path):
    """Health, readiness and metrics are on the one port that there is."""
    assert await status(app, path) == 200


@pytest.mark.parametrize("path", OPS)
async def test_machines_are_served_on_their_port(gateway, tmp_path, path):
    """With a port for them, that port serves the machines' paths."""
    assert await status(Application(gateway, disk=tmp_path, ops_port=PORT), path) == 200


@pytest.mark.parametrize("path", OPS)
async def test_machines_are_served_nowhere_else(gateway, tmp_path, path):
    """With a port for them, the machines' paths are nothing on the other one."""
    app = Application(gateway, disk=tmp_path, ops_port=PORT + 1)
    assert await status(app, path) == 404


@pytest.mark.parametrize("path", ["/callbacks/swipegames/bet", "/v1/openapi.json", "/v1/docs", "/"])
async def test_nothing_else_is_on_the_machines_port(gateway, tmp_path, path):
    """No vendor and no operator is served on the machines' port."""
    app = Application(gateway, disk=tmp_path, ops_port=PORT)
    got = await call(app, "POST", path)
    assert (got.status, got.json) == (404, {"message": "nothing here; see /v1/docs"})


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v2/players", "/callbacks", "/healthz/", "/Healthz", "/metrics/x", "//healthz",
     "/console/"],
)  # fmt: skip
async def test_where_there_is_nothing(app, path):
    """A path of no surface is 404 in JSON, and says where to look."""
    got = await call(app, "GET", path)
    assert (got.status, got.json) == (404, {"message": "nothing here; see /v1/docs"})
    assert got.headers["content-type"] == "application/json"


async def test_callbacks_reach_their_dialect(app):
    """Below `/callbacks/NAME` the integration's dialect answers."""
    got = await call(app, "POST", "/callbacks/swipegames/bet", chunks=(b"{}",))
    assert "x-request-id" in got.headers
    assert 400 <= got.status < 500


async def test_the_operator_api_is_reached(app):
    """Below `/v1/` the operator API answers, to who has the key."""
    assert await status(app, "/v1/players/acme/nobody", headers=OPERATOR) == 404
    assert await status(app, "/v1/players/acme/nobody") == 401
    assert await status(app, "/v1/openapi.json") == 200


async def test_limits_are_for_every_door(gateway, tmp_path):
    """The largest body is the same for vendors and operators."""
    app, large = Application(gateway, disk=tmp_path, body_limit=20), b"x" * 21
    got = await call(app, "POST", "/callbacks/swipegames/bet", chunks=(large,))
    assert got.headers["connection"] == "close"
    assert await status(app, "/v1/players", "POST", headers=OPERATOR, chunks=(large,)) == 413


async def test_what_was_answered_is_in_the_metrics(app):
    """A refused callback stands in the metrics with its reason."""
    await call(app, "POST", "/callbacks/swipegames/bet", chunks=(b"{}",))
    text = (await call(app, "GET", "/metrics")).body.decode()
    assert (
        'call="bet",dialect="swipegames",integration="swipegames",outcome="signature"} 1.0' in text
    )
