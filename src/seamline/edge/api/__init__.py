"""The operator API: players, money, sessions, records, and the vendors' own APIs, below `/v1`.

`operator_api(gateway)` is an ASGI application. All it can do stands in one table, `table.py`, from
which the OpenAPI document is made too.
"""

from seamline.edge.api.routes import operator_api

__all__ = ["operator_api"]
