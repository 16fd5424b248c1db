"""Files of closed ranges, kept for a while for clients that read them piece by piece.

They have no name and end with the process. All kept, lent and new files together never use more than `room`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from errno import ENOSPC
from tempfile import TemporaryFile, gettempdir
from typing import IO
from weakref import WeakValueDictionary, finalize

log = logging.getLogger(__name__)

ROOM = 512 << 20
LARGEST = ROOM // 2
"""Bytes; in compose's read-only container `/tmp` is memory."""

KEPT_SECONDS = 600.0
"""A file without readers is deleted after this time."""

PIECE = 1 << 18

Maker = Callable[[IO[bytes]], Awaitable[bool]]
"""Writes a file. Returns whether it matches its tag."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class LentFile:
    """A file with its size in bytes. `sound`: it matches its tag."""

    file: IO[bytes]
    size: int
    sound: bool
    readers: int = 0
    leaving: asyncio.TimerHandle | None = None

    def pieces(self, part: range) -> Iterator[bytes]:
        """The bytes of `part`; several clients may read at once."""
        for start in range(part.start, part.stop, PIECE):
            yield os.pread(self.file.fileno(), min(PIECE, part.stop - start), start)


class Files:
    """Makes each file once, even with many readers, and keeps it by its entity tag."""

    def __init__(self, room: int = ROOM, largest: int = LARGEST, seconds: float = KEPT_SECONDS) -> None:
        self._room = room
        self._largest = largest
        self._seconds = seconds
        self._taken = 0
        self._kept: dict[str, LentFile] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def lent(self, tag: str, at_most: int, make: Maker) -> AsyncIterator[LentFile | None]:
        """The file of `tag`, made if it is not there; None if there is no room for `at_most` bytes."""
        lock = self._locks.setdefault(tag, asyncio.Lock())
        async with lock:
            file = self._kept.get(tag) or await self._make(tag, at_most, make)
            if file:
                file.readers += 1
                if file.leaving:
                    file.leaving.cancel()
        if file is None:
            yield None
            return
        try:
            yield file
        finally:
            file.readers -= 1
            self._returned(tag, file)

    async def _make(self, tag: str, at_most: int, make: Maker) -> LentFile | None:
        if not self._has_room(at_most):
            return None
        self._taken += at_most
        file = _temporary()
        try:
            made = LentFile(file, 0, await make(file))
            finalize(made, file.close)
            file.flush()
            made.size = file.tell()
        except BaseException as error:
            file.close()
            if not (isinstance(error, OSError) and error.errno == ENOSPC):
                raise
            log.warning(
                "no space for temporary files in %s: free some space; until then the service streams files",
                gettempdir(),
            )
            return None
        finally:
            self._taken -= at_most
        self._taken += made.size
        if made.sound:
            self._kept[tag] = made
        return made

    def _has_room(self, size: int) -> bool:
        """Whether there is room, if necessary after deleting the least recently used files."""
        idle = [tag for tag, one in self._kept.items() if not one.readers]
        while self._taken + size > self._room and size <= self._largest and idle:
            self._let_go(self._kept.pop(idle.pop(0)))
        return size <= self._largest and self._taken + size <= self._room

    def _returned(self, tag: str, file: LentFile) -> None:
        if not file.sound:
            self._let_go(file)
            return
        self._kept[tag] = self._kept.pop(tag)
        if not file.readers:
            later = asyncio.get_running_loop().call_later
            file.leaving = later(self._seconds, lambda: self._let_go(self._kept.pop(tag)))

    def _let_go(self, one: LentFile) -> None:
        if one.leaving:
            one.leaving.cancel()
        one.file.close()
        self._taken -= one.size


def _temporary() -> IO[bytes]:
    return TemporaryFile()
