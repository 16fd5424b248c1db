"""Files that are kept for a while: made once, never more than there is room for."""

from __future__ import annotations

import asyncio
from errno import ENOSPC
from typing import IO

import pytest

from backend.web.server.files import Files, Maker
from tests.pushing import until

SIZE = 100


class Making:
    """Makes files of SIZE bytes and counts them."""

    def __init__(self, *, sound: bool = True) -> None:
        self.count = 0
        self._sound = sound

    async def __call__(self, file: IO[bytes]) -> bool:
        self.count += 1
        await asyncio.sleep(0)
        file.write(b"x" * SIZE)
        return self._sound


async def read(files: Files, tag: str, make: Maker) -> bytes | None:
    async with files.lent(tag, SIZE, make) as lent:
        await asyncio.sleep(0)
        return None if lent is None else b"".join(lent.pieces(range(lent.size)))


async def test_many_readers_at_once_cost_one_making() -> None:
    files, making = Files(), Making()
    assert await asyncio.gather(*(read(files, "a", making) for _ in range(20))) == [b"x" * SIZE] * 20
    assert making.count == 1


async def test_the_file_that_was_read_longest_ago_makes_room() -> None:
    files, making = Files(room=2 * SIZE, largest=SIZE), Making()
    for tag in ("a", "b", "a", "c", "a"):
        await read(files, tag, making)
    assert making.count == 3
    await read(files, "b", making)
    assert making.count == 4


async def test_a_file_that_is_being_read_stays_and_others_have_no_room() -> None:
    files, making = Files(room=2 * SIZE, largest=SIZE), Making()
    async with files.lent("a", SIZE, making) as first, files.lent("b", SIZE, making):
        assert await read(files, "c", making) is None
        assert first is not None
        assert next(first.pieces(range(3))) == b"xxx"
    assert await read(files, "c", making) is not None
    assert await read(files, "d", Making()) is not None


async def test_a_file_that_is_too_large_is_not_made() -> None:
    making = Making()
    assert await read(Files(room=10 * SIZE, largest=SIZE - 1), "a", making) is None
    assert making.count == 0


async def test_an_unsound_file_is_not_kept() -> None:
    files, making = Files(room=SIZE, largest=SIZE), Making(sound=False)
    for _ in range(3):
        assert await read(files, "a", making) == b"x" * SIZE
    assert making.count == 3


async def test_a_making_that_fails_leaves_the_room() -> None:
    async def fail(file: IO[bytes]) -> bool:
        file.write(b"half")
        raise OSError("the database is away")

    files = Files(room=SIZE, largest=SIZE)
    for _ in range(3):
        with pytest.raises(OSError, match="away"):
            await read(files, "a", fail)
    assert await read(files, "a", Making()) == b"x" * SIZE


async def test_a_file_that_nobody_reads_any_more_is_let_go() -> None:
    files, making = Files(seconds=0), Making()
    async with files.lent("a", SIZE, making) as lent:
        assert lent is not None
        await read(files, "a", making)
        assert not lent.file.closed
    await until(lambda: lent.file.closed)
    await read(files, "a", making)
    assert making.count == 2


async def test_on_a_full_disk_there_is_no_file() -> None:
    async def fill(file: IO[bytes]) -> bool:
        file.write(b"half")
        raise OSError(ENOSPC, "No space left on device")

    files = Files(room=SIZE, largest=SIZE)
    assert await read(files, "a", fill) is None
    assert await read(files, "a", Making()) == b"x" * SIZE
