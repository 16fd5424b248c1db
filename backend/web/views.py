"""How values look in JSON."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.clock import iso
from backend.core.candles import Candle
from backend.core.coverage import MINUTE, Absence, Spans, count_minutes
from backend.services.queries import Statistics

MOST_WINDOWS = 100


class CandleRow(msgspec.Struct, omit_defaults=True, gc=False):
    """A candle as clients see it: times in ms and as ISO-8601; what a venue does not publish is left out."""

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    close_time: int
    timestamp: str
    quote_volume: float | None = None
    trades: int | None = None
    taker_buy_volume: float | None = None
    taker_buy_quote_volume: float | None = None


def candle_rows(candles: Sequence[Candle]) -> bytes:
    """JSON objects with commas between them, without the brackets of a list."""
    return msgspec.json.encode([_row(candle) for candle in candles])[1:-1]


def statistics(found: Statistics) -> dict[str, object]:
    return {
        "symbol": found.series.symbol,
        "exchange": found.series.exchange,
        "market": found.series.market,
        "total_records": found.total_records,
        "first_record": _iso(found.first_record),
        "last_record": _iso(found.last_record),
    }


def missing(spans: Spans) -> dict[str, object]:
    """How many minutes are missing and the first windows of them, bounds inclusive of open times."""
    return {
        "missing_records": count_minutes(spans),
        "missing": [_window(start, end) for start, end in spans[:MOST_WINDOWS]],
    }


def absent(found: Sequence[Absence]) -> dict[str, object]:
    """How many minutes the exchange does not have and the first windows of them, each with its reason."""
    return {
        "void_records": sum(absence.window.minutes for absence in found),
        "void": [_window(*absence.window) | {"reason": absence.reason} for absence in found[:MOST_WINDOWS]],
    }


def _window(start: int, end: int) -> dict[str, object]:
    return {"start_time": iso(start), "end_time": iso(end - MINUTE), "minutes": (end - start) // MINUTE}


def _iso(moment: int | None) -> str | None:
    return None if moment is None else iso(moment)


def _row(candle: Candle) -> CandleRow:
    return CandleRow(
        open_time=candle.open_time,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
        close_time=candle.open_time + MINUTE - 1,
        timestamp=iso(candle.open_time),
        quote_volume=candle.quote_volume,
        trades=candle.trades,
        taker_buy_volume=candle.taker_buy_volume,
        taker_buy_quote_volume=candle.taker_buy_quote_volume,
    )
