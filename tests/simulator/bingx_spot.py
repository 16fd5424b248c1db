"""BingX spot: candles in both generations and the historical ones, symbols, time.

Source: https://bingx-api.github.io/docs-v3 (Spot, Market Data). A row is eight bare numbers: [open time,
open, high, low, close, base volume, close time, quote volume]
[1702720620000,42216.29,42216.94,42216.29,42216.72,0.2,1702720679999,8548.46]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.simulator.answers import Answer, Question
from tests.simulator.archive import Archive
from tests.simulator.bingx_answers import failure, page, spot_error, success
from tests.simulator.bingx_candles import Bounds, Candles, Failed
from tests.simulator.bingx_params import Params, Rejected
from tests.simulator.decimals import trimmed
from tests.simulator.markets import Market
from tests.simulator.quotes import DEEPEST, book_of, day_of
from tests.simulator.rows import Row

MAXIMUM_LIMIT, HISTORICAL_LIMIT = 1440, 500
EAST = 8
"""Hours east of UTC that candles follow unless `timeZone` says otherwise."""


class BingxSpot:
    """The spot endpoints over an archive."""

    def __init__(self, archive: Archive, cached_chunks: int) -> None:
        self._archive = archive
        self._candles = Candles(archive, cached_chunks)

    def routes(self) -> Mapping[str, Callable[[Question], Answer]]:
        """Return the handlers by path."""
        return {
            "/openApi/spot/v1/market/kline": lambda asked: self._checked(self._klines, asked),
            "/openApi/spot/v2/market/kline": lambda asked: self._checked(self._klines, asked),
            "/openApi/market/his/v1/kline": lambda asked: self._checked(self._historical, asked),
            "/openApi/spot/v1/ticker/24hr": lambda asked: self._checked(self._ticker, asked),
            "/openApi/spot/v1/market/depth": lambda asked: self._checked(self._depth, asked),
            "/openApi/spot/v1/common/symbols": lambda asked: self._checked(self._symbols, asked),
            "/openApi/spot/v1/server/time": lambda asked: self._checked(self._time, asked),
        }

    def _checked(self, route: Callable[[Params], Answer], question: Question) -> Answer:
        try:
            return route(Params(dict(question.params), code=100400))
        except Rejected as rejected:
            return spot_error(rejected.code, rejected.message, self._archive.clock.now())
        except Failed:
            return failure(500, None)

    def _klines(self, params: Params, maximum: int = MAXIMUM_LIMIT) -> Answer:
        rules, now = self._archive.faults.quirks.bingx, self._archive.clock.now()
        market = self._market(params.needed("symbol"))
        grid = params.grid().shifted(params.offset(EAST))
        bounds = self._bounds(params)
        if rules.spot_widest is not None and bounds.start is not None:
            span = (now if bounds.end is None else bounds.end) - bounds.start
            if span > rules.spot_widest:
                raise Rejected(100204, "date of query is too wide.")
        wanted = self._candles.selection(bounds, params.limit(maximum, refused=False), rules)
        kept = rules.spot_retention.get(params.needed("interval"))
        rows = self._candles.newest(market, grid, wanted, kept, row)
        if not rows and rules.spot_empty_refused:
            raise Rejected(100204, "")
        return page(rows, now)

    def _historical(self, params: Params) -> Answer:
        return self._klines(params, HISTORICAL_LIMIT)

    def _bounds(self, params: Params) -> Bounds:
        rules = self._archive.faults.quirks.bingx
        bounds = Bounds(
            params.number("startTime"),
            params.number("endTime"),
            rules.spot_start_included,
            rules.spot_end_included,
        )
        return bounds.checked(params, rules)

    def _market(self, symbol: str) -> Market:
        for market in self._archive.listed():
            if hyphened(market) == symbol:
                return market
        raise Rejected(100204, "symbol is not found.")

    def _symbols(self, params: Params) -> Answer:
        named = params.values.get("symbol")
        markets = [self._market(named)] if named else self._archive.named(self._archive.listed())
        now = self._archive.clock.now()
        return success({"symbols": [_symbol(market, now) for market in markets]}, debugMsg="")

    def _ticker(self, params: Params) -> Answer:
        return success([ticker(self._market(params.needed("symbol")), self._archive)])

    def _depth(self, params: Params) -> Answer:
        market = self._market(params.needed("symbol"))
        bids, asks = book_of(market, self._archive, params.limit(DEEPEST, refused=False))
        return success({"bids": bids, "asks": asks, "ts": self._archive.clock.now()})

    def _time(self, _: Params) -> Answer:
        return success({"serverTime": self._archive.clock.now()})


def hyphened(market: Market) -> str:
    """Return the symbol as BingX spells it."""
    return f"{market.base}-{market.quote}"


def ticker(market: Market, archive: Archive) -> dict[str, Any]:
    """Return a market's last 24 hours and best offers."""
    day = day_of(market, archive)
    assert day is not None, "nothing traded in 24 hours: what is answered then is not documented"
    bids, asks = book_of(market, archive, 1)
    return {
        "symbol": hyphened(market),
        "lastPrice": day.close,
        "openPrice": day.open,
        "highPrice": day.high,
        "lowPrice": day.low,
        "volume": day.volume,
        "quoteVolume": day.quote_volume,
        "closeTime": archive.clock.now(),
        "bidPrice": bids[0][0],
        "bidQty": bids[0][1],
        "askPrice": asks[0][0],
        "askQty": asks[0][1],
    }


def row(candle: Row, following: int) -> bytes:
    """Print a candle; `following` is the open time of the next one, ms UTC."""
    prices = ",".join(map(trimmed, candle[1:6]))
    return f"[{candle.open_time},{prices},{following - 1},{trimmed(candle.quote_volume)}]".encode()


def _symbol(market: Market, now: int) -> dict[str, Any]:
    online = market.delisted is None or now < market.delisted
    return {
        "symbol": hyphened(market),
        "minQty": 10**-market.volume_decimals,
        "maxQty": 1_000_000,
        "minNotional": 1,
        "maxNotional": 1_000_000,
        "status": 1 if online else 0,
        "tickSize": 10**-market.price_decimals,
        "stepSize": 10**-market.volume_decimals,
        "apiStateSell": online,
        "apiStateBuy": online,
        "timeOnline": 0,
        "offTime": 0 if online else market.delisted,
        "maintainTime": 0,
        "displayName": hyphened(market),
    }
