"""What a server says of itself, for people."""

from __future__ import annotations

from typing import cast

import msgspec

from seamline.ledger.postgres.tables import Connection, PostgresTables


class Facts(msgspec.Struct, frozen=True):
    """Settings that promises rest on, as they hold for a gateway, and figures of the server."""

    version: str
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    synchronous_standby_names: str
    #: Standbys that commits wait for; those that this user may not see are not counted.
    synchronous: int
    connections: int
    max_connections: int
    bytes: int


def facts(connection: Connection) -> Facts:
    """What the server says now."""
    (row,) = PostgresTables(lambda: connection).rows("server_facts")
    return Facts(*cast("tuple[str, str, str, str, str, int, int, int, int]", row))
