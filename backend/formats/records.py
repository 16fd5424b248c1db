"""Rows of records, such as orders, as lines of JSON, CSV or Parquet, piece by piece.

Numbers stay text, exactly as they are. In CSV nothing is an empty field, and a list is its JSON. In Parquet
numbers are strings, moments are timestamps in UTC, and a list is its JSON. pyarrow is imported when Parquet
is first asked for.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Any, NamedTuple, Protocol

import msgspec

from backend.formats.arrow import Sink

MOMENTS = ("time", "created", "updated")
"""Fields that are moments, ISO-8601."""

FLAGS = ("reduce_only",)

ROW_GROUP = 10_000
"""Records in a row group of Parquet."""


class RecordWriter(Protocol):
    """Turns records of one type into the bytes of an answer."""

    def begin(self) -> bytes: ...

    def rows(self, records: Sequence[msgspec.Struct]) -> bytes:
        """The next bytes, perhaps none."""

    def end(self) -> bytes: ...


class RecordFormat(NamedTuple):
    """`make` begins an answer with records of a type."""

    media_type: str
    extension: str
    make: Callable[[type[msgspec.Struct]], RecordWriter]


class _Lines:
    """One JSON object a line."""

    def __init__(self, _kind: type[msgspec.Struct]) -> None: ...

    def begin(self) -> bytes:
        return b""

    def rows(self, records: Sequence[msgspec.Struct]) -> bytes:
        return b"".join(msgspec.json.encode(record) + b"\n" for record in records)

    def end(self) -> bytes:
        return b""


class _Csv:
    """The names of the fields, then a line for each record."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        self._names = kind.__struct_fields__

    def begin(self) -> bytes:
        return self._written([self._names])

    def rows(self, records: Sequence[msgspec.Struct]) -> bytes:
        return self._written([[_cell(getattr(one, name)) for name in self._names] for one in records])

    def end(self) -> bytes:
        return b""

    def _written(self, lines: Sequence[Sequence[str]]) -> bytes:
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        return text.getvalue().encode()


class _Parquet:
    """Row groups of ROW_GROUP records."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        import pyarrow
        from pyarrow import parquet

        kinds = {
            **dict.fromkeys(MOMENTS, pyarrow.timestamp("ms", "UTC")),
            **dict.fromkeys(FLAGS, pyarrow.bool_()),
        }
        names = kind.__struct_fields__
        self._schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in names])
        self._sink = Sink()
        self._writer = parquet.ParquetWriter(self._sink, self._schema)
        self._waiting: list[msgspec.Struct] = []

    def begin(self) -> bytes:
        return self._sink.take()

    def rows(self, records: Sequence[msgspec.Struct]) -> bytes:
        self._waiting += records
        if len(self._waiting) >= ROW_GROUP:
            self._write()
        return self._sink.take()

    def end(self) -> bytes:
        self._write()
        self._writer.close()
        return self._sink.take()

    def _write(self) -> None:
        import pyarrow

        if self._waiting:
            columns = [
                [_typed(name, getattr(one, name)) for one in self._waiting] for name in self._schema.names
            ]
            self._writer.write_table(pyarrow.table(columns, schema=self._schema))
            self._waiting.clear()

    def _column(self, name: str) -> list[Any]:
        return [_typed(name, getattr(one, name)) for one in self._waiting]


RECORD_FORMATS: Mapping[str, RecordFormat] = {
    "ndjson": RecordFormat("application/x-ndjson", "ndjson", _Lines),
    "csv": RecordFormat("text/csv; charset=UTF-8", "csv", _Csv),
    "parquet": RecordFormat("application/vnd.apache.parquet", "parquet", _Parquet),
}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    return msgspec.json.encode(value).decode()


def _typed(name: str, value: Any) -> Any:
    if value is None or name in FLAGS:
        return value
    return datetime.fromisoformat(value) if name in MOMENTS else _cell(value)
