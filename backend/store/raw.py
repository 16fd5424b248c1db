"""From raw BSON batches to columns, without a Python object per document.

All candles of a batch usually share one layout: the same fields in the same order with the same types, hence
the same size. Then the batch is an array of fixed records, and a column is a view of it. Every byte that is
not a value is compared with the first document's; where any differs, document by document is decoded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import bson
import numpy as np

from backend.core.candles import Candle
from backend.core.columns import Columns, columns_of

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

NEEDED = set(tuple(KINDS)[:6])


class Layout(NamedTuple):
    """Where the numbers of a document lie: `formats` are numpy's names of their types."""

    names: list[str]
    formats: list[str]
    offsets: list[int]

    def records(self, batch: bytes | bytearray, size: int) -> np.ndarray[Any, Any]:
        """The batch as records of `size` bytes."""
        return np.frombuffer(
            batch,
            np.dtype(
                {
                    "names": self.names,
                    "formats": self.formats,
                    "offsets": self.offsets,
                    "itemsize": size,
                }
            ),
        )


def columns_in(batch: bytes) -> Columns:
    """The candles of a batch of BSON documents, one after the other."""
    found = _viewed(batch)
    return (
        columns_of([candle_of(document) for document in bson.decode_all(batch)]) if found is None else found
    )


def candle_of(document: dict[str, Any]) -> Candle:
    """The candle that a document holds."""
    return Candle(
        open_time=int(document["_id"]),  # not bson's Int64, which msgspec cannot write
        open=document["open"],
        high=document["high"],
        low=document["low"],
        close=document["close"],
        volume=document["volume"],
        quote_volume=document.get("quote_volume"),
        trades=document.get("trades"),
        taker_buy_volume=document.get("taker_buy_volume"),
        taker_buy_quote_volume=document.get("taker_buy_quote_volume"),
    )


def _viewed(batch: bytes) -> Columns | None:
    """The candles, if all documents share the first one's layout."""
    size = int.from_bytes(batch[:4], "little")
    layout = _layout(batch[:size])
    if layout is None or len(batch) % size or not _all_alike(batch, size, layout):
        return None
    records = layout.records(batch, size)
    found = {name: records[name].astype(KINDS[name]) for name in layout.names}
    return Columns(open_time=found.pop("_id"), **found)


def _layout(document: bytes) -> Layout | None:
    """None if it is no candle of plain numbers."""
    found = Layout([], [], [])
    place = 4
    while place < len(document) - 1:
        end = document.index(0, place + 1)
        name, kind = document[place + 1 : end].decode(), NUMBERS.get(document[place])
        if kind is None or name not in KINDS or name in found.names:
            return None
        if name in INTEGERS and kind == "<f8":
            return None
        found.names.append(name)
        found.formats.append(kind)
        found.offsets.append(end + 1)
        place = end + 1 + int(kind[-1])
    return found if NEEDED.issubset(found.names) else None


def _all_alike(batch: bytes, size: int, layout: Layout) -> bool:
    """Whether the documents differ in nothing but their values."""
    blank = bytearray(batch)
    records = layout.records(blank, size)
    for name in layout.names:
        records[name] = 0
    return blank == blank[:size] * (len(batch) // size)
