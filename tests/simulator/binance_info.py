"""Binance spot's `exchangeInfo`: rate limits and symbols.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-endpoints. There is no
listing date.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.simulator.answers import Question
from tests.simulator.binance_params import Rejected, illegal, named, require, symbol_of
from tests.simulator.markets import Market

NAMES = ("symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus")
STATUSES = ("TRADING", "HALT", "BREAK", "CANCEL_ONLY")
SYMBOLS_RANGE = r"^\[(?:\"[\w\-._&&[^a-z]]{1,50}\"(?:,\"[\w\-._&&[^a-z]]{1,50}\")*)?\]$"
UNLIMITED = 1_000_000_000
"""Published as the limit when none is in force."""


def exchange_info(
    question: Question, markets: Sequence[Market], now: int, weight_limit: int | None
) -> dict[str, Any]:
    """Return the answer for all markets or the ones asked for; `now` in ms UTC."""
    params = named(question.params, NAMES)
    require(params)
    weight = UNLIMITED if weight_limit is None else weight_limit
    return {
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": weight},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200_000},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 300_000},
        ],
        "exchangeFilters": [],
        "symbols": [_symbol(market, now) for market in _chosen(params, markets, now)],
    }


def _chosen(params: dict[str, str], markets: Sequence[Market], now: int) -> list[Market]:
    if "symbolStatus" in params:
        return _of_status(params, markets, now)
    if "symbol" in params and "symbols" in params:
        raise Rejected(-1128, "Combination of optional parameters invalid.")
    if "symbol" in params:
        return [_known(symbol_of(params["symbol"]), markets)]
    if "symbols" in params:
        return [_known(symbol, markets) for symbol in _symbols(params["symbols"])]
    return list(markets)


def _of_status(params: dict[str, str], markets: Sequence[Market], now: int) -> list[Market]:
    if "symbol" in params or "symbols" in params:
        raise Rejected(-1128, "Combination of optional parameters invalid.")
    if params["symbolStatus"] not in STATUSES:
        raise Rejected(-1122, "Invalid symbolStatus.")
    return [market for market in markets if _status(market, now) == params["symbolStatus"]]


def _symbols(text: str) -> list[str]:
    """Return the symbols of a JSON array of strings."""
    try:
        symbols = json.loads(text)
    except ValueError:
        raise illegal("symbols", SYMBOLS_RANGE) from None
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise illegal("symbols", SYMBOLS_RANGE)
    return [symbol_of(symbol) for symbol in symbols]


def _known(symbol: str, markets: Sequence[Market]) -> Market:
    for market in markets:
        if market.symbol == symbol:
            return market
    raise Rejected(-1121, "Invalid symbol.")


def _status(market: Market, now: int) -> str:
    return "TRADING" if market.delisted is None or now < market.delisted else "BREAK"


def _symbol(market: Market, now: int) -> dict[str, Any]:
    tick, lot = _unit(market.price_decimals), _unit(market.volume_decimals)
    return {
        "symbol": market.symbol,
        "status": _status(market, now),
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": "1000000.00000000",
                "tickSize": tick,
            },
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "90000000.00000000", "stepSize": lot},
        ],
        "permissions": [],
        "permissionSets": [["SPOT", "MARGIN"]],
    }


def _unit(decimals: int) -> str:
    return f"{10.0**-decimals:.8f}"
