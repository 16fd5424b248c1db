"""Arrow's formats: the IPC stream, Feather (the IPC file) and Parquet, and the batches that they are made of.

pyarrow is imported when such a format is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.core.columns import OPTIONAL, Columns, Flags, is_absent
from backend.core.series import Series
from backend.formats.format import Format
from backend.formats.layout import Column, Layout

if TYPE_CHECKING:
    import pyarrow

ROW_GROUP = 30_000
"""Candles in a row group of a Parquet file, at least: about two megabytes."""


class Sink:
    """A file to write into, out of which pieces are taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.closed = False

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


class IpcEncoder:
    """Record batches, one after the other; as a stream or as a file, which ends with an index of them."""

    def __init__(self, layout: Layout, *, file: bool) -> None:
        import pyarrow

        self._layout = layout
        self._sink = Sink()
        self._schema = schema(layout)
        if file:
            options = pyarrow.ipc.IpcWriteOptions(compression="lz4")
            self._writer = pyarrow.ipc.new_file(self._sink, self._schema, options=options)
        else:
            self._writer = pyarrow.ipc.new_stream(self._sink, self._schema)

    def begin(self) -> bytes:
        return self._sink.take()

    def candles(self, columns: Columns) -> bytes:
        self._writer.write_batch(record_batch(columns, self._layout, self._schema))
        return self._sink.take()

    def end(self, following: int | None) -> Iterable[bytes]:  # noqa: ARG002
        self.close()
        yield self._sink.take()

    def close(self) -> None:
        self._writer.close()


class ParquetEncoder:
    """Row groups of ROW_GROUP candles, snappy inside: half the work of zstd. Times are stored as steps."""

    def __init__(self, _series: Series, layout: Layout) -> None:
        import pyarrow.parquet

        self._layout = layout
        self._sink = Sink()
        self._schema = schema(layout)
        times = {name: "DELTA_BINARY_PACKED" for name in layout.fields if _is_time(self._schema, name)}
        self._writer = pyarrow.parquet.ParquetWriter(
            self._sink, self._schema, compression="snappy", use_dictionary=False, column_encoding=times
        )
        self._waiting: list[Any] = []

    def begin(self) -> bytes:
        return self._sink.take()

    def candles(self, columns: Columns) -> bytes:
        self._waiting.append(record_batch(columns, self._layout, self._schema))
        if sum(len(batch) for batch in self._waiting) >= ROW_GROUP:
            self._write_group()
        return self._sink.take()

    def end(self, following: int | None) -> Iterable[bytes]:  # noqa: ARG002
        self._write_group()
        self.close()
        yield self._sink.take()

    def close(self) -> None:
        self._writer.close()

    def _write_group(self) -> None:
        import pyarrow

        if self._waiting:
            table = pyarrow.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(table, row_group_size=len(table))
            self._waiting = []


def schema(layout: Layout) -> pyarrow.Schema:
    """The columns' types: always the same for the same question, whatever a venue publishes."""
    import pyarrow

    whole, short, flag = pyarrow.int64(), pyarrow.int32(), pyarrow.bool_()
    special = {
        **dict.fromkeys(("open_time", "close_time"), _time_type(layout.time)),
        "timestamp": pyarrow.string(),
        "trades": whole,
        "partial": flag,
        "filled": flag,
        **dict.fromkeys(("minutes", "expected_minutes"), short),
    }
    return pyarrow.schema([(name, special.get(name, pyarrow.float64())) for name in layout.fields])


def record_batch(columns: Columns, layout: Layout, types: pyarrow.Schema) -> pyarrow.RecordBatch:
    """The candles as Arrow has them, without copying where that is possible."""
    import pyarrow

    arrays = [_array(name, column, types.field(name).type) for name, column in layout.values(columns)]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=types)


def _array(name: str, column: Column, kind: pyarrow.DataType) -> pyarrow.Array:
    """Made of buffers, because `pyarrow.array` imports pandas where it is installed: 50 MB, half a second."""
    import pyarrow

    if isinstance(column, list):
        return pyarrow.array(column, kind)
    missing = is_absent(column) if name in OPTIONAL else None
    valid = _bits(~missing) if missing is not None and missing.any() else None
    values = _bits(column) if column.dtype == np.bool_ else np.ascontiguousarray(column)
    buffers = [None if valid is None else pyarrow.py_buffer(valid), pyarrow.py_buffer(values)]
    return pyarrow.Array.from_buffers(kind, len(column), buffers)


def _bits(flags: Flags) -> NDArray[np.uint8]:
    return np.packbits(flags, bitorder="little")


def _is_time(types: pyarrow.Schema, name: str) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_timestamp(types.field(name).type))


def _time_type(time: str) -> pyarrow.DataType:
    import pyarrow

    return pyarrow.string() if time == "iso" else pyarrow.timestamp(time, tz="UTC")


def _stream(_series: Series, layout: Layout) -> IpcEncoder:
    return IpcEncoder(layout, file=False)


def _file(_series: Series, layout: Layout) -> IpcEncoder:
    return IpcEncoder(layout, file=True)


ARROW = Format("arrow", "application/vnd.apache.arrow.stream", "arrows", _stream)
FEATHER = Format("feather", "application/vnd.apache.arrow.file", "feather", _file, compact=True)
PARQUET = Format("parquet", "application/vnd.apache.parquet", "parquet", ParquetEncoder, compact=True)
