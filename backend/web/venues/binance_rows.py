"""Candles, symbols and tickers as Binance writes them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from backend.core.columns import Columns, is_absent
from backend.core.interval import Interval
from backend.core.windows import HOUR, MINUTE
from backend.services.reading.instruments import Instrument
from backend.web.venues.numbers import padded, step, texts

DAY = 24 * HOUR
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


@dataclass(frozen=True, slots=True)
class Ticker:
    """The last 24 hours that are stored of a symbol, one-minute candles up to the newest."""

    symbol: str
    minutes: Columns

    @property
    def closed(self) -> int:
        """The last ms of the newest candle."""
        return int(self.minutes.open_time[-1]) + MINUTE - 1


def price(ticker: Ticker) -> dict[str, object]:
    return {"symbol": ticker.symbol, "price": padded(float(ticker.minutes.close[-1]))}


def timed_price(ticker: Ticker) -> dict[str, object]:
    """As the futures interface tells it."""
    return price(ticker) | {"time": ticker.closed}


def day(ticker: Ticker) -> dict[str, object]:
    """The 24-hour ticker without what candles cannot tell: bids, asks, trade ids, the last quantity."""
    last_day = ticker.minutes[ticker.minutes.open_time > ticker.minutes.open_time[-1] - DAY]
    first, last = _decimal(last_day.open[0]), _decimal(last_day.close[-1])
    volume = _sum(last_day.volume.tolist())
    found: dict[str, object] = {
        "symbol": ticker.symbol,
        "priceChange": f"{last - first:.8f}",
        "priceChangePercent": f"{(last - first) / first * 100:.3f}" if first else "0.000",
        "lastPrice": padded(float(last)),
        "openPrice": padded(float(first)),
        "highPrice": padded(float(last_day.high.max())),
        "lowPrice": padded(float(last_day.low.min())),
        "volume": f"{volume:.8f}",
        "openTime": ticker.closed + 1 - DAY,
        "closeTime": ticker.closed,
    }
    if last_day.quote_volume is not None and not is_absent(last_day.quote_volume).any():
        quote_volume = _sum(last_day.quote_volume.tolist())
        found["quoteVolume"] = f"{quote_volume:.8f}"
        found["weightedAvgPrice"] = f"{quote_volume / volume:.8f}" if volume else padded(float(last))
    if last_day.trades is not None and not is_absent(last_day.trades).any():
        found["count"] = int(last_day.trades.sum())
    return found


def mini_day(ticker: Ticker) -> dict[str, object]:
    """The 24-hour ticker's short form."""
    found = day(ticker)
    return {name: found[name] for name in MINI if name in found}


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def _sum(values: Sequence[float]) -> Decimal:
    return sum((_decimal(value) for value in values), Decimal())
