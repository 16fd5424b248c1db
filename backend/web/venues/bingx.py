"""BingX's market data from the store: `/bingx/openApi`, spot and perpetual swap.

After https://bingx-api.github.io/docs-v3: `{"code":0,"msg":"","data":[..]}`, newest candle first. Errors
come with status 200 and a code that is not 0.
"""

from __future__ import annotations

from http import HTTPStatus

from backend.services.service import Service
from backend.web.venues import bingx_params as params
from backend.web.venues import bingx_rows as rows
from backend.web.venues.venue_handler import Route, VenueHandler, VenueRefusal, first
from backend.web.venues.venue_parameters import SYMBOL

ROOT = "/bingx/openApi"
NO_SPOT_SYMBOL = 100204
NO_SWAP_SYMBOL = 109425
BUSY = 100500
BUSY_TEXT = "The current system is busy, please try again later"


class SwapHandler(VenueHandler):
    exchange = "bingx"
    market = "perpetual"

    def send_data(self, data: object) -> None:
        self.send({"code": 0, "msg": "", "data": data})

    def refuse(self, number: int, message: str) -> VenueRefusal:
        return VenueRefusal({"code": number, "msg": message, "data": {}}, HTTPStatus.OK)

    def unknown_symbol(self, symbol: str) -> VenueRefusal:
        where = "please verify it in api: /openApi/swap/v2/quote/contracts"
        return self.refuse(NO_SWAP_SYMBOL, f"{symbol} not exist, {where}")

    def trouble(self) -> VenueRefusal:
        return self.refuse(BUSY, BUSY_TEXT)


class SpotHandler(VenueHandler):
    exchange = "bingx"
    market = "spot"

    def send_data(self, data: object) -> None:
        self.send({"code": 0, "msg": "", "timestamp": self.service.reading.mirror.now(), "data": data})

    def refuse(self, number: int, message: str) -> VenueRefusal:
        body = {"code": number, "msg": message, "timestamp": self.service.reading.mirror.now()}
        return VenueRefusal(body, HTTPStatus.OK)

    def unknown_symbol(self, symbol: str) -> VenueRefusal:  # noqa: ARG002
        return self.refuse(NO_SPOT_SYMBOL, "symbol is not found.")

    def trouble(self) -> VenueRefusal:
        return self.refuse(BUSY, BUSY_TEXT)


class SwapTime(SwapHandler):
    def get(self) -> None:
        self.send_data({"serverTime": self.service.reading.mirror.now()})


class SpotTime(SpotHandler):
    def get(self) -> None:
        self.send_data({"serverTime": self.service.reading.mirror.now()})


class SwapKlines(SwapHandler):
    async def get(self) -> None:
        asked = params.candles(self.asked(), params.SWAP, self.refuse)
        self.send_data(rows.swap_rows(await self.candles(asked)))


class KLineData(SwapHandler):
    """Stored candles of swaps in BingX's form, between two dates."""

    async def get(self) -> None:
        asked = params.candles(params.dated(self.asked(), self.refuse), params.SWAP, self.refuse)
        self.send_data(rows.swap_rows(await self.candles(asked)))


class SpotKlines(SpotHandler):
    def initialize(self, service: Service, rules: params.Rules) -> None:  # type: ignore[override]
        super().initialize(service)
        self.rules = rules

    async def get(self) -> None:
        asked = params.candles(self.asked(), self.rules, self.refuse)
        self.send_data(rows.spot_rows(await self.candles(asked), asked.wanted.interval))


class Contracts(SwapHandler):
    async def get(self) -> None:
        symbol = first(self.asked(), SYMBOL)
        instruments = await self.instruments([symbol] if symbol else None)
        self.send_data([rows.contract(each) for each in instruments])


class CoinContracts(SwapHandler):
    """Coin-margined contracts. The service cannot store them, but common clients request them."""

    def get(self) -> None:
        self.send_data([])


class Symbols(SpotHandler):
    async def get(self) -> None:
        symbol = first(self.asked(), SYMBOL)
        instruments = await self.instruments([symbol] if symbol else None)
        self.send_data({"symbols": [rows.spot_symbol(each) for each in instruments]})


def bingx_routes(service: Service) -> list[Route]:
    given = {"service": service}
    spot, old_spot = (
        {"service": service, "rules": params.SPOT},
        {"service": service, "rules": params.OLD_SPOT},
    )
    return [
        (r"/get-k-line-data", KLineData, given),
        (f"{ROOT}/swap/v2/server/time", SwapTime, given),
        (f"{ROOT}/swap/v2/quote/contracts", Contracts, given),
        (f"{ROOT}/swap/v2/quote/klines", SwapKlines, given),
        (f"{ROOT}/swap/v3/quote/klines", SwapKlines, given),
        (f"{ROOT}/cswap/v1/market/contracts", CoinContracts, given),
        (f"{ROOT}/spot/v1/server/time", SpotTime, given),
        (f"{ROOT}/spot/v1/common/symbols", Symbols, given),
        (f"{ROOT}/spot/v1/market/kline", SpotKlines, spot),
        (f"{ROOT}/spot/v2/market/kline", SpotKlines, spot),
        (f"{ROOT}/market/his/v1/kline", SpotKlines, old_spot),
    ]
