"""Who is calling: the address of the connection, or what trusted proxies say of it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from seamline.edge.asgi import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def is_among(address: Address | None, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks; an IPv4 one also when IPv6 carries it."""
    if address is None:
        return False
    carried = getattr(address, "ipv4_mapped", None) or address
    return any(carried in network for network in networks)


def peer_of(scope: Scope, trusted: Sequence[Network]) -> Address | None:
    """The address of whoever sent the request.

    `X-Forwarded-For` counts only from a trusted proxy, and is read from its end: what stands before
    the first hop that is not trusted, anybody could have written.
    """
    client = scope.get("client")
    address = _address(client[0]) if client else None
    if not is_among(address, trusted):
        return address
    named = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    for hop in reversed(b",".join(named).decode("latin-1").split(",")):
        found = _address(hop.strip())
        if found is None:
            return address
        address = found
        if not is_among(address, trusted):
            return address
    return address


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
