"""How candles are written: every format that can be asked for, by name."""

from __future__ import annotations

from backend.formats import arrow, csv, json_rows, whole_columns
from backend.formats.format import Encoder, Format
from backend.formats.layout import FIELDS, TIMES, Layout, layout_for

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        json_rows.JSON,
        json_rows.NDJSON,
        csv.CSV,
        arrow.ARROW,
        arrow.PARQUET,
        arrow.FEATHER,
        whole_columns.COLUMNS,
    )
}

__all__ = ["FIELDS", "FORMATS", "TIMES", "Encoder", "Format", "Layout", "layout_for"]
