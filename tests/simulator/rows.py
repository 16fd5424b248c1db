"""One candle as the exchange prints it, and what follows from it: numbers, sums, the part so far.

Prices and volumes stay text, because the exchanges send text and the simulator must serve it unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from tests.simulator.times import MINUTE

ZERO = Decimal(0)


class Row(NamedTuple):
    """A candle: open time in ms UTC, prices in quote currency, volume in base, quote volume in quote
    currency."""

    open_time: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str
    trades: int
    taker_buy_volume: str
    taker_buy_quote_volume: str


Numbers = tuple[int, float, float, float, float, float, float, int, float, float]
"""The fields of `Row` in the same order, text turned into floats."""


def numbers(row: Row) -> Numbers:
    """Return the row with its text as floats."""
    return (
        row[0],
        float(row[1]),
        float(row[2]),
        float(row[3]),
        float(row[4]),
        float(row[5]),
        float(row[6]),
        row[7],
        float(row[8]),
        float(row[9]),
    )


def merged(open_time: int, rows: Sequence[Row]) -> Row:
    """Return the candle that opens at `open_time` (ms UTC) and is made of these shorter ones, oldest
    first."""
    return Row(
        open_time=open_time,
        open=rows[0].open,
        high=max((row.high for row in rows), key=float),
        low=min((row.low for row in rows), key=float),
        close=rows[-1].close,
        volume=_total([row.volume for row in rows]),
        quote_volume=_total([row.quote_volume for row in rows]),
        trades=sum(row.trades for row in rows),
        taker_buy_volume=_total([row.taker_buy_volume for row in rows]),
        taker_buy_quote_volume=_total([row.taker_buy_quote_volume for row in rows]),
    )


def _total(texts: Sequence[str]) -> str:
    return f"{sum(map(Decimal, texts), ZERO):f}"


def so_far(row: Row, elapsed: int) -> Row:
    """Return the one-minute candle as it looks `elapsed` ms after its opening.

    Prices move in a straight line from the open to their final values and volumes grow evenly, so that high
    and volume never shrink, low never rises, and the finished candle is the row itself.
    """
    if elapsed >= MINUTE:
        return row
    share = Decimal(elapsed) / MINUTE
    opened, *others = map(Decimal, row[1:5])
    tick = _step(row[1:5])
    high, low, close = ((opened + (price - opened) * share).quantize(tick) for price in others)
    lot = _step([row.volume, row.taker_buy_volume])
    volume = _part(row.volume, share, lot)
    quote_volume = _quote_so_far(row, volume, share, (low, high))
    taker_share = _ratio(row.taker_buy_quote_volume, row.quote_volume)
    return row._replace(
        high=_printed(high, row.high),
        low=_printed(low, row.low),
        close=_printed(close, row.close),
        volume=_printed(volume, row.volume),
        quote_volume=_printed(quote_volume, row.quote_volume),
        trades=max(int(row.trades * share), 1) if volume > 0 else 0,
        taker_buy_volume=_printed(_part(row.taker_buy_volume, share, lot), row.taker_buy_volume),
        taker_buy_quote_volume=_printed(quote_volume * taker_share, row.taker_buy_quote_volume),
    )


def _quote_so_far(row: Row, volume: Decimal, share: Decimal, bounds: tuple[Decimal, Decimal]) -> Decimal:
    """Keep quote volume = volume x average price, the average inside the part's own price range."""
    if not float(row.quote_volume):
        return ZERO
    opened = Decimal(row.open)
    average = opened + (_ratio(row.quote_volume, row.volume) - opened) * share
    low, high = bounds
    return volume * max(low, min(high, average))


def _part(text: str, share: Decimal, lot: Decimal) -> Decimal:
    return (Decimal(text) * share).quantize(lot, rounding=ROUND_DOWN)


def _ratio(part: str, whole: str) -> Decimal:
    return Decimal(part) / Decimal(whole) if float(whole) else ZERO


def _step(texts: Sequence[str]) -> Decimal:
    """Return the finest decimal place that the numbers use: 0.01 for 7.50000000 and 7.25000000."""
    return Decimal(1).scaleb(-max(len(text.partition(".")[2].rstrip("0")) for text in texts))


def _printed(value: Decimal, like: str) -> str:
    """Return the number with as many decimals as another text has, cut off."""
    decimals = len(like.partition(".")[2])
    return f"{value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN):f}"
