"""A way to PostgreSQL that can be cut around a COMMIT, or go silent.

with proxy(server.port) as way:
    way.cut_commit("after")      # the next one is done, and nobody hears of it
"""

import asyncio
import threading
from contextlib import contextmanager, suppress

#: The COMMIT of a batch on the wire, prepared or not; one of plain statements is not meant.
COMMITS = (b"\x00commit\x00", b"\x00COMMIT\x00")
HOST = "127.0.0.1"


@contextmanager
def proxy(port):
    """A proxy before the server on that port of the loopback, while the block runs."""
    made = Proxy(port)
    try:
        yield made
    finally:
        made.close()


class Proxy:
    """Passes bytes on, until it is told otherwise; it works in a thread of its own."""

    def __init__(self, server_port):
        self._server_port = server_port
        self._loop = asyncio.new_event_loop()
        self._plan, self._open, self._pairs = None, True, set()
        self.cuts = 0
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listener = self._do(asyncio.start_server(self._serve, HOST, 0))
        self.port = self._listener.sockets[0].getsockname()[1]

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def url(self, of):
        """The same database through here."""
        return of.replace(f":{self._server_port}/", f":{self.port}/")

    # What may happen.

    def cut_commit(self, when, *, stay_closed=False):
        """Cut the connection of the next COMMIT: `before` it is passed on, or `after` it is done.

        `silent` passes it on and then says nothing, without an end. With *stay_closed* nobody comes
        through any more, until `reopen`.
        """
        self._plan = (when, stay_closed)

    def reopen(self):
        """Let everybody through."""
        self._open = True

    def close(self):
        """End everything."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self):
        self._listener.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        self._cut_all()
        await asyncio.sleep(0)

    # The way through.

    async def _serve(self, client, to_client):
        if not self._open:
            to_client.transport.abort()
            return
        server, to_server = await asyncio.open_connection(HOST, self._server_port)
        pair = Pair(to_client, to_server)
        self._pairs.add(pair)
        try:
            await asyncio.gather(
                self._pass(client, to_server, pair, self._asked),
                self._pass(server, to_client, pair, self._answered),
            )
        finally:
            pair.cut()
            self._pairs.discard(pair)

    async def _pass(self, source, target, pair, look):
        with suppress(ConnectionError):
            while chunk := await source.read(65_536):
                if look(pair, chunk):
                    target.write(chunk)
                    await target.drain()
        pair.cut()

    def _asked(self, pair, chunk):
        """Whether to pass on what the client says."""
        if self._plan is None or not any(each in chunk for each in COMMITS):
            return True
        (when, stay_closed), self._plan = self._plan, None
        self.cuts += 1
        self._open = not stay_closed
        if stay_closed:
            self._cut_all(but=pair)
        if when == "before":
            pair.cut()
            return False
        pair.then = when
        return True

    def _answered(self, pair, _chunk):
        """Whether to pass on what the server says; the answer to a COMMIT means that it is done."""
        if pair.then == "after":
            pair.cut()
        return pair.then is None

    def _cut_all(self, but=None):
        for pair in self._pairs - {but}:
            pair.cut()


class Pair:
    """A connection of a client with the one to the server that belongs to it."""

    def __init__(self, to_client, to_server):
        self._ends = (to_client, to_server)
        self.then = None

    def cut(self):
        """End both."""
        for end in self._ends:
            end.transport.abort()
