"""Whose a request is, behind how many proxies ever, and what counts as one caller."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.access.networks import (
    NOWHERE,
    caller_of,
    client_address,
    is_loopback,
    is_within,
    read_networks,
)

PROXIES = read_networks("10.0.0.0/8, 192.168.31.11, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 192.168.31.11", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 192.168.31.12, 192.168.31.11", "192.168.31.12"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", " , ,", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fd00::1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("a unix socket", "198.51.100.1", str(NOWHERE)),
    ],
)
def test_the_right_most_address_that_is_no_trusted_proxys_counts(
    peer: str, forwarded: str, client: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == ip_address(client)


@given(st.text())
def test_without_trusted_proxies_nothing_can_be_made_up(forwarded: str) -> None:
    assert client_address("203.0.113.7", forwarded, ()) == ip_address("203.0.113.7")


@given(st.text(st.sampled_from("0123456789.:,[] abcdefx")))
def test_what_a_client_writes_never_counts_behind_a_proxy(made_up: str) -> None:
    assert client_address("10.0.0.1", f"{made_up}, 203.0.113.7", PROXIES) == ip_address("203.0.113.7")


def test_networks_are_read_with_commas_between() -> None:
    networks = read_networks("192.168.31.0/24, 2001:db8::/32,10.0.0.7")
    assert is_within(ip_address("192.168.31.200"), networks)
    assert is_within(ip_address("10.0.0.7"), networks)
    assert is_within(ip_address("2001:db8:1::5"), networks)
    assert not is_within(ip_address("10.0.0.8"), networks)
    assert not is_within(ip_address("192.168.32.1"), networks)
    assert read_networks("") == ()


@pytest.mark.parametrize("text", ["localhost", "192.168.31.1/24", "10.0.0.0/33", "10.0.0.0/8,", "10.0.0"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"give networks such as 192\.168\.31\.0/24"):
        read_networks(text)


def test_a_site_of_ipv6_is_one_caller() -> None:
    assert caller_of(IPv6Address("2001:db8::1")) == caller_of(IPv6Address("2001:db8::ffff:1"))
    assert caller_of(IPv6Address("2001:db8::1")) != caller_of(IPv6Address("2001:db8:0:1::1"))
    assert caller_of(IPv4Address("10.0.0.1")) != caller_of(IPv4Address("10.0.0.2"))


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        *(("localhost", True), ("LocalHost", True), ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True)),
        *(("0.0.0.0", False), ("::", False), ("192.168.31.11", False), ("market.example", False)),
    ],
)
def test_it_is_known_which_addresses_only_this_machine_reaches(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone
