"""TradingView's UDF data feed under `/udf`: charts read the store without code of their own.

After https://www.tradingview.com/charting-library-docs/latest/connecting_data/UDF: times are Unix seconds,
bars come as columns, errors as `{"s":"error","errmsg":".."}`. `to` is not included. Where nothing is in
range, `nextTime` is the newest bar before it; without one, history has not begun.
"""

from __future__ import annotations

from http import HTTPStatus

from backend.core.columns import Columns
from backend.services.service import Service
from backend.web.venues import udf_params as params
from backend.web.venues.venue_handler import Route, VenueHandler, VenueRefusal, first

DELAY_SECONDS = 60
"""A candle can be read when its minute is over."""


class UdfHandler(VenueHandler):
    def unknown_symbol(self, symbol: str) -> VenueRefusal:
        return params.unknown_symbol(symbol)

    def trouble(self) -> VenueRefusal:
        return params.refusal("the service has a problem: try again later", HTTPStatus.SERVICE_UNAVAILABLE)


class Config(UdfHandler):
    def get(self) -> None:
        exchanges = dict.fromkeys(exchange for exchange, _ in self.service.markets.names())
        self.send(
            {
                "supported_resolutions": list(params.RESOLUTIONS),
                "supports_search": True,
                "supports_group_request": False,
                "supports_marks": False,
                "supports_timescale_marks": False,
                "supports_time": True,
                "exchanges": [
                    {"value": "", "name": "All", "desc": "All exchanges"},
                    *({"value": name.upper(), "name": name.upper(), "desc": name} for name in exchanges),
                ],
                "symbols_types": [
                    {"name": "All", "value": ""},
                    *({"name": name, "value": kind} for name, kind in params.MARKET_TYPES.items()),
                ],
            }
        )


class Time(UdfHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(str(self.service.reading.mirror.now() // 1000))


class Symbols(UdfHandler):
    async def get(self) -> None:
        query = self.asked()
        series = params.series(query, self.service.markets)
        instrument = await self.service.reading.mirror.instrument(series)
        if instrument is None:
            raise params.unknown_symbol(first(query, params.SYMBOL))
        name, exchange = params.ticker(series), series.exchange.upper()
        self.send(
            {
                "name": name.partition(":")[2],
                "ticker": name,
                "description": f"{instrument.base} / {instrument.quote}".strip(" /"),
                "type": params.MARKET_TYPES[series.market],
                "session": "24x7",
                "timezone": "Etc/UTC",
                "exchange": exchange,
                "listed_exchange": exchange,
                "format": "price",
                "minmov": 1,
                "pricescale": 10**instrument.price_decimals,
                "volume_precision": instrument.volume_decimals,
                "currency_code": instrument.quote,
                "has_intraday": True,
                "has_daily": True,
                "has_weekly_and_monthly": True,
                "intraday_multipliers": [name for name in params.RESOLUTIONS if name.isdigit()],
                "supported_resolutions": list(params.RESOLUTIONS),
                "data_status": "delayed_streaming",
                "delay": DELAY_SECONDS,
            }
        )


class Search(UdfHandler):
    async def get(self) -> None:
        query = self.asked()
        most = params.most_found(query)
        matching = [
            series for series in await self.service.reading.mirror.stored() if params.matches(query, series)
        ]
        self.send(
            [
                {
                    "symbol": params.ticker(series).partition(":")[2],
                    "full_name": params.ticker(series),
                    "ticker": params.ticker(series),
                    "description": f"{series.symbol} {series.market}",
                    "exchange": series.exchange.upper(),
                    "type": params.MARKET_TYPES[series.market],
                }
                for series in matching[:most]
            ]
        )


class History(UdfHandler):
    async def get(self) -> None:
        query = self.asked()
        series = params.series(query, self.service.markets)
        wanted = params.history(query)
        page = await self.page(series, wanted)
        if not page.stored:
            raise params.unknown_symbol(first(query, params.SYMBOL))
        if len(page.candles) > params.MOST_BARS:
            raise params.refusal(f"more than {params.MOST_BARS} bars: ask for a shorter time")
        if len(page.candles):
            self.send(_bars(page.candles))
            return
        earlier = await self.page(series, params.before(wanted))
        times = earlier.candles.open_time.tolist()
        self.send({"s": "no_data", "nextTime": times[-1] // 1000} if times else {"s": "no_data"})


def _bars(candles: Columns) -> dict[str, object]:
    return {
        "s": "ok",
        "t": (candles.open_time // 1000).tolist(),
        "o": candles.open.tolist(),
        "h": candles.high.tolist(),
        "l": candles.low.tolist(),
        "c": candles.close.tolist(),
        "v": candles.volume.tolist(),
    }


def udf_routes(service: Service) -> list[Route]:
    given = {"service": service}
    return [
        ("/udf/config", Config, given),
        ("/udf/time", Time, given),
        ("/udf/symbols", Symbols, given),
        ("/udf/search", Search, given),
        ("/udf/history", History, given),
    ]
