"""Addresses of clients: who sends a request, also behind proxies, and whether that network is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

NOWHERE = IPv4Address("0.0.0.0")
"""Replaces an unreadable address."""

SITE_PREFIX = 64
"""The prefix of one IPv6 user: inside it, a new address costs nothing."""


def read_networks(text: str) -> tuple[Network, ...]:
    """Read networks, separated by commas; ValueError says what is expected."""
    items = [item.strip() for item in text.split(",")] if text else []
    try:
        return tuple(ip_network(item) for item in items)
    except ValueError as error:
        expected = "give networks such as 192.168.31.0/24 or 10.0.0.7, separated by commas"
        raise ValueError(f"{error}: {expected}") from error


def client_address(peer: str, forwarded: str, proxies: Iterable[Network]) -> Address:
    """The client's address: the right-most address that is not a trusted proxy's.

    `peer` is the connected address. `forwarded` is the `X-Forwarded-For` header: each proxy adds the address
    of its client at the right end. Everything left of an untrusted address may be invented.
    """
    trusted = tuple(proxies)
    client = _address(peer) or NOWHERE
    for hop in reversed(forwarded.split(",")) if forwarded else ():
        nearer = _address(hop)
        if nearer is None or not is_within(client, trusted):
            break
        client = nearer
    return client


def is_within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def caller_of(address: Address) -> str:
    """The caller for limits: an IPv4 address, or a whole IPv6 site."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((int(address), SITE_PREFIX), strict=False))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server at `host`."""
    address = _address(host)
    return address.is_loopback if address else host.lower() == "localhost"


def _address(text: str) -> Address | None:
    """An address, perhaps with a port: "10.0.0.7", "10.0.0.7:80", "::1", "[::1]:80"; None for other texts."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
