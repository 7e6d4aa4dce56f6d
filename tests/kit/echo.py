"""The gateway's server with an echo behind it, on the loopback."""

import asyncio
import signal
from contextlib import asynccontextmanager

from kit.raw import talk
from seamline.dialects.dialect import Reply
from seamline.edge import server
from seamline.edge.asgi import CLOSE, BodyTooSlow, read_body, respond
from seamline.edge.server import listen


class Echo:
    """An application that answers each request with its body, and can be made to wait."""

    def __init__(self):
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.begun = asyncio.Semaphore(0)
        self.scopes = []
        self.timeout_s = 10.0
        self.extra = ()

    async def __call__(self, scope, receive, send):
        """One exchange."""
        self.scopes.append(scope)
        try:
            body = await read_body(scope, receive, limit=1_000_000, timeout_s=self.timeout_s)
        except BodyTooSlow:
            await respond(scope, send, Reply(400), CLOSE)
            return
        self.begun.release()
        await self.goes_on.wait()
        nothing = scope["path"] == "/nothing"
        reply = Reply(204) if nothing else Reply(200, body or scope["path"].encode())
        await respond(scope, send, reply, *self.extra)


class Served:
    """A served application: its address, and a way to ask it to stop."""

    def __init__(self, made, app, bound):
        self.made, self.app, self.address = made, app, bound.getsockname()

    async def talk(self, *pieces, **options):
        """What comes back for raw bytes."""
        return await talk(self.address, *pieces, **options)

    def stop(self, number=signal.SIGTERM):
        """What a signal does."""
        self.made.handle_exit(number, None)


@asynccontextmanager
async def serving(monkeypatch, **options):
    """Serve an echo until the block ends."""
    app, bound = Echo(), listen("127.0.0.1", 0)
    ready = asyncio.get_running_loop().create_future()

    class Kept(server.Server):
        """A server that says when it listens."""

        async def startup(self, sockets=None):
            """Listen."""
            await super().startup(sockets)
            ready.set_result(self)

    given = {"max_connections": 100, "head_timeout_s": 30.0, "drain_s": 30.0} | options
    with monkeypatch.context() as patched:
        patched.setattr(server, "Server", Kept)
        task = asyncio.create_task(server.serve(app, [bound], **given))
        made = await ready
    served = Served(made, app, bound)
    served.task = task
    yield served
    app.goes_on.set()
    made.should_exit = True
    async with asyncio.timeout(10):
        await task


def get(path="/", *lines, method=b"GET"):
    """A request without a body."""
    head = [b"%s %s HTTP/1.1" % (method, path.encode()), b"host: x", *lines]
    return b"\r\n".join(head) + b"\r\n\r\n"


def post(body, *lines, path="/"):
    """A request with a body."""
    return get(path, b"content-length: %d" % len(body), *lines, method=b"POST") + body


def bodies(heard):
    """The bodies of the answers."""
    return [each.body for each in heard.answers]


async def until(condition):
    """Wait until the condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.001)
