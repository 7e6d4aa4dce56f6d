"""The gateway as one ASGI application, built from a `Gateway` value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seamline.dialects.dialect import Reply
from seamline.edge.api import operator_api
from seamline.edge.asgi import App, Receive, Scope, Send, respond
from seamline.edge.callback import Callbacks
from seamline.edge.gateway import Gateway
from seamline.edge.metrics import GatewayCollector, renderer
from seamline.edge.ops import Ops
from seamline.edge.peers import Network
from seamline.edge.routes import PREFIX

_NOTHING_HERE = Reply(404, b'{"message":"nothing here; see /v1/docs"}')


class Application:
    """Sends each request to its surface. With an `ops_port`, ops is served there and only there."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        disk: Path,
        body_limit: int = 65_536,
        body_timeout_s: float = 5.0,
        ops_port: int | None = None,
        trusted_proxies: Sequence[Network] = (),
        watches: bool = True,
    ) -> None:
        self.callbacks = Callbacks(
            gateway,
            body_limit=body_limit,
            body_timeout_s=body_timeout_s,
            trusted_proxies=trusted_proxies,
        )
        self.ops = Ops(gateway, self._metrics, disk, watches=watches)
        self._api: App = operator_api(gateway, body_limit=body_limit, body_timeout_s=body_timeout_s)
        self._ops_port = ops_port
        self._render = renderer(
            GatewayCollector(
                self.callbacks.figures, gateway.ledger, gateway.exchanges, self.ops.drift
            )
        )

    def _metrics(self) -> bytes:
        return self._render()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI."""
        await self._surface(scope)(scope, receive, send)

    def _surface(self, scope: Scope) -> App:
        path: str = scope["path"]
        if self._ops_port is not None:
            ours = scope["server"][1] == self._ops_port
            if ours != (path in Ops.paths):
                return nothing
        if path.startswith(PREFIX):
            return self.callbacks
        if path in Ops.paths:
            return self.ops
        return self._api if path.startswith("/v1/") else nothing


async def nothing(scope: Scope, _receive: Receive, send: Send) -> None:
    """The answer where there is nothing."""
    await respond(scope, send, _NOTHING_HERE)
