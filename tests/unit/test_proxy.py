"""Which proxy leads where, and what of it is shown."""

from __future__ import annotations

import pytest

from backend.core.proxy import DIRECT, Proxy, proxy_to, read_proxy

NAMES = ("PROXY", "BINANCE_PROXY", "BITGET_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
API, SOCKET = "https://api.binance.com", "wss://stream.binance.com:9443"


def found(url: str, exchange: str = "binance", **settings: str) -> str | None:
    """The setting whose proxy leads to `url`."""
    proxy = proxy_to(exchange, url, dict.fromkeys(NAMES, "") | settings)
    assert proxy is None or proxy.url == settings[proxy.setting]
    return proxy.setting if proxy else None


ALL = {name: f"http://{name.lower().replace('_', '-')}.example:1" for name in NAMES[:-1]}
"""Each proxy is set to one of its own."""


@pytest.mark.parametrize("url", [API, SOCKET, "http://api.binance.com", "ws://api.binance.com:80/path"])
def test_the_first_that_is_set_decides(url: str) -> None:
    usual = "HTTPS_PROXY" if url.split(":")[0] in ("https", "wss") else "HTTP_PROXY"
    order = ["BINANCE_PROXY", "PROXY", usual, "ALL_PROXY"]
    for number, name in enumerate(order):
        assert found(url, **{one: ALL[one] for one in order[number:]}) == name
    assert found(url) is None
    other = "HTTP_PROXY" if usual == "HTTPS_PROXY" else "HTTPS_PROXY"
    assert found(url, **{other: ALL[other]}) is None


def test_a_proxy_of_one_exchange_is_not_that_of_another() -> None:
    assert found(API, "bitget", **ALL) == "BITGET_PROXY"
    assert found(API, "bitget", BINANCE_PROXY=ALL["BINANCE_PROXY"]) is None


@pytest.mark.parametrize("name", ["BINANCE_PROXY", "PROXY", "HTTPS_PROXY"])
def test_direct_is_a_word_too(name: str) -> None:
    later = {"BINANCE_PROXY": ["PROXY", "ALL_PROXY"], "PROXY": ["HTTPS_PROXY"], "HTTPS_PROXY": ["ALL_PROXY"]}
    assert found(API, **{name: DIRECT}, **{one: ALL[one] for one in later[name]}) is None


@pytest.mark.parametrize(
    "names",
    ["api.binance.com", "binance.com", ".binance.com", "x.example, BINANCE.com", "*", "api.binance.com:443"],
)
def test_hosts_of_no_proxy_are_reached_directly_but_for_an_exchange_with_a_proxy_of_its_own(
    names: str,
) -> None:
    url = f"{API}:443" if ":" in names else API
    general = {name: url for name, url in ALL.items() if name != "BINANCE_PROXY"}
    assert found(url, NO_PROXY=names, **general) is None
    assert found(url, NO_PROXY=names, **ALL) == "BINANCE_PROXY"


@pytest.mark.parametrize("names", ["binance.co", "ance.com", "api.binance.com:80", "example.com", ","])
def test_other_hosts_are_not(names: str) -> None:
    assert found(API, NO_PROXY=names, PROXY=ALL["PROXY"]) == "PROXY"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
@pytest.mark.parametrize("port", ["", ":9000"])
def test_this_machine_is_reached_directly(host: str, port: str) -> None:
    assert found(f"http://{host}{port}/x", PROXY=ALL["PROXY"], HTTP_PROXY=ALL["HTTP_PROXY"]) is None
    assert found(f"http://{host}{port}/x", **ALL) == "BINANCE_PROXY"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", ""),
        ("Direct", "direct"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("socks5h://me:p%40ss@[::1]:1080/", "socks5h://me:p%40ss@[::1]:1080/"),
    ],
)
def test_what_can_be_set(text: str, url: str) -> None:
    assert read_proxy(text) == url


def test_a_proxy_shows_its_setting_and_place_and_no_more() -> None:
    proxy = Proxy("PROXY", "socks5://me:dummy@[::1]:1080")
    assert str(proxy) == "PROXY (socks5://[::1]:1080)"
    assert repr(proxy) == "Proxy(setting='PROXY')"
