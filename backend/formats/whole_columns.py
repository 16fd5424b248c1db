"""JSON columns: one array a field, `{"open_time":[..],"open":[..]}`.

The first array is sent as it comes. The others wait in temporary files, so that memory stays flat although an
answer is read by candle and written by field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import IO

import msgspec

from backend.core.columns import Columns
from backend.core.series import Series
from backend.formats.base import Format
from backend.formats.layout import Column, Layout
from backend.formats.values import values

ENCODER = msgspec.json.Encoder()
PIECE = 1 << 18


class ColumnsEncoder:
    """Nothing but the arrays, so that `pandas.DataFrame(answer)` is all it takes. No value is null."""

    def __init__(self, _series: Series, layout: Layout) -> None:
        self._layout = layout
        self._waiting: dict[str, IO[bytes]] = {name: _temporary() for name in layout.fields[1:]}
        self._begun = False

    def begin(self) -> bytes:
        return b'{"%b":[' % self._layout.fields[0].encode()

    def candles(self, columns: Columns) -> bytes:
        between = b"," if self._begun else b""
        self._begun = True
        texts = {name: between + _texts(name, column) for name, column in self._layout.values(columns)}
        for name, file in self._waiting.items():
            file.write(texts[name])
        return texts[self._layout.fields[0]]

    def end(self, following: int | None) -> Iterator[bytes]:  # noqa: ARG002
        for name, file in self._waiting.items():
            yield b'],"%b":[' % name.encode()
            yield from _pieces(file)
        yield b"]}"

    def close(self) -> None:
        for file in self._waiting.values():
            file.close()


def _temporary() -> IO[bytes]:
    """A file without a name, which is gone when it is closed."""
    return TemporaryFile()


def _pieces(file: IO[bytes]) -> Iterable[bytes]:
    """What a temporary file holds."""
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece


def _texts(name: str, column: Column) -> bytes:
    """The values with commas between them."""
    return ENCODER.encode(values(name, column, None))[1:-1]


COLUMNS = Format("columns", "application/json; charset=UTF-8", None, ColumnsEncoder)
