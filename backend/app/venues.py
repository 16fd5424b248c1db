"""Opens the ways to the exchanges: requests within their budgets, sockets, archives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from backend import __version__
from backend.app.common import Common
from backend.core.proxy import proxy_to
from backend.exchanges import EXCHANGES, QUOTES
from backend.exchanges.base import Market
from backend.exchanges.binance.archive import BASE_URL, FOLDERS, belongs_to
from backend.exchanges.binance.market import BINANCE
from backend.net.proxies import Sessions
from backend.net.rest.archive_client import ArchiveClient
from backend.net.rest.client import MarketClient
from backend.net.rest.requester import open_session
from backend.net.rest.throttle import Throttle
from backend.net.sockets.market_stream import MarketStream
from backend.net.sockets.socket_connection import open_socket_session
from backend.services.reading.quotes import Quotes
from backend.services.syncing.markets import Markets
from backend.settings import Settings

USER_AGENT = f"market-data-service/{__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Venues:
    """`throttles` by the name of their budget; `streams` and `archives` by exchange and market."""

    markets: Markets
    quotes: Quotes
    throttles: Mapping[str, Throttle]
    streams: Mapping[tuple[str, str], MarketStream]
    archives: Mapping[tuple[str, str], ArchiveClient]


async def open_venues(common: Common, stack: AsyncExitStack) -> Venues:
    """Nothing is sent yet. `stack` ends background tasks and closes the connections."""
    sessions = Sessions(partial(open_session, common.settings.request_timeout, USER_AGENT))
    await stack.enter_async_context(sessions)
    throttles = _throttles(common)
    clients = _clients(common, sessions, throttles)
    for client in (each for markets in clients.values() for each in markets.values()):
        stack.push_async_callback(client.stop)
    sockets = await stack.enter_async_context(Sessions(partial(open_socket_session, USER_AGENT)))
    return Venues(
        markets=Markets(clients),
        quotes=Quotes(clients, common.clock),
        throttles=throttles,
        streams=_streams(common, sockets, clients),
        archives=_archives(common, sessions),
    )


def _throttles(common: Common) -> dict[str, Throttle]:
    """One for each budget. Markets may share a budget."""
    markets = [market for exchange in EXCHANGES.values() for market in exchange.markets.values()]
    budgets = {market.budget.name: market.budget for market in markets}
    share = common.settings.rate_limit_share
    return {
        name: Throttle(budget.limits, share, common.clock, careful=budget.careful)
        for name, budget in budgets.items()
    }


def _clients(
    common: Common, sessions: Sessions, throttles: Mapping[str, Throttle]
) -> dict[str, dict[str, MarketClient]]:
    settings = common.settings
    clients: dict[str, dict[str, MarketClient]] = {}
    for exchange in EXCHANGES.values():
        for market in exchange.markets.values():
            base_url = settings.base_urls[market.url_setting]
            proxy = proxy_to(exchange.name, base_url, settings.proxies)
            clients.setdefault(exchange.name, {})[market.name] = MarketClient(
                exchange=exchange.name,
                market=market,
                quotes=QUOTES.get((exchange.name, market.name)),
                base_url=base_url,
                session=sessions.by(proxy),
                throttle=throttles[market.budget.name],
                clock=common.clock,
                metrics=common.metrics,
                precedence=common.precedence,
                proxy=proxy,
            )
    return clients


def _streams(
    common: Common, sessions: Sessions, clients: Mapping[str, Mapping[str, MarketClient]]
) -> dict[tuple[str, str], MarketStream]:
    """The sockets of each market whose candles they push. They connect when a candle is wanted."""
    settings = common.settings
    return {
        (exchange, market.name): MarketStream(
            exchange=exchange,
            market=market,
            base_url=socket_url,
            session=sessions.by(proxy := proxy_to(exchange, socket_url, settings.proxies)),
            native=clients[exchange][market.name].native,
            clock=common.clock,
            metrics=common.metrics,
            proxy=proxy,
            loops=common.loops,
        )
        for exchange, market, socket_url in pushed_markets(settings)
    }


def pushed_markets(settings: Settings) -> Iterator[tuple[str, Market, str]]:
    """The markets with pushed candles: exchange, market, base URL of its sockets.

    A market at another address, such as a testnet or a simulator, has other candles than the venue's own
    sockets. So it gets sockets only if they have another address too.
    """
    for exchange in EXCHANGES.values():
        for market in exchange.markets.values():
            socket, base_url = market.socket, settings.base_urls[market.url_setting]
            if socket is None or settings.live == "rest":
                continue
            socket_url = settings.socket_urls[socket.url_setting]
            own = base_url == market.base_url or (exchange is BINANCE and belongs_to(base_url))
            if own or socket_url != socket.base_url:
                yield exchange.name, market, socket_url


def _archives(common: Common, sessions: Sessions) -> dict[tuple[str, str], ArchiveClient]:
    """The archive of each Binance market with the same candles.

    A market at another address, such as a testnet or a simulator, has other candles than Binance's own
    archive. So it gets an archive only if that has another address too.
    """
    settings = common.settings
    archive_url = settings.binance_archive_url
    proxy = proxy_to(BINANCE.name, archive_url, settings.proxies)
    session, silence = sessions.by(proxy), settings.request_timeout
    return {
        (BINANCE.name, market.name): ArchiveClient(
            market=market.name,
            base_url=archive_url,
            session=session,
            clock=common.clock,
            silence=silence,
            metrics=common.metrics,
            proxy=proxy,
        )
        for market in BINANCE.markets.values()
        if settings.archive
        and market.name in FOLDERS
        and (archive_url != BASE_URL or belongs_to(settings.base_urls[market.url_setting]))
    }
