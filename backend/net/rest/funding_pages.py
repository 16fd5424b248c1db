"""Reads what was paid as funding, page by page, the newest first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from backend.core.quotes import FundingPaid

ASKED = 6
"""So many answers must agree that a page is empty: BingX says so now and then of times that have rows."""
MOST_PAGES = 500

Ask = Callable[[int, int, int], Awaitable[Sequence[FundingPaid]]]
"""Takes the first and the last wanted time (ms) and the number of the page; a venue needs one of the two."""


async def paid_between(start: int, end: int, ask: Ask) -> Sequence[FundingPaid]:
    """All that was paid in `[start, end)`, ascending. May raise what `ask` does."""
    payments: dict[int, FundingPaid] = {}
    oldest = end
    for page in range(1, MOST_PAGES + 1):
        rows = await _page(ask, start, min(end, oldest) - 1, page)
        payments |= {row.time: row for row in rows if start <= row.time < end}
        before, oldest = oldest, min((row.time for row in rows), default=start)
        if oldest <= start or (page > 1 and oldest >= before):
            break
    return [payments[time] for time in sorted(payments)]


async def _page(ask: Ask, start: int, last: int, page: int) -> Sequence[FundingPaid]:
    for _ in range(ASKED):
        if rows := await ask(start, last, page):
            return rows
    return ()
