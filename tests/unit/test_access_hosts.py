"""Which `Host` a request may name."""

from __future__ import annotations

import pytest

from backend.access.hosts import is_ours, read_names

NAMES = read_names("backend, Candles.Example.com,,")


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8888", "LOCALHOST", "localhost.", "charts.localhost:3000"),
        *(
            "127.0.0.1",
            "127.0.0.1:8888",
            "192.168.31.11:80",
            "203.0.113.7",
            "[::1]",
            "[::1]:8888",
            "[fd00::7]",
        ),
        *("backend:8888", "candles.example.com", "CANDLES.EXAMPLE.COM.:443"),
    ],
)
def test_loopback_addresses_and_names_of_the_setting_are_ours(host: str) -> None:
    assert is_ours(host, NAMES)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8888", "notlocalhost", "localhost.evil.example", ""),
        *("127.0.0.1.evil.example", "evil.example@127.0.0.1", "127.0.0.1,evil.example", "127.0.0.1:80:80"),
        *("[evil.example]", "[::1", "::1", "[127.0.0.1]x", "backend.", "backend..", "x.backend", "backend:x"),
        *(
            "127.0.0.1:",
            "2130706433",
            "0x7f.1",
            "example.com",
            "localhost\n",
            "\u0131" * 9,
            "a." * 127,
            "9" * 5000,
        ),
    ],
)
def test_all_other_hosts_are_not(host: str) -> None:
    assert not is_ours(host, NAMES - {"backend"})


@pytest.mark.parametrize(
    "text", ["backend:8888", "http://backend", "*", "a b", "a..b", "-/-", "[::1]", "a" * 64]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="give names such as"):
        read_names(text)
