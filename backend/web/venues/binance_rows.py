"""Candles, symbols and tickers as Binance writes them. Pure."""

from __future__ import annotations

from decimal import Decimal

from backend.core.columns import Columns
from backend.core.day import Day
from backend.core.interval import Interval
from backend.core.windows import DAY
from backend.services.reading.catalogue import Last
from backend.services.reading.instruments import Instrument
from backend.web.venues.numbers import padded, step, texts

TRADING = "TRADING"
NEVER_DELIVERED = 4_133_404_800_000
"""The delivery date of a perpetual contract, as Binance writes it."""

MINI = (
    *("symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume"),
    *("openTime", "closeTime", "count"),
)


def kline_rows(candles: Columns, interval: Interval) -> list[tuple[object, ...]]:
    """Twelve slots: open time, prices, volume, close time, quote volume, trades, taker-bought, unused."""
    size = len(candles)
    prices = (candles.open, candles.high, candles.low, candles.close, candles.volume)
    return list(
        zip(
            candles.open_time.tolist(),
            *(texts(column, size, padded) for column in prices),
            (interval.ends(candles.open_time) - 1).tolist(),
            texts(candles.quote_volume, size, padded),
            texts(candles.trades, size, int),
            texts(candles.taker_buy_volume, size, padded),
            texts(candles.taker_buy_quote_volume, size, padded),
            ["0"] * size,
            strict=True,
        )
    )


def price_rows(candles: Columns, interval: Interval) -> list[tuple[object, ...]]:
    """The same of prices that nobody trades at: what counts trades is 0."""
    nothing = ("0", 0, "0", "0", "0")
    return [(*row[:7], *nothing) for row in kline_rows(candles, interval)]


def spot_symbol(each: Instrument) -> dict[str, object]:
    """An entry of spot's `exchangeInfo`."""
    return {
        "symbol": each.symbol,
        "status": each.status or TRADING,
        "baseAsset": each.base,
        "baseAssetPrecision": 8,
        "quoteAsset": each.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": [],
        "isSpotTradingAllowed": False,
        "isMarginTradingAllowed": False,
        "filters": _filters(each),
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }


def contract(each: Instrument) -> dict[str, object]:
    """An entry of the futures' `exchangeInfo`."""
    return {
        "symbol": each.symbol,
        "pair": each.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": NEVER_DELIVERED,
        "onboardDate": each.listed,
        "status": each.status or TRADING,
        "baseAsset": each.base,
        "quoteAsset": each.quote,
        "marginAsset": each.quote,
        "pricePrecision": each.price_decimals,
        "quantityPrecision": each.volume_decimals,
        "filters": _filters(each),
        "orderTypes": [],
        "timeInForce": [],
    }


def _filters(each: Instrument) -> list[dict[str, str]]:
    tick, lot = step(each.price_decimals), step(each.volume_decimals)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "100000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "100000000000", "stepSize": lot},
    ]


def price(symbol: str, last: Last) -> dict[str, object]:
    return {"symbol": symbol, "price": padded(last.price)}


def timed_price(symbol: str, last: Last) -> dict[str, object]:
    """As the futures interface tells it."""
    return price(symbol, last) | {"time": last.closed - 1}


def day(symbol: str, whole: Day) -> dict[str, object]:
    """The 24-hour ticker without what candles cannot tell: bids, asks, trade ids, the last quantity."""
    first, last = _decimal(whole.first), _decimal(whole.last)
    fields: dict[str, object] = {
        "symbol": symbol,
        "priceChange": f"{last - first:.8f}",
        "priceChangePercent": f"{(last - first) / first * 100:.3f}" if first else "0.000",
        "lastPrice": padded(whole.last),
        "openPrice": padded(whole.first),
        "highPrice": padded(whole.high),
        "lowPrice": padded(whole.low),
        "volume": f"{whole.volume:.8f}",
        "openTime": whole.closed - DAY,
        "closeTime": whole.closed - 1,
    }
    if whole.quote_volume is not None:
        mean = whole.quote_volume / whole.volume if whole.volume else None
        fields["quoteVolume"] = f"{whole.quote_volume:.8f}"
        fields["weightedAvgPrice"] = padded(whole.last) if mean is None else f"{mean:.8f}"
    if whole.trades is not None:
        fields["count"] = whole.trades
    return fields


def mini_day(symbol: str, whole: Day) -> dict[str, object]:
    """The 24-hour ticker's short form."""
    fields = day(symbol, whole)
    return {name: fields[name] for name in MINI if name in fields}


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))
