"""Which call a request is: by method and path, by a pattern, or by what its body says."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from seamline.dialects.dialect import Call, Request
from seamline.edge.gateway import Connection
from seamline.edge.metrics import CallFigures
from seamline.edge.pace import Pace

PREFIX = "/callbacks/"
_PLACEHOLDER = re.compile(r"\\\{\w+\\\}")


class Route(msgspec.Struct, frozen=True):
    """One call of one integration and its figures; `call` is None for paths that are none.

    `shared` are the calls by name where several have one method and path.
    """

    connection: Connection
    call: Call[msgspec.Struct] | None
    base: int
    figures: CallFigures
    body_limit: int
    pace: Pace | None
    shared: Mapping[str, Route]

    def of(self, request: Request) -> Route:
        """The route of the very call; asked once the signature is known to be right."""
        which = self.connection.dialect.which
        if which is None or not self.shared:
            return self
        return self.shared[which(request, self.connection.integration)]


class Routes:
    """The routes of all integrations. Paths without patterns are found in one look."""

    def __init__(self, connections: Mapping[str, Connection], *, body_limit: int) -> None:
        self._body_limit = body_limit
        self._exact: dict[tuple[str, str], Route] = {}
        self._patterns: list[tuple[str, re.Pattern[str], Route]] = []
        self._strays: dict[str, Route] = {}
        self._methods: dict[str, list[str]] = {}
        self._figures: list[CallFigures] = []
        for name, connection in connections.items():
            self._connect(name, connection)

    @property
    def figures(self) -> Sequence[CallFigures]:
        """The figures of all calls, and of what was none."""
        return self._figures

    def find(self, method: str, path: str) -> Route | None:
        """The route of a request; of one that is no call its integration's; None without one."""
        exact = self._exact.get((method, path))
        if exact is not None:
            return exact
        for expected, pattern, route in self._patterns:
            if expected == method and pattern.fullmatch(path):
                return route
        return self._strays.get(path.removeprefix(PREFIX).partition("/")[0])

    def methods(self, path: str) -> Sequence[str]:
        """The methods under which a path is a call."""
        fitting = [method for method, pattern, _ in self._patterns if pattern.fullmatch(path)]
        return self._methods.get(path) or fitting

    def _connect(self, name: str, connection: Connection) -> None:
        """Enter the calls of an integration, those of one place together."""
        dialect, options = connection.dialect, connection.integration.options
        base = f"{PREFIX}{name}"
        chosen = dialect.routes(options) if dialect.routes is not None else {}
        limit = connection.terms.policy.pace
        pace = Pace(*limit) if limit is not None else None
        self._strays[name] = self._route(connection, None, base, pace)
        places: dict[tuple[str, str], list[Route]] = defaultdict(list)
        for call in dialect.calls:
            place = chosen.get(call.name, (call.method, call.path))
            places[place].append(self._route(connection, call, base, pace))
        for (method, path), routes in places.items():
            self._enter(method, base + path, routes)

    def _route(
        self,
        connection: Connection,
        call: Call[msgspec.Struct] | None,
        base: str,
        pace: Pace | None,
    ) -> Route:
        labels = (connection.dialect.name, connection.integration.name)
        figures = CallFigures(*labels, call.name if call is not None else "none")
        self._figures.append(figures)
        limit = call.body_limit if call is not None else None
        limit = limit if limit is not None else self._body_limit
        return Route(connection, call, len(base), figures, limit, pace, {})

    def _enter(self, method: str, path: str, routes: Sequence[Route]) -> None:
        """One place; where several calls share it, its own figures count what is none of them."""
        route = routes[0]
        if len(routes) > 1:
            stray = self._strays[route.connection.integration.name]
            shared = {each.call.name: each for each in routes if each.call is not None}
            limit = max(each.body_limit for each in routes)
            route = msgspec.structs.replace(stray, shared=shared, body_limit=limit)
        if "{" in path:
            pattern = re.compile(_PLACEHOLDER.sub("[^/]+", re.escape(path)))
            self._patterns.append((method, pattern, route))
            return
        self._exact[method, path] = route
        self._methods.setdefault(path, []).append(method)
