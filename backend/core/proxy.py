"""Which proxy leads to an exchange. The first of these settings that is set decides:

1. the exchange's own setting, such as BINANCE_PROXY;
2. NO_PROXY, for the hosts that it names; this machine is always one of them;
3. PROXY;
4. HTTPS_PROXY for https and wss, HTTP_PROXY for http and ws;
5. ALL_PROXY.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

DIRECT = "direct"
"""This value means: no proxy. It is not the same as an empty value."""

SCHEMES = ("http", "https", "socks5", "socks5h")
THIS_MACHINE = "localhost,127.0.0.1,::1"


@dataclass(frozen=True, slots=True)
class Proxy:
    """`setting` names it; `url` may hold a password and is never shown whole."""

    setting: str
    url: str = field(repr=False)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        return f"{self.setting} ({parts.scheme}://{parts.netloc.rpartition('@')[2]})"


def read_proxy(text: str) -> str:
    """The URL of a proxy, DIRECT or "". Raises ValueError, which does not repeat the text."""
    if not text or text.lower() == DIRECT:
        return text.lower()
    message = f"give a URL such as socks5://user:password@proxy.example:1080 ({', '.join(SCHEMES)}) or direct"
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in SCHEMES and bool(parts.hostname and parts.port)
    except ValueError as error:
        raise ValueError(message) from error
    beside = parts.path.strip("/") or parts.query or parts.fragment
    if not is_whole or beside or any(character.isspace() for character in url):
        raise ValueError(message)
    if not unquote(parts.netloc).isascii() or ":" in unquote(parts.username or ""):
        raise ValueError("give a user and a password in plain ASCII, without a colon in the user")
    return url


def proxy_to(exchange: str, url: str, settings: Mapping[str, str]) -> Proxy | None:
    """The proxy by which `exchange` is asked at `url`; `settings` are those of the list above."""
    own = f"{exchange.upper()}_PROXY"
    if settings[own]:
        return _proxy(own, settings)
    parts = urlsplit(url)
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    if any(proxy_bypass_environment(host, {"no": names}) for names in (THIS_MACHINE, settings["NO_PROXY"])):
        return None
    usual = "HTTPS_PROXY" if parts.scheme in ("https", "wss") else "HTTP_PROXY"
    setting = next((name for name in ("PROXY", usual, "ALL_PROXY") if settings[name]), None)
    return _proxy(setting, settings) if setting else None


def _proxy(setting: str, settings: Mapping[str, str]) -> Proxy | None:
    return None if settings[setting] == DIRECT else Proxy(setting, settings[setting])
