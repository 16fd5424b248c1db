"""JSON: a list of objects in an envelope, or one object a line. What has no value is left out."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET

from backend.core.columns import Columns
from backend.core.interval import ONE_MINUTE
from backend.core.series import Series
from backend.formats.format import Format
from backend.formats.layout import Layout
from backend.formats.values import MARKS, is_empty, values

ENCODER = msgspec.json.Encoder()


class JsonEncoder:
    """`{"success":true,"symbol":..,"data":[..],"count":..,"next":..}`: counted from what was really sent."""

    def __init__(self, series: Series, layout: Layout) -> None:
        self._symbol = series.symbol
        self._layout = layout
        self._count = 0

    def begin(self) -> bytes:
        about: dict[str, object] = {"success": True, "symbol": self._symbol}
        if self._layout.interval is not ONE_MINUTE:
            about["interval"] = self._layout.interval.name
        return ENCODER.encode(about)[:-1] + b',"data":['

    def candles(self, columns: Columns) -> bytes:
        between = b"," if self._count else b""
        self._count += len(columns)
        return b"".join((between, memoryview(ENCODER.encode(_rows(columns, self._layout)))[1:-1]))

    def end(self, following: int | None) -> Iterable[bytes]:
        yield b'],"count":%d,"next":%b}' % (self._count, ENCODER.encode(following))

    def close(self) -> None: ...


class LinesEncoder:
    """One object a line."""

    def __init__(self, _series: Series, layout: Layout) -> None:
        self._layout = layout

    def begin(self) -> bytes:
        return b""

    def candles(self, columns: Columns) -> bytes:
        return ENCODER.encode_lines(_rows(columns, self._layout))

    def end(self, following: int | None) -> Iterable[bytes]:  # noqa: ARG002
        return ()

    def close(self) -> None: ...


def _rows(columns: Columns, layout: Layout) -> list[Any]:
    """An object for each candle. Objects of a fixed shape are made and written twice as fast as dicts."""
    named = [(name, column) for name, column in layout.values(columns) if not is_empty(name, column)]
    if not named:
        return [{}] * len(columns)
    shape = _shape(tuple(name for name, _ in named))
    return list(map(shape, *(_only_true(name, values(name, column, UNSET)) for name, column in named)))


@lru_cache(256)
def _shape(names: tuple[str, ...]) -> type[msgspec.Struct]:
    return msgspec.defstruct("Row", [(name, Any) for name in names], gc=False)


def _only_true(name: str, flags: list[Any]) -> list[Any]:
    return [flag or UNSET for flag in flags] if name in MARKS else flags


JSON = Format("json", "application/json; charset=UTF-8", None, JsonEncoder, stamped=True, tells_next=True)
NDJSON = Format("ndjson", "application/x-ndjson", "ndjson", LinesEncoder, stamped=True)
