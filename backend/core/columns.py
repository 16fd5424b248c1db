"""Candles as columns. Readers get columns, because numpy needs no Python object for each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backend.core.candles import Candle

Integers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

NO_TRADES = -1
"""Stands in `trades` where a venue does not publish the number; other optional columns have NaN there."""

OPTIONAL = ("quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume")
"""What a venue may not publish."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Candles of one interval: one array for each field, all of one length, ascending unless reversed.

    `open_time` is Unix ms UTC. An optional column is None if no candle here has it. `minutes` is the number
    of one-minute candles in a candle, None for one-minute candles. `filled` marks candles that fill a hole,
    None if no filling was requested.
    """

    open_time: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    quote_volume: Floats | None = None
    trades: Integers | None = None
    taker_buy_volume: Floats | None = None
    taker_buy_quote_volume: Floats | None = None
    minutes: NDArray[np.int32] | None = None
    filled: Flags | None = None

    def __len__(self) -> int:
        return len(self.open_time)

    def __getitem__(self, rows: slice | Integers) -> Columns:
        """The candles at these places."""
        return Columns(**{name: column[rows] for name, column in self.present().items()})

    def present(self) -> Mapping[str, NDArray[Any]]:
        """The columns that are here, by name."""
        return {name: column for name in NAMES if (column := getattr(self, name)) is not None}

    def with_columns(self, **columns: NDArray[Any]) -> Columns:
        """The same candles with other or further columns."""
        return replace(self, **columns)


NAMES = tuple(field.name for field in fields(Columns))


def joined(parts: Sequence[Columns]) -> Columns:
    """The parts one after the other. If only some parts have a column, the other candles have no value in
    it."""
    if len(parts) == 1:
        return parts[0]
    names = [name for name in NAMES if any(getattr(part, name) is not None for part in parts)]
    return Columns(**{name: np.concatenate([_column(part, name) for part in parts]) for name in names})


def same(one: Columns | None, other: Columns | None) -> bool:
    """Whether both are the same candles, with the same fields, to the last bit."""
    if one is None or other is None:
        return one is other
    columns, others = one.present(), other.present()
    return columns.keys() == others.keys() and all(
        np.array_equal(column, others[name], equal_nan=column.dtype == np.float64)
        for name, column in columns.items()
    )


def absent(name: str, size: int) -> NDArray[Any]:
    """An optional column without values."""
    return np.full(size, NO_TRADES, np.int64) if name == "trades" else np.full(size, np.nan)


def columns_of(candles: Sequence[Candle]) -> Columns:
    """One-minute candles as columns."""
    arrays: dict[str, NDArray[Any]] = {
        "open_time": np.array([candle.open_time for candle in candles], np.int64)
    }
    for name in ("open", "high", "low", "close", "volume"):
        arrays[name] = np.array([getattr(candle, name) for candle in candles], np.float64)
    for name in OPTIONAL:
        values = [getattr(candle, name) for candle in candles]
        if any(value is not None for value in values):
            nothing, kind = (NO_TRADES, np.int64) if name == "trades" else (np.nan, np.float64)
            arrays[name] = np.array([nothing if value is None else value for value in values], kind)
    return Columns(**arrays)


def candles_of(columns: Columns) -> list[Candle]:
    """One-minute candles from columns."""
    lists = [getattr(columns, name).tolist() for name in NAMES[:6]]
    lists += [_nullable(getattr(columns, name), len(columns)) for name in OPTIONAL]
    return [Candle(*row) for row in zip(*lists, strict=True)]


def _nullable(column: NDArray[Any] | None, size: int) -> list[Any]:
    if column is None:
        return [None] * size
    gone = is_absent(column).tolist()
    return [None if lacks else value for value, lacks in zip(column.tolist(), gone, strict=True)]


def is_absent(column: NDArray[Any]) -> Flags:
    """Where an optional column has no value."""
    missing: Flags = column == NO_TRADES if column.dtype == np.int64 else np.isnan(column)
    return missing


def _column(part: Columns, name: str) -> NDArray[Any]:
    column: NDArray[Any] | None = getattr(part, name)
    return absent(name, len(part)) if column is None else column
