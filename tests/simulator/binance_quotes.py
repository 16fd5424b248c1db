"""Binance's `ticker/24hr` and `depth`, on both interfaces.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints and
.../derivatives/usds-margined-futures/market-data/rest-api. Perpetual has no best offers in its ticker.
"""

from __future__ import annotations

import re
from typing import Any

from tests.simulator.answers import Question
from tests.simulator.archive import Archive
from tests.simulator.binance_params import Rejected, named, require, symbol_of
from tests.simulator.markets import Market
from tests.simulator.quotes import book_of, day_of
from tests.simulator.times import DAY

LIMIT = re.compile(r"[0-9]{1,9}")
SPOT_DEEPEST = 5000
PERPETUAL_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)


def spot_ticker(question: Question, archive: Archive, _: int | None) -> Any:
    """Answer with the day and the best offers of one symbol."""
    market = _asked(question, archive, ("symbol",))
    bids, asks = book_of(market, archive, 1)
    best = {"bidPrice": bids[0][0], "bidQty": bids[0][1], "askPrice": asks[0][0], "askQty": asks[0][1]}
    return _day(market, archive) | best


def perpetual_ticker(question: Question, archive: Archive, _: int | None) -> Any:
    """Answer with the day of one symbol."""
    return _day(_asked(question, archive, ("symbol",)), archive)


def spot_depth(question: Question, archive: Archive, _: int | None) -> Any:
    """Answer with the book; a limit that is too large is cut."""
    market = _asked(question, archive, ("symbol", "limit"))
    return _book(market, archive, min(_limit(question), SPOT_DEEPEST))


def perpetual_depth(question: Question, archive: Archive, _: int | None) -> Any:
    """Answer with the book; only some limits are taken."""
    market = _asked(question, archive, ("symbol", "limit"))
    limit = _limit(question)
    if limit not in PERPETUAL_DEPTHS:
        raise Rejected(-4021, f"{limit} is not valid depth limit.")
    now = archive.clock.now()
    return _book(market, archive, limit) | {"E": now, "T": now}


def _asked(question: Question, archive: Archive, names: tuple[str, ...]) -> Market:
    params = named(question.params, names)
    require(params, "symbol")
    market = archive.served(symbol_of(params["symbol"]))
    if market is None:
        raise Rejected(-1121, "Invalid symbol.")
    return market


def _limit(question: Question) -> int:
    text = dict(question.params).get("limit", "100")
    if not LIMIT.fullmatch(text) or int(text) < 1:
        raise Rejected(-1130, "Data sent for parameter 'limit' is not valid.")
    return int(text)


def _day(market: Market, archive: Archive) -> dict[str, Any]:
    now, day = archive.clock.now(), day_of(market, archive)
    assert day is not None, "nothing traded in 24 hours: what is answered then is not documented"
    return {
        "symbol": market.symbol,
        "lastPrice": day.close,
        "openPrice": day.open,
        "highPrice": day.high,
        "lowPrice": day.low,
        "volume": day.volume,
        "quoteVolume": day.quote_volume,
        "openTime": now - DAY,
        "closeTime": now,
        "count": day.trades,
    }


def _book(market: Market, archive: Archive, limit: int) -> dict[str, Any]:
    bids, asks = book_of(market, archive, limit)
    return {"lastUpdateId": archive.clock.now(), "bids": bids, "asks": asks}
