"""Bitget's market data from the store: `/bitget/api/v2`, spot and USDT-margined perpetual contracts.

After https://www.bitget.com/api-doc: `{"code":"00000","msg":"success","requestTime":..,"data":[..]}`,
errors in the same envelope with 400.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from backend.services.service import Service
from backend.web.venues import bitget_params as params
from backend.web.venues import bitget_rows as rows
from backend.web.venues.venue_handler import Route, VenueHandler, VenueRefusal, first
from backend.web.venues.venue_parameters import SYMBOL

ROOT = "/bitget/api/v2"
SPOT_RECENT = params.Endpoint(params.SPOT, 1000, history=False)
SPOT_HISTORY = params.Endpoint(params.SPOT, 200, history=True)
CONTRACTS_RECENT = params.Endpoint(params.CONTRACTS, 1000, history=False)
CONTRACTS_HISTORY = params.Endpoint(params.CONTRACTS, 200, history=True)


class BitgetHandler(VenueHandler):
    exchange = "bitget"

    def initialize(self, service: Service) -> None:
        super().initialize(service)
        self.now = service.reading.mirror.now()

    def send_data(self, data: object) -> None:
        self.send({"code": "00000", "msg": "success", "requestTime": self.now, "data": data})

    def send_nothing(self) -> None:
        """The answer to a request for data that the service cannot store."""
        self.set_header("X-Series", "not stored")
        self.send_data([])

    def unknown_symbol(self, symbol: str) -> VenueRefusal:
        return params.unknown_symbol(symbol, self.now)

    def trouble(self) -> VenueRefusal:
        message = "System is abnormal, please try again later"
        body = params.refusal("40015", message, self.now).body
        return VenueRefusal(body, HTTPStatus.SERVICE_UNAVAILABLE)


class Time(BitgetHandler):
    def get(self) -> None:
        self.send_data({"serverTime": str(self.now)})


class Nothing(BitgetHandler):
    """Data that common clients request and the service cannot store."""

    def get(self) -> None:
        self.send_data([])


class CandlesHandler(BitgetHandler):
    def initialize(self, service: Service, endpoint: params.Endpoint) -> None:  # type: ignore[override]
        super().initialize(service)
        self.endpoint = endpoint


class SpotCandles(CandlesHandler):
    market = "spot"

    async def get(self) -> None:
        asked = params.candles(self.asked(), self.endpoint, self.now)
        self.send_data(rows.spot_rows(await self.candles(asked), asked.symbol.upper()))


class ContractCandles(CandlesHandler):
    market = "perpetual"

    async def get(self) -> None:
        query = self.asked()
        stored = params.is_stored_product(query, self.now) and params.is_traded_price(query)
        asked = params.candles(query, self.endpoint, self.now)
        if not stored:
            self.send_nothing()
            return
        self.send_data(rows.contract_rows(await self.candles(asked)))


class Symbols(BitgetHandler):
    market = "spot"

    async def get(self) -> None:
        symbol = first(self.asked(), SYMBOL)
        instruments = await self.instruments([symbol] if symbol else None)
        self.send_data([rows.spot_symbol(each) for each in instruments])


class Contracts(BitgetHandler):
    market = "perpetual"

    async def get(self) -> None:
        query = self.asked()
        if not params.is_stored_product(query, self.now):
            self.send_nothing()
            return
        symbol = first(query, SYMBOL)
        listed = await self.instruments([symbol] if symbol else None)
        instruments = [each for each in listed if each.quote == rows.DOLLAR]
        self.send_data([rows.contract(each) for each in instruments])


def bitget_routes(service: Service) -> list[Route]:
    given: dict[str, Any] = {"service": service}
    return [
        (f"{ROOT}/public/time", Time, given),
        (f"{ROOT}/spot/public/symbols", Symbols, given),
        (f"{ROOT}/spot/public/coins", Nothing, given),
        (f"{ROOT}/margin/currencies", Nothing, given),
        (f"{ROOT}/spot/market/candles", SpotCandles, given | {"endpoint": SPOT_RECENT}),
        (f"{ROOT}/spot/market/history-candles", SpotCandles, given | {"endpoint": SPOT_HISTORY}),
        (f"{ROOT}/mix/market/contracts", Contracts, given),
        (f"{ROOT}/mix/market/candles", ContractCandles, given | {"endpoint": CONTRACTS_RECENT}),
        (f"{ROOT}/mix/market/history-candles", ContractCandles, given | {"endpoint": CONTRACTS_HISTORY}),
    ]
