"""The text of a kline file, as Binance's public archive publishes it, checked row by row into candles.

Twelve columns, with or without a header line. Times are ms, or µs as in spot files since 2025:

    1735689600000000,93576.0,93610.9,93537.5,93610.9,8.21827,1735689659999999,769014.1,1243,4.02,376650.1,0

that is open time, open, high, low, close, base volume, close time, quote volume, number of trades, base and
quote volume bought by takers, unused. A file of mark or index prices counts samples in place of trades. If
one row is wrong, the whole file is refused; nothing is corrected.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from io import BytesIO
from typing import Annotated, Any, NamedTuple

import msgspec

from backend.core.candles import Candle
from backend.core.windows import MINUTE, Window

Amount = Annotated[float, msgspec.Meta(ge=0, le=1e18)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

MICROSECONDS_FROM = 10**14
"""Larger times are µs: as ms they would be after the year 5138."""

LONGEST_LINE = 2048
"""Bytes. Twelve numbers need about 150. A longer line is refused without parsing it."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class BadRow(ValueError):
    """A wrong file. The message names file, line and reason."""

    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}, line {line}: {reason}")


class Row(msgspec.Struct, array_like=True, gc=False, forbid_unknown_fields=True):
    """A line of the file, in its order."""

    open_time: Count
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount
    close_time: Count
    quote_volume: Amount
    trades: Count
    taker_buy_volume: Amount
    taker_buy_quote_volume: Amount
    unused: float


class Column(NamedTuple):
    """A column of a row: its known names, its type, and the type in words."""

    names: tuple[str, ...]
    kind: Any
    meaning: str


def _column(kind: Any, *names: str) -> Column:
    meaning = "whole number that is not negative" if kind is Count else "number from 0 to 1e18"
    return Column(names, kind, meaning)


COLUMNS = (
    _column(Count, "open_time", "open_time_ms"),
    _column(Amount, "open"),
    _column(Amount, "high"),
    _column(Amount, "low"),
    _column(Amount, "close"),
    _column(Amount, "volume"),
    _column(Count, "close_time"),
    _column(Amount, "quote_volume", "quote_asset_volume"),
    _column(Count, "count", "trades", "number_of_trades"),
    _column(Amount, "taker_buy_volume", "taker_buy_base_volume", "taker_buy_base_asset_volume"),
    _column(Amount, "taker_buy_quote_volume", "taker_buy_quote_asset_volume"),
    Column(("ignore", "unused"), float, "number"),
)

_row = msgspec.json.Decoder(Row)


def candles_of(name: str, text: bytes, window: Window, *, prices_only: bool = False) -> list[Candle]:
    """The candles of a file, ascending, each minute once, all of them inside `window`.

    `name` is the file's, for messages; with `prices_only` no column counts trades. Raises BadRow for the
    first line that is not as it should be.
    """
    candle = _price if prices_only else _candle
    candles: list[Candle] = []
    previous = -1
    for line, row in _rows(name, text):
        open_time, reason = _placed(row, previous, window)
        if reason:
            raise BadRow(name, line, reason)
        previous = open_time
        candles.append(candle(open_time, row))
    if not candles:
        raise BadRow(name, 1, "the file has no candle")
    return candles


def _rows(name: str, text: bytes) -> Iterator[tuple[int, Row]]:
    lines = BytesIO(text.removeprefix(BYTE_ORDER_MARK).rstrip())
    for line, content in enumerate(iter(lambda: lines.readline(LONGEST_LINE + 1), b""), start=1):
        if len(content) > LONGEST_LINE:
            raise BadRow(name, line, f"the line has over {LONGEST_LINE} bytes")
        try:
            yield line, _row.decode(b"[%b]" % content.rstrip())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            cells = [cell.strip() for cell in content.decode("utf-8", "replace").split(",")]
            reason = _wrong_names(cells) if line == 1 and _are_names(cells) else _wrong_cell(cells)
            if reason:
                raise BadRow(name, line, reason) from error


def _placed(row: Row, previous: int, window: Window) -> tuple[int, str]:
    """The row's open time in ms, and what is wrong with its place in the file ("" if nothing is)."""
    unit = 1000 if row.open_time >= MICROSECONDS_FROM else 1
    open_time, beside = divmod(row.open_time, unit)
    if beside or open_time % MINUTE:
        return open_time, f"open_time {row.open_time} is not on a whole minute"
    if row.close_time != (open_time + MINUTE) * unit - 1:
        return open_time, f"close_time {row.close_time} is not the end of the minute {row.open_time}"
    if open_time <= previous:
        order = "is there twice" if open_time == previous else "comes after a later one"
        return open_time, f"open_time {row.open_time} {order}"
    if not window.start <= open_time < window.end:
        first, last = window.start, window.end - MINUTE
        return open_time, f"open_time {row.open_time} is not one of {first} to {last} ms, which may be here"
    if not row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high:
        return open_time, "low, open, close and high contradict each other"
    return open_time, ""


def _candle(open_time: int, row: Row) -> Candle:
    return Candle(
        open_time=open_time,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        quote_volume=row.quote_volume,
        trades=row.trades,
        taker_buy_volume=row.taker_buy_volume,
        taker_buy_quote_volume=row.taker_buy_quote_volume,
    )


def _price(open_time: int, row: Row) -> Candle:
    return Candle(open_time=open_time, open=row.open, high=row.high, low=row.low, close=row.close, volume=0.0)


def _are_names(cells: list[str]) -> bool:
    return cells[0][:1].isalpha()


def _wrong_names(cells: list[str]) -> str:
    """What is wrong with a header line, "" if nothing is. A column in a wrong place would be read as another
    one."""
    if len(cells) != len(COLUMNS):
        return _wrong_number(cells)
    for number, (cell, column) in enumerate(zip(cells, COLUMNS, strict=True), start=1):
        if cell.lower().replace(" ", "_") not in column.names:
            return f"column {number} is called {reprlib.repr(cell)} instead of {column.names[0]}"
    return ""


def _wrong_cell(cells: list[str]) -> str:
    """Why a line could not be read."""
    if len(cells) != len(COLUMNS):
        return _wrong_number(cells)
    for cell, column in zip(cells, COLUMNS, strict=True):
        try:
            msgspec.json.decode(cell, type=column.kind)
        except (msgspec.DecodeError, RecursionError):
            return f"{column.names[0]} is {reprlib.repr(cell)}, but should be a {column.meaning}"
    return "the line cannot be read"


def _wrong_number(cells: list[str]) -> str:
    return f"the line should have {len(COLUMNS)} columns and has {len(cells)}"
