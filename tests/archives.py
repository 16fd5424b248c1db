"""Kline files and zips for tests, made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from backend.core.candles import Candle
from backend.core.windows import MINUTE

NAMES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)


def line_of(candle: Candle, unit: int = 1) -> str:
    """A candle as a line of the archive; `unit` 1000 for µs."""
    cells = (
        candle.open_time * unit,
        *(candle.open, candle.high, candle.low, candle.close, candle.volume),
        (candle.open_time + MINUTE) * unit - 1,
        *(candle.quote_volume, candle.trades, candle.taker_buy_volume, candle.taker_buy_quote_volume),
        0,
    )
    return ",".join(map(str, cells))


def text_of(candles: Iterable[Candle], unit: int = 1, *, names: bool = False, newline: str = "\n") -> bytes:
    """A whole file, with or without the line of names."""
    lines = [NAMES] * names + [line_of(candle, unit) for candle in candles]
    return "".join(line + newline for line in lines).encode()


def zipped(members: dict[str, bytes], method: int = ZIP_DEFLATED) -> bytes:
    """A zip that holds these files."""
    body = BytesIO()
    with ZipFile(body, "w", method) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return body.getvalue()
