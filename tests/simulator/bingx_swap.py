"""BingX perpetual swaps in USDT and USDC: candles in both generations, mark price candles, contracts, time.

Source: https://bingx-api.github.io/docs-v3 (Swap, Market Data). A row, `time` being its open time:
{"open":"64175.4","close":"64160.1","high":"64200.0","low":"64100.5","volume":"1.7765","time":1702717260000}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from tests.simulator.answers import Answer, Question
from tests.simulator.archive import Archive
from tests.simulator.bingx_answers import failure, page, success, swap_error
from tests.simulator.bingx_candles import Bounds, Candles, Failed
from tests.simulator.bingx_params import Params, Rejected
from tests.simulator.bingx_spot import hyphened, ticker
from tests.simulator.bitget_quotes import paid_at
from tests.simulator.decimals import fixed, unit
from tests.simulator.markets import Market
from tests.simulator.pages import Render
from tests.simulator.quotes import book_of
from tests.simulator.rows import Row
from tests.simulator.times import DAY

MAXIMUM_LIMIT = 1440
FUNDED = 8 * 3_600_000
QUOTES = ("USDT", "USDC")
DEPTHS = ("5", "10", "20", "50", "100", "500", "1000")


class BingxSwap:
    """The swap endpoints over an archive of trades, and one of mark prices."""

    def __init__(self, archive: Archive, marks: Archive, cached_chunks: int) -> None:
        self._archive = archive
        self._candles = Candles(archive, cached_chunks)
        self._marks = Candles(marks, cached_chunks)
        self._mark_archive = marks
        self._asked: Counter[tuple[int, int]] = Counter()

    def routes(self) -> Mapping[str, Callable[[Question], Answer]]:
        """Return the handlers by path."""
        klines = partial(self._klines, printer=rows_of, candles=self._candles, archive=self._archive)
        marks = partial(self._klines, printer=marks_of, candles=self._marks, archive=self._mark_archive)
        return {
            "/openApi/swap/v3/quote/klines": lambda asked: self._checked(klines, asked),
            "/openApi/swap/v2/quote/klines": lambda asked: self._checked(klines, asked),
            "/openApi/swap/v1/market/markPriceKlines": lambda asked: self._checked(marks, asked),
            "/openApi/swap/v2/quote/ticker": lambda asked: self._checked(self._ticker, asked),
            "/openApi/swap/v2/quote/depth": lambda asked: self._checked(self._depth, asked),
            "/openApi/swap/v2/quote/fundingRate": lambda asked: self._checked(self._payments, asked),
            "/openApi/swap/v2/quote/premiumIndex": lambda asked: self._checked(self._funding, asked),
            "/openApi/swap/v2/quote/contracts": lambda asked: self._checked(self._contracts, asked),
            "/openApi/swap/v2/server/time": lambda asked: self._checked(self._time, asked),
        }

    def _checked(self, route: Callable[[Params], Answer], question: Question) -> Answer:
        try:
            return route(Params(dict(question.params), code=109400))
        except Rejected as rejected:
            return swap_error(rejected.code, rejected.message)
        except Failed:
            return failure(500, None)

    def _klines(
        self, params: Params, printer: Callable[[int, int], Render], candles: Candles, archive: Archive
    ) -> Answer:
        rules = self._archive.faults.quirks.bingx
        market = archive.market(self._market(params).symbol)
        assert market is not None
        grid = params.grid().shifted(params.offset(0))
        limit = params.limit(MAXIMUM_LIMIT, refused=rules.swap_limit_refused)
        wanted = candles.selection(self._bounds(params), limit, rules)
        kept = rules.swap_retention.get(params.needed("interval"))
        render = printer(market.price_decimals, market.volume_decimals)
        return page(candles.newest(market, grid, wanted, kept, render))

    def _bounds(self, params: Params) -> Bounds:
        rules = self._archive.faults.quirks.bingx
        bounds = Bounds(
            params.number("startTime"),
            params.number("endTime"),
            rules.swap_start_included,
            rules.swap_end_included,
        )
        return bounds.checked(params, rules)

    def _market(self, params: Params) -> Market:
        symbol = params.needed("symbol")
        if symbol.rpartition("-")[2] not in QUOTES:
            raise params.wrong("symbol", "must end with -USDT or -USDC.")
        for market in self._listed():
            if hyphened(market) == symbol:
                return market
        text = f"{symbol} not exist, please verify it in api: /openApi/swap/v2/quote/contracts"
        raise Rejected(109425, text)

    def _listed(self) -> list[Market]:
        return [market for market in self._archive.listed() if market.quote in QUOTES]

    def _contracts(self, params: Params) -> Answer:
        markets = (
            [self._market(params)] if params.values.get("symbol") else self._archive.named(self._listed())
        )
        now = self._archive.clock.now()
        return success([_contract(number, market, now) for number, market in enumerate(markets, 100)])

    def _ticker(self, params: Params) -> Answer:
        return success(ticker(self._market(params), self._archive))

    def _depth(self, params: Params) -> Answer:
        market, limit = self._market(params), params.values.get("limit", "20")
        if limit not in DEPTHS:
            raise params.wrong("limit", f"must be one of {','.join(DEPTHS)}.")
        bids, asks = book_of(market, self._archive, int(limit))
        return success(
            {"T": self._archive.clock.now(), "bids": bids, "asks": asks, "bidsCoin": bids, "asksCoin": asks}
        )

    def _funding(self, params: Params) -> Answer:
        market, now = self._market(params), self._archive.clock.now()
        return success(
            {
                "symbol": hyphened(market),
                "markPrice": "",
                "indexPrice": "",
                "lastFundingRate": "0.00010000",
                "nextFundingTime": now // FUNDED * FUNDED + FUNDED,
                "fundingIntervalHours": 8,
                "updateTime": now,
            }
        )

    def _payments(self, params: Params) -> Answer:
        """The newest of what was paid in a time. The first two answers about it are null, as now and then at
        the venue."""
        market, limit = self._market(params), int(params.values.get("limit", "100"))
        start, end = int(params.values["startTime"]), int(params.values["endTime"])
        if limit > 1000:
            raise params.wrong("limit", "must not be over 1000.")
        self._asked[start, end] += 1
        newest = min(end, self._archive.clock.now()) // FUNDED * FUNDED
        times = range(newest, max(start, market.listed) - 1, -FUNDED)
        rows = [
            {"symbol": hyphened(market), "fundingRate": paid_at(time), "fundingTime": time, "markPrice": "1"}
            for time in times[:limit]
        ]
        return success(rows if rows and self._asked[start, end] > 2 else None)

    def _time(self, _: Params) -> Answer:
        return success({"serverTime": self._archive.clock.now()})


@cache
def rows_of(price_decimals: int, volume_decimals: int) -> Render:
    """Return how the candles of a market are printed."""

    def row(candle: Row, _: int) -> bytes:
        prices = _prices(candle, price_decimals)
        volume = fixed(candle.volume, volume_decimals)
        return f'{{{prices},"volume":"{volume}","time":{candle.open_time}}}'.encode()

    return row


@cache
def marks_of(price_decimals: int, _: int) -> Render:
    """Return how the mark price candles of a market are printed: without volume, both times the open time."""

    def row(candle: Row, _: int) -> bytes:
        times = f'"openTime":{candle.open_time},"closeTime":{candle.open_time}'
        return f'{{{_prices(candle, price_decimals)},"volume":"0.00",{times}}}'.encode()

    return row


def _prices(candle: Row, decimals: int) -> str:
    prices = {"open": candle.open, "close": candle.close, "high": candle.high, "low": candle.low}
    return ",".join(f'"{name}":"{fixed(price, decimals)}"' for name, price in prices.items())


def _contract(number: int, market: Market, now: int) -> dict[str, Any]:
    """Return a contract; its launch time is the day's on which trading began, as the real one is vague."""
    online = market.delisted is None or now < market.delisted
    return {
        "contractId": str(number),
        "symbol": hyphened(market),
        "size": unit(market.volume_decimals),
        "quantityPrecision": market.volume_decimals,
        "pricePrecision": market.price_decimals,
        "feeRate": 0.0005,
        "makerFeeRate": 0.0002,
        "takerFeeRate": 0.0005,
        "tradeMinQuantity": 10**-market.volume_decimals,
        "tradeMinUSDT": 2,
        "currency": market.quote,
        "asset": market.base,
        "status": 1 if online else 0,
        "apiStateOpen": str(online).lower(),
        "apiStateClose": str(online).lower(),
        "ensureTrigger": True,
        "triggerFeeRate": "0.00050000",
        "launchTime": market.listed - market.listed % DAY,
        "maintainTime": 0,
        "offTime": 0 if online else market.delisted,
        "displayName": hyphened(market),
    }
