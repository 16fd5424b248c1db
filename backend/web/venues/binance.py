"""Binance's market data from the store: `/binance/api/v3` for spot, `/binance/fapi/v1` for USD-M perpetual.

After https://developers.binance.com: bare lists, errors as `{"code":-1121,"msg":"Invalid symbol."}` with 400.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from backend.clock import LATEST
from backend.core.columns import Columns
from backend.core.day import MINUTES_A_DAY, Day, day_of
from backend.core.interval import Interval
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.windows import Window
from backend.services.reading.catalogue import Catalogue, Last, Marks, last_of
from backend.services.reading.instruments import Instrument
from backend.services.service import Service
from backend.web.venues import binance_params as params
from backend.web.venues import binance_rows as rows
from backend.web.venues.venue_handler import Asked, Query, Route, VenueHandler, VenueRefusal

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class Interface:
    """The differences of the interfaces. `symbol` writes an entry of the listing, `price` a price ticker,
    `candles` the rows of candles."""

    market: str
    path: str
    rules: params.Rules
    symbol: Callable[[Instrument], dict[str, object]]
    price: Callable[[str, Last], dict[str, object]]
    candles: Callable[[Columns, Interval], list[tuple[object, ...]]] = rows.kline_rows


SPOT = Interface("spot", "/binance/api/v3", params.SPOT, rows.spot_symbol, rows.price)
FUTURES = Interface("perpetual", "/binance/fapi/v1", params.FUTURES, rows.contract, rows.timed_price)
MARK = replace(FUTURES, market="perpetual-mark", candles=rows.price_rows)
INDEX = replace(MARK, market="perpetual-index", rules=params.INDEX)


@dataclass(frozen=True, slots=True)
class Ticker(Generic[Fact]):
    """What a ticker tells: `fact` makes it of so many of the newest `minutes`, `facts` are those of many
    series, and `writer` says how a request wants it written."""

    minutes: int
    fact: Callable[[Columns], Fact]
    facts: Callable[[Catalogue, Marks], Awaitable[Mapping[Series, Fact]]]
    writer: Callable[[Interface, Query], Callable[[str, Fact], dict[str, object]]]


def _price_writer(interface: Interface, _query: Query) -> Callable[[str, Last], dict[str, object]]:
    return interface.price


def _day_writer(_interface: Interface, query: Query) -> Callable[[str, Day], dict[str, object]]:
    return rows.mini_day if params.short(query) else rows.day


PRICE = Ticker(1, last_of, Catalogue.prices, _price_writer)
DAY = Ticker(MINUTES_A_DAY, day_of, Catalogue.days, _day_writer)


class BinanceHandler(VenueHandler):
    exchange = "binance"

    def initialize(self, service: Service, interface: Interface = SPOT) -> None:
        super().initialize(service)
        self.interface = interface
        self.market = interface.market

    def prepare(self) -> None:
        super().prepare()
        if self.request.headers.get("X-MBX-TIME-UNIT", "MILLISECOND").upper() != "MILLISECOND":
            raise params.refusal(-1194, "Invalid value for time unit; expected MILLISECOND.")

    def unknown_symbol(self, symbol: str) -> VenueRefusal:  # noqa: ARG002
        return params.refusal(-1121, "Invalid symbol.")

    def trouble(self) -> VenueRefusal:
        message = "Internal error; unable to process your request. Please try again."
        return VenueRefusal({"code": -1001, "msg": message}, HTTPStatus.SERVICE_UNAVAILABLE)


class Ping(BinanceHandler):
    def get(self) -> None:
        self.send({})


class Time(BinanceHandler):
    def get(self) -> None:
        self.send({"serverTime": self.service.reading.mirror.now()})


class Klines(BinanceHandler):
    async def get(self) -> None:
        asked = params.klines(self.asked(), self.interface.rules)
        self.send(self.interface.candles(await self.candles(asked), asked.wanted.interval))


class ExchangeInfo(BinanceHandler):
    async def get(self) -> None:
        wanted = params.listing(self.asked(), self.interface.rules)
        entries = [self.interface.symbol(each) for each in await self.instruments(wanted.symbols)]
        self.send(
            {
                "timezone": "UTC",
                "serverTime": self.service.reading.mirror.now(),
                "rateLimits": [],
                "exchangeFilters": [],
                "symbols": [each for each in entries if wanted.status in (None, each["status"])],
            }
        )


class NoContracts(BinanceHandler):
    """Coin-margined contracts. The service cannot store them, but common clients request them."""

    def get(self) -> None:
        self.send({"timezone": "UTC", "rateLimits": [], "exchangeFilters": [], "symbols": []})


class Tickers(BinanceHandler):
    """One object for `symbol`, a list for `symbols` or for all that is stored."""

    def initialize(self, service: Service, interface: Interface, ticker: Ticker[Any]) -> None:  # type: ignore[override]
        super().initialize(service, interface)
        self.ticker = ticker

    async def get(self) -> None:
        query, rules = self.asked(), self.interface.rules
        symbols = params.named_symbols(query, rules.tickers, strict=rules.strict)
        write = self.ticker.writer(self.interface, query)
        if symbols and "symbol" in query:
            newest = Selection(Window(0, LATEST + 1), limit=self.ticker.minutes, newest=True)
            candles = await self.candles(Asked(symbols[0], newest))
            if not len(candles):
                raise self.unknown_symbol(symbols[0])
            self.send(write(symbols[0], self.ticker.fact(candles)))
            return
        self.send([write(series.symbol, fact) for series, fact in await self.read(self._listed(symbols))])

    async def _listed(self, symbols: list[str] | None) -> list[tuple[Series, Any]]:
        """Lists do not sync: one sync for each symbol would take too long.

        An object cannot be empty, so a requested symbol that is not stored counts as unknown.
        """
        catalogue = self.service.reading.catalogue
        if symbols is None:
            facts = await self.ticker.facts(catalogue, await catalogue.held(self.exchange, self.market))
            return list(facts.items())
        named = [self.series_of(symbol) for symbol in symbols]
        facts = await self.ticker.facts(catalogue, await catalogue.held_of(named))
        for series in named:
            if series not in facts:
                raise self.unknown_symbol(series.symbol)
        return [(series, facts[series]) for series in named]


def binance_routes(service: Service) -> list[Route]:
    """The routes of both interfaces."""
    only = {"service": service}
    return [
        *_routes(only | {"interface": SPOT}, SPOT.path),
        (f"{SPOT.path}/uiKlines", Klines, only | {"interface": SPOT}),
        *_routes(only | {"interface": FUTURES}, FUTURES.path),
        (f"{FUTURES.path}/markPriceKlines", Klines, only | {"interface": MARK}),
        (f"{FUTURES.path}/indexPriceKlines", Klines, only | {"interface": INDEX}),
        ("/binance/fapi/v2/ticker/price", Tickers, only | {"interface": FUTURES, "ticker": PRICE}),
        ("/binance/dapi/v1/exchangeInfo", NoContracts, only),
    ]


def _routes(given: dict[str, Any], path: str) -> list[Route]:
    return [
        (f"{path}/ping", Ping, given),
        (f"{path}/time", Time, given),
        (f"{path}/exchangeInfo", ExchangeInfo, given),
        (f"{path}/klines", Klines, given),
        (f"{path}/ticker/price", Tickers, given | {"ticker": PRICE}),
        (f"{path}/ticker/24hr", Tickers, given | {"ticker": DAY}),
    ]
