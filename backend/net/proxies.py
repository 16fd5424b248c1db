"""Ways to exchanges: a session for each proxy, and errors for ways that do not work.

aiohttp itself supports http and https proxies, aiohttp-socks supports SOCKS5. The proxy resolves names, with
socks5 as with socks5h: where an exchange is blocked, DNS often gives wrong answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError

from backend.core.proxy import Proxy
from backend.errors import ExchangeUnavailable

log = logging.getLogger(__name__)

UNREACHABLE = (aiohttp.ClientError, OSError, ProxyError, ProxyConnectionError, ProxyTimeoutError)
"""Errors of a connection that cannot be made or breaks, including late answers (TimeoutError)."""

LONGEST_REASON = 200
"""Most characters of a proxy's words in our message."""


class Sessions:
    """The sessions of one kind, one for each proxy (None: no proxy), opened when needed, closed together."""

    def __init__(self, open_one: Callable[[Proxy | None], aiohttp.ClientSession]) -> None:
        self._open_one = open_one
        self._opened: dict[Proxy | None, aiohttp.ClientSession] = {}

    def by(self, proxy: Proxy | None) -> aiohttp.ClientSession:
        """The session whose connections go by `proxy`."""
        if proxy not in self._opened:
            self._opened[proxy] = self._open_one(proxy)
            if proxy:
                log.info("the service reaches exchanges through %s", proxy)
        return self._opened[proxy]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._opened.values():
            await session.close()


def way(proxy: Proxy | None, limit: int = 100) -> dict[str, Any]:
    """The connector of a session with up to `limit` connections (0: any number) through `proxy`."""
    if proxy is None or not proxy.url.startswith("socks"):
        return {"connector": aiohttp.TCPConnector(limit=limit), "proxy": proxy and proxy.url}
    return {"connector": ProxyConnector.from_url(proxy.url.replace("socks5h:", "socks5:", 1), limit=limit)}


@contextmanager
def reaching(whom: str, proxy: Proxy | None) -> Iterator[None]:
    """Raise ExchangeUnavailable if a request in the block does not arrive or gets no answer."""
    try:
        yield
    except TimeoutError as error:
        raise ExchangeUnavailable(f"{whom} did not answer in time{through(proxy)}") from error
    except UNREACHABLE as error:
        raise ExchangeUnavailable(f"{whom} cannot be reached{through(proxy)}: {reason(error)}") from error


def through(proxy: Proxy | None) -> str:
    """Names the proxy in a sentence, without user and password."""
    return f" through {proxy}" if proxy else ""


def reason(error: BaseException) -> str:
    """Why a connection failed. aiohttp's own words for a refusal repeat the proxy's URL."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"it answered {error.status} {error.message}"[:LONGEST_REASON]
    return str(error)[:LONGEST_REASON] or "no answer in time"
