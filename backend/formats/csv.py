"""CSV with the column names of Binance's public archive, which many programs read.

Where nobody picks fields, the first twelve columns are the archive's own, the unused last one included:
open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore
What has no value is empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

import msgspec

from backend.core.columns import Columns
from backend.core.series import Series
from backend.formats.format import Format
from backend.formats.layout import Layout
from backend.formats.values import values

ENCODER = msgspec.json.Encoder()
ARCHIVE_NAMES = {"trades": "count"}
ARCHIVE_COLUMNS = 11
UNUSED = "ignore"


class CsvEncoder:
    """Rows of JSON without their brackets, quotes and nulls: numbers and times have nothing to escape."""

    def __init__(self, _series: Series, layout: Layout) -> None:
        self._layout = layout

    def begin(self) -> bytes:
        names = [ARCHIVE_NAMES.get(name, name) for name in self._layout.fields]
        if not self._layout.picked:
            names.insert(ARCHIVE_COLUMNS, UNUSED)
        return ",".join(names).encode() + b"\n"

    def candles(self, columns: Columns) -> bytes:
        lists = [values(name, column, None) for name, column in self._layout.values(columns)]
        if not self._layout.picked:
            lists.insert(ARCHIVE_COLUMNS, list(repeat(0, len(columns))))
        rows = ENCODER.encode(list(zip(*lists, strict=True)))
        return rows[2:-2].replace(b"],[", b"\n").replace(b"null", b"").replace(b'"', b"") + b"\n"

    def end(self, following: int | None) -> Iterable[bytes]:  # noqa: ARG002
        return ()

    def close(self) -> None: ...


CSV = Format("csv", "text/csv; charset=UTF-8", "csv", CsvEncoder)
