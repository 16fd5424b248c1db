"""From raw BSON batches to columns, without a Python object per document.

All candles of a batch usually share one layout: the same fields in the same order with the same types, so the
same size. Then the batch is an array of fixed records, and a column is a view of it. Every byte that is not a
value is compared with the first document. If any byte differs, the documents are decoded one by one.
Documents of other programs are readable too: integers, Decimal128, more fields, null for no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import bson
import numpy as np
from bson.decimal128 import Decimal128

from backend.core.candles import Candle
from backend.core.columns import Columns, columns_of
from backend.errors import DatabaseUnavailable

NUMBERS = {0x01: "<f8", 0x10: "<i4", 0x12: "<i8"}
"""BSON's type bytes of double, int32 and int64, and numpy's names of them."""

INTEGERS = ("_id", "trades")

KINDS: dict[str, type[Any]] = {
    "_id": np.int64,
    **dict.fromkeys(("open", "high", "low", "close", "volume", "quote_volume"), np.float64),
    "trades": np.int64,
    **dict.fromkeys(("taker_buy_volume", "taker_buy_quote_volume"), np.float64),
}
"""The fields of a candle document; the first six are always there."""

NEEDED = tuple(KINDS)[:6]


class Field(NamedTuple):
    """Some bytes of a document: `kind` is numpy's name of their type."""

    name: str
    kind: str
    offset: int

    @property
    def end(self) -> int:
        return self.offset + int(self.kind[-1])


def columns_in(batch: bytes) -> Columns:
    """The candles of a batch of BSON documents, one after the other."""
    columns = _viewed(batch)
    return (
        columns_of([candle_of(document) for document in bson.decode_all(batch)])
        if columns is None
        else columns
    )


def candle_of(document: dict[str, Any]) -> Candle:
    """The candle in a document. Raises DatabaseUnavailable for a document that is not a candle."""
    values = {name: _number(document.get(name)) for name in KINDS}
    if any(values[name] is None for name in NEEDED):
        raise DatabaseUnavailable(
            f"stored document {document.get('_id')!r:.40} is not a candle: delete it and verify the series"
        )
    return Candle(open_time=int(values.pop("_id")), **values)  # not bson's Int64, which msgspec cannot write


def _number(value: Any) -> Any:
    """A value as a Python number, None if it is not a number."""
    if isinstance(value, Decimal128):
        return float(value.to_decimal())
    return value if isinstance(value, int | float) else None


def _viewed(batch: bytes) -> Columns | None:
    """The candles, if all documents share the first one's layout."""
    size = int.from_bytes(batch[:4], "little")
    fields = _fields(batch[:size])
    if fields is None or len(batch) % size:
        return None
    signs = list(_signs(fields, size))
    records = np.frombuffer(batch, _record([*fields, *signs], size))
    if any((records[name] != records[name][0]).any() for name, _, _ in signs):
        return None
    columns = {name: records[name].astype(KINDS[name]) for name, _, _ in fields}
    return Columns(open_time=columns.pop("_id"), **columns)


def _fields(document: bytes) -> list[Field] | None:
    """The places of a candle's numbers; None if the document is not a candle of plain numbers."""
    known: list[Field] = []
    place = 4
    while place < len(document) - 1:
        end = document.index(0, place + 1)
        name, kind = document[place + 1 : end].decode(), NUMBERS.get(document[place])
        if kind is None or name not in KINDS or name in [field.name for field in known]:
            return None
        if name in INTEGERS and kind == "<f8":
            return None
        known.append(Field(name, kind, end + 1))
        place = known[-1].end
    return known if set(NEEDED).issubset(field.name for field in known) else None


def _signs(fields: Sequence[Field], size: int) -> Iterator[Field]:
    """Everything between the numbers, in pieces that numpy compares at once."""
    starts = [0, *(field.end for field in fields)]
    ends = [*(field.offset for field in fields), size]
    for start, end in zip(starts, ends, strict=True):
        while start < end:
            piece = next(length for length in (8, 4, 2, 1) if length <= end - start)
            yield Field(f"at {start}", f"<u{piece}", start)
            start += piece


def _record(fields: Sequence[Field], size: int) -> np.dtype[np.void]:
    names, kinds, offsets = zip(*fields, strict=True)
    return np.dtype(
        {"names": list(names), "formats": list(kinds), "offsets": list(offsets), "itemsize": size}
    )
