"""Whose address counts: the connection's, or what trusted proxies say."""

from ipaddress import ip_address, ip_network

import pytest

from seamline.edge.peers import is_among, peer_of

PROXIES = (ip_network("10.0.0.0/8"),)


def peer(client, *forwarded, trusted=PROXIES):
    """The address that a request counts as, as text."""
    headers = [(b"x-forwarded-for", text.encode()) for text in forwarded]
    scope = {"client": (client, 1) if client else None, "headers": headers}
    found = peer_of(scope, trusted)
    return str(found) if found is not None else None


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.9, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.9", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, nonsense"], "10.0.0.1"),
        (None, [], None),
        ("not an address", [], None),
    ],
)
def test_the_last_hop_that_is_not_trusted_counts(client, forwarded, expected):
    """What anybody could have written into the header is not believed."""
    assert peer(client, *forwarded) == expected


def test_nobody_is_trusted_unless_said():
    """Without trusted proxies the header means nothing."""
    assert peer("10.0.0.1", "198.51.100.1", trusted=()) == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "inside"),
    [("203.0.113.7", True), ("::ffff:203.0.113.7", True), ("203.0.114.7", False), ("::1", False)],
)
def test_an_address_lies_in_a_network(address, inside):
    """An IPv4 address is the same when IPv6 carries it."""
    assert is_among(ip_address(address), (ip_network("203.0.113.0/24"),)) is inside
    assert not is_among(None, (ip_network("0.0.0.0/0"),))
