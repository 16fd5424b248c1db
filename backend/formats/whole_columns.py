"""JSON columns: one array a field, `{"open_time":[..],"open":[..]}`.

The first array is sent as it comes. The others wait together in one temporary file, so that memory stays flat
although an answer is read by candle and written by field. All such files together have a bound: a client that
does not read keeps its own for as long as it is borne with.
"""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO

import msgspec

from backend.core.columns import Columns
from backend.core.series import Series
from backend.errors import TooManyStreams
from backend.formats.format import Format
from backend.formats.layout import Column, Layout
from backend.formats.values import values

ENCODER = msgspec.json.Encoder()
PIECE = 1 << 18
MOST_WAITING = 1 << 30
"""Bytes of all temporary files of this process. Ten columns of a year of minutes take 50 MB."""


class Waiting:
    """The bytes that wait in temporary files, of all answers."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self.bytes = 0

    def add(self, size: int) -> None:
        """Raises TooManyStreams where there is no room for so many more."""
        if self.bytes + size > self._most:
            raise TooManyStreams("too many answers in columns are waiting for their readers: try again later")
        self.bytes += size


WAITING = Waiting()


class ColumnsEncoder:
    """Nothing but the arrays, so that `pandas.DataFrame(answer)` is all it takes. No value is null."""

    def __init__(self, _series: Series, layout: Layout, waiting: Waiting = WAITING) -> None:
        self._layout = layout
        self._all = waiting
        self._size = 0
        self._file: IO[bytes] | None = None
        self._places: dict[str, list[tuple[int, int]]] = {name: [] for name in layout.fields[1:]}
        self._begun = False

    def begin(self) -> bytes:
        return b'{"%b":[' % self._layout.fields[0].encode()

    def candles(self, columns: Columns) -> bytes:
        between = b"," if self._begun else b""
        self._begun = True
        texts = {name: between + _texts(name, column) for name, column in self._layout.values(columns)}
        for name in self._places:
            self._keep(name, texts[name])
        return texts[self._layout.fields[0]]

    def end(self, following: int | None) -> Iterator[bytes]:  # noqa: ARG002
        for name, places in self._places.items():
            yield b'],"%b":[' % name.encode()
            for place, size in places:
                yield from self._pieces(place, size)
        yield b"]}"

    def close(self) -> None:
        self._all.bytes -= self._size
        self._size = 0
        if self._file:
            self._file.close()
            self._file = None

    def _keep(self, name: str, text: bytes) -> None:
        self._all.add(len(text))
        self._places[name].append((self._size, len(text)))
        self._size += len(text)  # before writing, which may fail: `close` gives back what was counted
        self._file = self._file or _temporary()
        self._file.write(text)

    def _pieces(self, place: int, size: int) -> Iterator[bytes]:
        assert self._file is not None
        self._file.seek(place)
        while size and (piece := self._file.read(min(size, PIECE))):
            size -= len(piece)
            yield piece


def _temporary() -> IO[bytes]:
    """A file without a name, which is gone when it is closed."""
    return TemporaryFile()


def _texts(name: str, column: Column) -> bytes:
    """The values with commas between them."""
    return ENCODER.encode(values(name, column, None))[1:-1]


COLUMNS = Format("columns", "application/json; charset=UTF-8", None, ColumnsEncoder)
