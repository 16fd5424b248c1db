"""Binance USD-M perpetuals: `klines`, `exchangeInfo`, `time` and `ping` under `/fapi/v1`.

Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api and
.../general-info. A row has the slots of spot, with the decimals of the market:
[1717200000000,"67540.00","67561.20","67530.00","67555.10","12.412",1717200059999,"838412.11930",1034,"6.100",
"412003.51900","0"]
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from tests.simulator.answers import Question
from tests.simulator.archive import FOREVER, Archive
from tests.simulator.binance_info import UNLIMITED
from tests.simulator.binance_interface import Asked, Facts
from tests.simulator.binance_params import Rejected, grid_of, named, require, symbol_of, time_of
from tests.simulator.binance_quotes import perpetual_depth, perpetual_ticker
from tests.simulator.decimals import unit
from tests.simulator.markets import Market
from tests.simulator.pages import Render, Selection
from tests.simulator.rows import Row

DEFAULT_LIMIT, MAXIMUM_LIMIT = 500, 1500
WEIGHTS_BY_LIMIT = ((99, 1), (499, 2), (1000, 5))
HEAVIEST = 10
"""Weight of a page of more than 1000 klines; `WEIGHTS_BY_LIMIT` has the smaller ones."""

KLINES_NAMES = ("symbol", "pair", "interval", "startTime", "endTime", "limit")
DEPTH_WEIGHTS = {"5": 2, "10": 2, "20": 2, "50": 2, "100": 5, "500": 10, "1000": 20}
"""Weight of `depth` by its limit."""

NO_DELIVERY = 4_133_404_800_000
"""Delivery date of a perpetual, ms UTC."""

LIMIT = re.compile(r"[0-9]{1,18}")


def weight_of(question: Question) -> int:
    """Return a request's weight: that of `klines` grows with the page."""
    limit = dict(question.params).get("limit", str(DEFAULT_LIMIT))
    if question.path == "/fapi/v1/depth":
        return DEPTH_WEIGHTS.get(limit, 10)
    if not question.path.lower().endswith("klines"):
        return 1
    size = int(limit) if LIMIT.fullmatch(limit) else DEFAULT_LIMIT
    return next((weight for most, weight in WEIGHTS_BY_LIMIT if size <= most), HEAVIEST)


@lru_cache(maxsize=1000)
def printer(price_decimals: int, volume_decimals: int) -> Render:
    """Return how klines of a market with these decimals are printed; 8 decimals leave a text as it is."""
    quote_decimals = min(8, price_decimals + volume_decimals)

    def row(candle: Row, following: int) -> bytes:
        open_time, opened, high, low, close, volume, quote, trades, taker, taker_quote = candle
        prices = '","'.join(cut(text, price_decimals) for text in (opened, high, low, close))
        quote, taker_quote = cut(quote, quote_decimals), cut(taker_quote, quote_decimals)
        return (
            f'[{open_time},"{prices}","{cut(volume, volume_decimals)}",{following - 1},'
            f'"{quote}",{trades},"{cut(taker, volume_decimals)}","{taker_quote}","0"]'
        ).encode()

    return row


@lru_cache(maxsize=1000)
def price_printer(price_decimals: int) -> Render:
    """Return how klines of a mark or index price are printed: in place of trades they count samples."""

    def row(candle: Row, following: int) -> bytes:
        prices = '","'.join(cut(text, price_decimals) for text in candle[1:5])
        return f'[{candle[0]},"{prices}","0",{following - 1},"0",60,"0","0","0"]'.encode()

    return row


def cut(text: str, decimals: int) -> str:
    """Return a number of 8 decimals with fewer of them."""
    return text if decimals >= 8 else text[: text.index(".") + 1 + decimals].rstrip(".")


def _asked(question: Question, archive: Archive) -> Asked:
    params = _params(question, archive)
    subject = "pair" if question.path.endswith("indexPriceKlines") else "symbol"
    require(params, subject, "interval")
    market = archive.served(symbol_of(params[subject]))
    if market is None:
        raise Rejected(-1121, "Invalid symbol.")
    grid = grid_of(params["interval"])
    limit = _limit(params)
    wanted = Selection(
        start=_instant(params, "startTime", 0),
        end=_instant(params, "endTime", FOREVER),
        limit=min(limit, archive.faults.page_cap or MAXIMUM_LIMIT),
        newest="startTime" not in params,
    )
    if wanted.start > wanted.end:
        raise Rejected(-1023, "Start time is greater than end time.")
    if not question.path.endswith("/klines"):
        return Asked(market, grid, wanted, price_printer(market.price_decimals))
    return Asked(market, grid, wanted, printer(market.price_decimals, market.volume_decimals))


def _params(question: Question, archive: Archive) -> dict[str, str]:
    """Return the parameters by name; unknown ones are ignored unless the quirk has them refused."""
    if archive.faults.quirks.binance_perpetual_unread:
        return named(question.params, KLINES_NAMES)
    known = [(name, value) for name, value in question.params if name in KLINES_NAMES]
    return named(known, KLINES_NAMES)


def _limit(params: dict[str, str]) -> int:
    """Return the page size; one over the maximum is refused. What 0 gets is not documented."""
    text = params.get("limit", str(DEFAULT_LIMIT))
    if not LIMIT.fullmatch(text) or not 1 <= int(text) <= MAXIMUM_LIMIT:
        raise Rejected(-1130, "Data sent for parameter 'limit' is not valid.")
    return int(text)


def _instant(params: dict[str, str], name: str, default: int) -> int:
    """Return a time in ms UTC; there are no µs here, so a stamp in µs is an instant far ahead."""
    time_of(params, name, default)
    return int(params.get(name, default))


def _info(_: Question, archive: Archive, weight_limit: int | None) -> Any:
    now = archive.clock.now()
    limit = UNLIMITED if weight_limit is None else weight_limit
    return {
        "timezone": "UTC",
        "serverTime": now,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": limit},
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
        ],
        "exchangeFilters": [],
        "assets": [],
        "symbols": [_symbol(market, now) for market in archive.named(archive.listed())],
    }


def _symbol(market: Market, now: int) -> dict[str, Any]:
    tick, lot = unit(market.price_decimals), unit(market.volume_decimals)
    ended = market.delisted is not None and now >= market.delisted
    return {
        "symbol": market.symbol,
        "pair": market.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": market.delisted or NO_DELIVERY,
        "onboardDate": market.listed,
        "status": "SETTLING" if ended else "TRADING",
        "baseAsset": market.base,
        "quoteAsset": market.quote,
        "marginAsset": market.quote,
        "pricePrecision": market.price_decimals,
        "quantityPrecision": market.volume_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "90000000", "stepSize": lot},
        ],
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


PERPETUAL = Facts(
    prefix="/fapi/v1/",
    default_limit=2400,
    too_much="Too many requests; current limit is {limit} requests per minute. "
    "Please use the websocket for live updates to avoid polling the API.",
    banned="Way too many requests; IP(127.0.0.1) banned until {until}. "
    "Please use the websocket for live updates to avoid bans.",
    weight=weight_of,
    asked=_asked,
    payloads={
        "exchangeInfo": _info,
        "time": lambda _, archive, __: {"serverTime": archive.clock.now()},
        "ping": lambda *_: {},
        "ticker/24hr": perpetual_ticker,
        "depth": perpetual_depth,
    },
)
