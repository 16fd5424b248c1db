"""Ways to exchanges: a session for each proxy, and what is said when one leads nowhere.

aiohttp speaks to http and https proxies itself, aiohttp-socks to SOCKS5 ones. The proxy resolves names, by
socks5 as by socks5h: where an exchange is blocked, its name is often answered wrongly.
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
"""What is raised where a connection cannot be made or breaks, late answers (TimeoutError) included."""

LONGEST_REASON = 200
"""Characters of what a proxy may say in a message of ours."""


class Sessions:
    """The sessions of one kind, one for each proxy (None: no proxy), opened when wanted, closed together."""

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
    """What a session is opened with for up to `limit` connections (0: any number) by `proxy`."""
    if proxy is None or not proxy.url.startswith("socks"):
        return {"connector": aiohttp.TCPConnector(limit=limit), "proxy": proxy and proxy.url}
    return {"connector": ProxyConnector.from_url(proxy.url.replace("socks5h:", "socks5:", 1), limit=limit)}


@contextmanager
def reaching(whom: str, proxy: Proxy | None) -> Iterator[None]:
    """Raise ExchangeUnavailable when what is sent inside does not arrive or brings no answer."""
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
