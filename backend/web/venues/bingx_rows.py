"""Candles and symbols as BingX writes them, newest first. Pure."""

from __future__ import annotations

from typing import Any

from backend.core.columns import Columns
from backend.core.interval import Interval
from backend.services.reading.instruments import Instrument
from backend.web.venues.numbers import plain, step, texts

ONLINE = 1
STATUSES = {"offline": 0, "online": ONLINE, "announced": 5, "no new positions": 25}
"""BingX's numbers for the states of a symbol."""


def swap_rows(candles: Columns) -> list[dict[str, object]]:
    """Objects of text."""
    turned, size = candles[::-1], len(candles)
    names = ("open", "close", "high", "low", "volume")
    columns = [texts(getattr(turned, name), size, plain) for name in names]
    times = turned.open_time.tolist()
    return [dict(zip((*names, "time"), row, strict=True)) for row in zip(*columns, times, strict=True)]


def spot_rows(candles: Columns, interval: Interval) -> list[tuple[object, ...]]:
    """Eight bare numbers: open time, prices, base volume, close time, quote volume."""
    turned, size = candles[::-1], len(candles)
    prices = (turned.open, turned.high, turned.low, turned.close, turned.volume)
    return list(
        zip(
            turned.open_time.tolist(),
            *(column.tolist() for column in prices),
            (interval.ends(turned.open_time) - 1).tolist(),
            texts(turned.quote_volume, size, float),
            strict=True,
        )
    )


def native(each: Instrument) -> str:
    """BingX's spelling of a symbol: "BTC-USDT"."""
    return f"{each.base}-{each.quote}"


def spot_symbol(each: Instrument) -> dict[str, Any]:
    """An entry of spot's `symbols`."""
    return {
        "symbol": native(each),
        "minQty": 0,
        "maxQty": 0,
        "minNotional": 0,
        "maxNotional": 0,
        "status": STATUSES.get(each.status or "", ONLINE),
        "tickSize": float(step(each.price_decimals)),
        "stepSize": float(step(each.volume_decimals)),
        "apiStateSell": True,
        "apiStateBuy": True,
        "timeOnline": each.listed or 0,
        "offTime": 0,
        "maintainTime": 0,
        "displayName": native(each),
    }


def contract(each: Instrument) -> dict[str, Any]:
    """An entry of the swap `contracts`."""
    return {
        "contractId": native(each),
        "symbol": native(each),
        "size": step(each.volume_decimals),
        "quantityPrecision": each.volume_decimals,
        "pricePrecision": each.price_decimals,
        "feeRate": 0,
        "makerFeeRate": 0,
        "takerFeeRate": 0,
        "tradeMinQuantity": float(step(each.volume_decimals)),
        "tradeMinUSDT": 0,
        "currency": each.quote,
        "asset": each.base,
        "status": STATUSES.get(each.status or "", ONLINE),
        "apiStateOpen": "true",
        "apiStateClose": "true",
        "launchTime": each.listed or 0,
        "maintainTime": 0,
        "offTime": 0,
        "displayName": native(each),
    }
