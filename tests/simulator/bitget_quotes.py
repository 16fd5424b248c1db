"""Bitget's tickers and order books, of spot and of contracts.

Source: https://www.bitget.com/api-doc/spot/market/Get-Tickers, .../Get-Orderbook and
.../contract/market/Get-Ticker, .../Get-Merge-Depth. Books of contracts have numbers, those of spot text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.simulator.archive import Archive
from tests.simulator.bitget_params import Rejected, limit_of, market_of, product_type_of, require, unknown
from tests.simulator.markets import Market
from tests.simulator.quotes import Offers, book_of, day_of

MIX_DEPTHS = ("1", "5", "15", "50", "max")
FUNDED = 8 * 3_600_000
DEFAULT_DEPTH, SPOT_DEEPEST = 100, 150


def spot_tickers(params: Mapping[str, str], archive: Archive) -> Any:
    """Answer with the day of one symbol, as a list; all symbols at once are not imitated."""
    require(params, "symbol")
    market = market_of(params["symbol"], archive)
    return [_day(market, archive) | {"open": _opened(market, archive)}]


def mix_ticker(params: Mapping[str, str], archive: Archive) -> Any:
    """Answer with the day of one contract, as a list."""
    market = _contract(params, archive)
    return [_day(market, archive) | {"open24h": _opened(market, archive), "deliveryStatus": ""}]


def spot_book(params: Mapping[str, str], archive: Archive) -> Any:
    """Answer with the book, unmerged."""
    require(params, "symbol")
    market = market_of(params["symbol"], archive)
    bids, asks = book_of(market, archive, limit_of(params, DEFAULT_DEPTH, SPOT_DEEPEST))
    return {"asks": asks, "bids": bids, "ts": str(archive.clock.now())}


def mix_book(params: Mapping[str, str], archive: Archive) -> Any:
    """Answer with the book in numbers."""
    market = _contract(params, archive)
    limit = params.get("limit", str(DEFAULT_DEPTH))
    if limit not in (*MIX_DEPTHS, str(DEFAULT_DEPTH)):
        raise Rejected("40053", "Value range verification failed: limit should be 1/5/15/50/max")
    bids, asks = book_of(market, archive, 1000 if limit == "max" else int(limit))
    told = {"ts": str(archive.clock.now()), "scale": "0.1", "precision": "scale0", "isMaxPrecision": "NO"}
    return {"asks": _numbers(asks), "bids": _numbers(bids)} | told


def mix_funding(params: Mapping[str, str], archive: Archive) -> Any:
    """Answer with the funding of one contract that comes next, as a list."""
    market = _contract(params, archive)
    due = archive.clock.now() // FUNDED * FUNDED + FUNDED
    return [
        {
            "symbol": market.symbol,
            "fundingRate": "0.0001",
            "fundingRateInterval": "8",
            "nextUpdate": str(due),
            "minFundingRate": "-0.003",
            "maxFundingRate": "0.003",
        }
    ]


def mix_payments(params: Mapping[str, str], archive: Archive) -> Any:
    """Answer with a page of the funding that was paid, the newest first: from the contract's listing on."""
    market = _contract(params, archive)
    size, page = min(int(params.get("pageSize", "20")), 100), int(params.get("pageNo", "1"))
    newest = archive.clock.now() // FUNDED * FUNDED - (page - 1) * size * FUNDED
    times = [newest - place * FUNDED for place in range(size)]
    return [
        {"symbol": market.symbol, "fundingRate": paid_at(time), "fundingTime": str(time)}
        for time in times
        if time >= market.listed
    ]


def paid_at(time: int) -> str:
    """The rate that was paid at a moment (ms)."""
    return f"0.000{1 + time // FUNDED % 7}"


def _contract(params: Mapping[str, str], archive: Archive) -> Market:
    require(params, "symbol", "productType")
    if product_type_of(params["productType"]) != "USDT-FUTURES":
        raise unknown(params["symbol"])
    return market_of(params["symbol"], archive)


def _day(market: Market, archive: Archive) -> dict[str, Any]:
    day = day_of(market, archive)
    assert day is not None, "nothing traded in 24 hours: what is answered then is not documented"
    bids, asks = book_of(market, archive, 1)
    return {
        "symbol": market.symbol,
        "lastPr": day.close,
        "high24h": day.high,
        "low24h": day.low,
        "baseVolume": day.volume,
        "quoteVolume": day.quote_volume,
        "usdtVolume": day.quote_volume,
        "bidPr": bids[0][0],
        "bidSz": bids[0][1],
        "askPr": asks[0][0],
        "askSz": asks[0][1],
        "ts": str(archive.clock.now()),
        "openUtc": "",
    }


def _opened(market: Market, archive: Archive) -> str:
    day = day_of(market, archive)
    return day.open if day else ""


def _numbers(offers: Offers) -> Any:
    return [[json.loads(text) for text in pair] for pair in offers]
