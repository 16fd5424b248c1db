"""The type of a setting, and the settings of exchanges: base URLs and proxies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from backend.core.proxy import read_proxy
from backend.core.series import PRICES_ONLY
from backend.exchanges import EXCHANGES
from backend.exchanges.private.registry import PRIVATE_VENUES
from backend.exchanges.private.venue import AccountSocket
from backend.settings import texts


@dataclass(frozen=True, slots=True)
class Setting:
    """`about` is what people read. `read` turns text into the value or raises ValueError saying what is
    expected. `name` comes from the field of `Settings`, except in groups."""

    default: str
    about: str
    read: Callable[[str], Any] = str
    name: str = ""


def _url_settings() -> Iterator[Setting]:
    """One for each base URL: markets of a venue may share theirs."""
    for exchange in EXCHANGES.values():
        for name, markets in groupby(exchange.markets.values(), lambda market: market.url_setting):
            sharing = list(markets)
            names = " and ".join(market.name for market in sharing if market.name not in PRICES_ONLY)
            about = f"Base URL of {exchange.name} {names}."
            yield Setting(sharing[0].base_url, about, texts.base_url, name)


def _socket_settings() -> Iterator[Setting]:
    """One for each base URL of sockets: markets of a venue may share theirs."""
    for exchange in EXCHANGES.values():
        pushed = [
            (market.socket, market.name) for market in exchange.markets.values() if market.socket is not None
        ]
        for setting, group in groupby(pushed, lambda pair: pair[0].url_setting):
            sharing = list(group)
            names = " and ".join(name for _, name in sharing)
            about = (
                f"Base URL of {exchange.name} {names} candles by WebSocket. If you change the base URL of a "
                "market, the service receives its pushed candles only if you change this URL too."
            )
            yield Setting(sharing[0][0].base_url, about, texts.socket_url, setting)


def _account_settings() -> Iterator[Setting]:
    """Two for each venue with accounts: for live accounts and for demo accounts."""
    for venue in PRIVATE_VENUES.values():
        for mode, url in (("live", venue.base_url), ("demo", venue.demo_url)):
            about = (
                f"Base URL of {venue.name}'s {mode} accounts. It gets the keys, so use https or this machine."
            )
            yield Setting(url, about, texts.account_url, account_url_setting(venue.name, mode))


def _account_socket_settings() -> Iterator[Setting]:
    """One for each socket of accounts and each mode that it serves."""
    for venue, socket in account_sockets():
        for mode, url in (("live", socket.base_url), ("demo", socket.demo_url)):
            if url:
                kind = f" {socket.name}" if socket.name else ""
                about = f"Base URL of the socket that tells what happens in {venue}'s {mode}{kind} accounts."
                name = account_socket_setting(venue, socket.name, mode)
                yield Setting(url, about, texts.account_socket_url, name)


def account_sockets() -> Iterator[tuple[str, AccountSocket]]:
    """The sockets of accounts with the names of their venues."""
    for venue in PRIVATE_VENUES.values():
        for flavour in venue.flavours:
            for socket in flavour.sockets:
                yield venue.name, socket


def account_socket_setting(venue: str, socket: str, mode: str) -> str:
    """The name of the setting with the base URL of a socket of accounts."""
    return "_".join(part.upper() for part in (venue, mode, socket, "ACCOUNT_WS_URL") if part)


def account_url_setting(venue: str, mode: str) -> str:
    """The name of the setting with the base URL of a mode's accounts."""
    return f"{venue.upper()}_{mode.upper()}_ACCOUNT_URL"


USUAL_PROXIES = (
    Setting("", "Proxy to https and wss addresses, if `PROXY` is not set.", read_proxy, "HTTPS_PROXY"),
    Setting("", "Proxy to http and ws addresses, if `PROXY` is not set.", read_proxy, "HTTP_PROXY"),
    Setting("", "Proxy if neither of the two above is set.", read_proxy, "ALL_PROXY"),
    Setting(
        "",
        "Hosts that need no proxy, separated by commas, or `*`. The service still uses an exchange's own "
        "proxy.",
        name="NO_PROXY",
    ),
)
"""Settings that other programs have too. The name in small letters also works, and has priority."""

PROXIES = (
    Setting(
        "",
        "Proxy to exchanges: an http, https, socks5 or socks5h URL, such as "
        "`socks5h://user:password@host:port`, or `direct`.",
        read_proxy,
        "PROXY",
    ),
    *(
        Setting(
            "",
            f"Proxy to {name} only, or `direct`. The service then ignores all other proxies for {name}.",
            read_proxy,
            f"{name.upper()}_PROXY",
        )
        for name in EXCHANGES
    ),
    *USUAL_PROXIES,
)
URLS = tuple(_url_settings())
SOCKET_URLS = tuple(_socket_settings())
ACCOUNT_URLS = tuple(_account_settings())
ACCOUNT_SOCKET_URLS = tuple(_account_socket_settings())
