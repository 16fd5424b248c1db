"""Candles and symbols as Bitget writes them: everything is text. Pure."""

from __future__ import annotations

from backend.core.columns import Columns
from backend.services.reading.instruments import Instrument
from backend.web.venues.numbers import plain, step, texts

DOLLAR = "USDT"


def contract_rows(candles: Columns) -> list[tuple[object, ...]]:
    """Seven slots: open time, open, high, low, close, base volume, quote volume."""
    size = len(candles)
    prices = (candles.open, candles.high, candles.low, candles.close, candles.volume, candles.quote_volume)
    times = [str(moment) for moment in candles.open_time.tolist()]
    return list(zip(times, *(texts(column, size, plain) for column in prices), strict=True))


def spot_rows(candles: Columns, symbol: str) -> list[tuple[object, ...]]:
    """Eight slots: the volume in USDT comes before the quote volume. Of other quotes it is not known."""
    in_dollars = symbol.endswith(DOLLAR)
    return [(*row[:6], row[6] if in_dollars else None, row[6]) for row in contract_rows(candles)]


def spot_symbol(each: Instrument) -> dict[str, object]:
    """An entry of `symbols`."""
    return {
        "symbol": each.symbol,
        "baseCoin": each.base,
        "quoteCoin": each.quote,
        "minTradeAmount": "0",
        "maxTradeAmount": "900000000000000000000",
        "takerFeeRate": "0",
        "makerFeeRate": "0",
        "pricePrecision": str(each.price_decimals),
        "quantityPrecision": str(each.volume_decimals),
        "quotePrecision": "8",
        "status": each.status or "online",
        "minTradeUSDT": "0",
        "offTime": "",
    }


def contract(each: Instrument) -> dict[str, object]:
    """An entry of `contracts`."""
    return {
        "symbol": each.symbol,
        "baseCoin": each.base,
        "quoteCoin": each.quote,
        "makerFeeRate": "0",
        "takerFeeRate": "0",
        "supportMarginCoins": [each.quote],
        "minTradeNum": step(each.volume_decimals),
        "priceEndStep": "1",
        "volumePlace": str(each.volume_decimals),
        "pricePlace": str(each.price_decimals),
        "sizeMultiplier": step(each.volume_decimals),
        "symbolType": "perpetual",
        "minTradeUSDT": "0",
        "symbolStatus": each.status or "normal",
        "offTime": "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "launchTime": "" if each.listed is None else str(each.listed),
        "maintainTime": "",
    }
