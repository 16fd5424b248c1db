"""Binance's market data from the store: `/binance/api/v3` for spot, `/binance/fapi/v1` for USD-M perpetual.

After https://developers.binance.com: bare lists, errors as `{"code":-1121,"msg":"Invalid symbol."}` with 400.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from backend.clock import LATEST
from backend.core.columns import Columns
from backend.core.series import Series
from backend.core.windows import Window
from backend.services.reading.bars import Selection
from backend.services.reading.instruments import Instrument
from backend.services.service import Service
from backend.web.venues import binance_params as params
from backend.web.venues import binance_rows as rows
from backend.web.venues.base import Asked, Query, Refusal, Route, VenueHandler

Writer = Callable[[rows.Ticker], dict[str, object]]
Form = Callable[[Query], Writer]
"""Which ticker a request wants."""

MINUTES_A_DAY = 1440
NEWEST_DAY = Selection(Window(0, LATEST + 1), limit=MINUTES_A_DAY, newest=True)


@dataclass(frozen=True, slots=True)
class Interface:
    """In what the two interfaces differ. `symbol` writes an entry of the listing."""

    market: str
    path: str
    rules: params.Rules
    symbol: Callable[[Instrument], dict[str, object]]


SPOT = Interface("spot", "/binance/api/v3", params.SPOT, rows.spot_symbol)
FUTURES = Interface("perpetual", "/binance/fapi/v1", params.FUTURES, rows.contract)


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

    def unknown_symbol(self, symbol: str) -> Refusal:  # noqa: ARG002
        return params.refusal(-1121, "Invalid symbol.")

    def trouble(self) -> Refusal:
        message = "Internal error; unable to process your request. Please try again."
        return Refusal({"code": -1001, "msg": message}, HTTPStatus.SERVICE_UNAVAILABLE)


class Ping(BinanceHandler):
    def get(self) -> None:
        self.send({})


class Time(BinanceHandler):
    def get(self) -> None:
        self.send({"serverTime": self.service.mirror.now()})


class Klines(BinanceHandler):
    async def get(self) -> None:
        asked = params.klines(self.asked(), self.interface.rules)
        self.send(rows.kline_rows(await self.candles(asked), asked.wanted.interval))


class ExchangeInfo(BinanceHandler):
    async def get(self) -> None:
        wanted = params.listing(self.asked(), self.interface.rules)
        entries = [self.interface.symbol(each) for each in await self.instruments(wanted.symbols)]
        self.send(
            {
                "timezone": "UTC",
                "serverTime": self.service.mirror.now(),
                "rateLimits": [],
                "exchangeFilters": [],
                "symbols": [each for each in entries if wanted.status in (None, each["status"])],
            }
        )


class NoContracts(BinanceHandler):
    """Coin-margined contracts, which nobody can store here: common clients ask for them on the way."""

    def get(self) -> None:
        self.send({"timezone": "UTC", "rateLimits": [], "exchangeFilters": [], "symbols": []})


class Tickers(BinanceHandler):
    """One object for `symbol`, a list for `symbols` or for all that is stored."""

    def initialize(self, service: Service, interface: Interface, form: Form) -> None:  # type: ignore[override]
        super().initialize(service, interface)
        self.form = form

    async def get(self) -> None:
        query, rules = self.asked(), self.interface.rules
        symbols = params.named_symbols(query, rules.tickers, strict=rules.strict)
        write = self.form(query)
        if symbols and "symbol" in query:
            minutes = await self.candles(Asked(symbols[0], NEWEST_DAY))
            self.send(write(self._ticker(symbols[0], minutes)))
            return
        self.send([write(await self._stored(series)) for series in await self._listed(symbols)])

    async def _listed(self, symbols: list[str] | None) -> list[Series]:
        if symbols is not None:
            return [self.series_of(symbol) for symbol in symbols]
        return await self.service.mirror.stored_of(self.exchange, self.market)

    async def _stored(self, series: Series) -> rows.Ticker:
        """For lists: as many syncs as symbols would take too long."""
        page = await self.service.mirror.stored_page(series, NEWEST_DAY)
        return self._ticker(series.symbol, page.candles)

    def _ticker(self, symbol: str, minutes: Columns) -> rows.Ticker:
        """An object cannot be empty, so a symbol that is not stored is an unknown one."""
        if not len(minutes):
            raise self.unknown_symbol(symbol)
        return rows.Ticker(symbol, minutes)


def prices(_: Query) -> Writer:
    return rows.price


def timed_prices(_: Query) -> Writer:
    return rows.timed_price


def days(query: Query) -> Writer:
    return rows.mini_day if params.short(query) else rows.day


def binance_routes(service: Service) -> list[Route]:
    """The routes of both interfaces."""
    only = {"service": service}
    return [
        *_routes(only | {"interface": SPOT}, SPOT.path, prices),
        (f"{SPOT.path}/uiKlines", Klines, only | {"interface": SPOT}),
        *_routes(only | {"interface": FUTURES}, FUTURES.path, timed_prices),
        ("/binance/fapi/v2/ticker/price", Tickers, only | {"interface": FUTURES, "form": timed_prices}),
        ("/binance/dapi/v1/exchangeInfo", NoContracts, only),
    ]


def _routes(given: dict[str, Any], path: str, price: Form) -> list[Route]:
    return [
        (f"{path}/ping", Ping, given),
        (f"{path}/time", Time, given),
        (f"{path}/exchangeInfo", ExchangeInfo, given),
        (f"{path}/klines", Klines, given),
        (f"{path}/ticker/price", Tickers, given | {"form": price}),
        (f"{path}/ticker/24hr", Tickers, given | {"form": days}),
    ]
