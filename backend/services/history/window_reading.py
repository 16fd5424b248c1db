"""Reads all rows of a window, from pages of any order and size. No single answer can hide a row."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from backend.core.windows import Window
from backend.errors import ExchangeRefused
from backend.trading.history import Row, halves, ids_of, time_of
from backend.trading.rows import Page, Wanted

Ask = Callable[[Wanted], Awaitable[Page[Row]]]


class Came(NamedTuple):
    """Rows by their ids. All of the window from the moment `down_to` on have come; None where that is not
    known before its end."""

    rows: dict[str, Row]
    down_to: int | None = None


Rows = AsyncGenerator[Came, None]


async def rows_of(ask: Ask, wanted: Wanted, parts: int = 1) -> Rows:
    """The rows of `[wanted.start, wanted.end)`, each once, as they come; they stand in so many lists.

    Rows outside of the window are told as well: they are true. Raises ExchangeError; ExchangeRefused where
    one millisecond has more rows than a page.
    """
    for part in range(parts):
        async for came in _rows_of_part(ask, replace(wanted, part=part)):
            yield came if parts == 1 else Came(came.rows)


async def _rows_of_part(ask: Ask, wanted: Wanted) -> Rows:
    known: set[str] = set()
    sizes: list[int] = []
    async for came in _walk(ask, wanted, known, sizes):
        yield came
    if any(size < max(sizes) for size in sizes[:-1]):
        # Where pages have numbers, what a short one in the middle left out would come on no other page.
        async for came in _walk(ask, wanted, known, []):
            yield came


class NewestFirst:
    """Whether pages come newest first, and go on behind the id of their last row: then nothing above that row
    is left out, whatever a page holds."""

    def __init__(self) -> None:
        self._lowest: int | None = None
        self._holds = True

    def down_to(self, page: Page[Row]) -> int | None:
        """The moment from which this page has brought all rows."""
        times = [time_of(row) for row in page.rows]
        above = [] if self._lowest is None else [self._lowest]
        is_sorted = all(one >= other for one, other in pairwise([*above, *times]))
        self._holds = self._holds and is_sorted and page.cursor == next(reversed(ids_of(page.rows)), None)
        self._lowest = times[-1]
        return self._lowest + 1 if self._holds else None


async def _walk(ask: Ask, wanted: Wanted, known: set[str], sizes: list[int]) -> Rows:
    """The rows that are not `known`, from page to page. A full page from which nothing leads on is asked for
    in halves. The end is believed when the last page with rows, asked again, leads to it again."""
    cursor, before, doubts = "", "", 0
    newest_first = NewestFirst()
    while True:
        page = await ask(replace(wanted, cursor=cursor))
        fresh = {name: row for name, row in ids_of(page.rows).items() if name not in known}
        if fresh:
            known |= fresh.keys()
            sizes.append(len(page.rows))
            yield Came(fresh, newest_first.down_to(page))
        if page.full and page.cursor is None:
            async for came in _halved(ask, wanted, known):
                yield came
            return
        if fresh and page.cursor is not None:
            cursor, before, doubts = page.cursor, cursor, 0
        elif fresh or doubts == 0:
            cursor, doubts = before, 1
        elif doubts == 1 and page.cursor is not None:
            cursor, doubts = page.cursor, 2
        else:
            return


async def _halved(ask: Ask, wanted: Wanted, known: set[str]) -> Rows:
    parts = halves(Window(wanted.start, wanted.end))
    if parts is None:
        raise ExchangeRefused(f"more rows of one millisecond ({wanted.start}) than a page can tell")
    for part in parts:
        half = replace(wanted, start=part.start, end=part.end, cursor="")
        async for came in _walk(ask, half, known, []):
            yield Came(came.rows)
