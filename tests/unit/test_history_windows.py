"""All rows of a window come, each once, whatever pages they come in and whatever single answer lies."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.windows import DAY, HOUR
from backend.errors import ExchangeRefused
from backend.services.history.window_reading import rows_of
from backend.trading.history import Kind, Row, time_of
from backend.trading.rows import Page, Wanted
from tests.fakes import START
from tests.traded import USDT, Style, TradedAccount, name_of, traded

END = START + 5 * DAY
BOOK = traded(7, 120, START, END)


def account(style: Style, page_size: int) -> TradedAccount:
    return TradedAccount(
        BOOK, lambda: END, styles=dict.fromkeys(Kind, style), page_size=page_size, retention=None
    )


async def read(told: TradedAccount, start: int = START, end: int = END) -> list[str]:
    found: list[str] = []
    async for came in rows_of(told.orders, Wanted(product=USDT, start=start, end=end)):
        assert all(name_of(row) == name for name, row in came.rows.items())
        found += came.rows
        if came.down_to is not None:
            claimed = truth(max(came.down_to, start), end)
            assert set(claimed) <= set(found)
    return found


def truth(start: int = START, end: int = END) -> list[str]:
    return sorted(name_of(row) for row in BOOK.orders if start <= time_of(row) < end)


@pytest.mark.parametrize("page_size", [1, 7, 10, 1000])
@pytest.mark.parametrize("style", ["cursor", "numbered"])
async def test_pages_are_read_to_their_end(style: Style, page_size: int) -> None:
    assert sorted(await read(account(style, page_size))) == truth()


@pytest.mark.parametrize("page_size", [10, 50, 1000])
async def test_full_pages_without_a_cursor_are_halved(page_size: int) -> None:
    found = await read(account("halves", page_size))
    assert sorted(set(found)) == truth()


async def test_more_rows_of_a_millisecond_than_a_page_are_told_as_such() -> None:
    moments = [row.created for row in BOOK.orders]
    twin = next(moment for moment in moments if moments.count(moment) > 1)
    with pytest.raises(ExchangeRefused, match=str(twin)):
        await read(account("halves", 1), twin, twin + 1)


@pytest.mark.parametrize("style", ["cursor", "numbered", "halves"])
@given(number=st.integers(1, 40), kept=st.integers(0, 9))
def test_one_short_or_empty_answer_loses_nothing(style: Style, number: int, kept: int) -> None:
    told = account(style, 10)

    def lie(_kind: Kind, asked: int, page: Page[Row]) -> Page[Row]:
        if asked != number:
            return page
        rows = page.rows[:kept]
        if style == "halves" or not rows:
            return Page(rows)
        return Page(rows, cursor=page.cursor if style == "numbered" else name_of(rows[-1]))

    told.lie = lie
    assert sorted(set(asyncio.run(read(told)))) == truth()


@given(st.integers(0, 5 * 24), st.integers(1, 5 * 24))
def test_a_window_tells_its_own_rows(first: int, hours: int) -> None:
    start, end = START + first * HOUR, START + (first + hours) * HOUR
    assert sorted(asyncio.run(read(account("cursor", 10), start, end))) == truth(start, end)


async def test_a_page_that_comes_again_and_again_is_the_end() -> None:
    told = account("cursor", 1000)
    again: Page[Row] = Page(tuple(BOOK.orders[:5]), cursor="again")
    told.lie = lambda *_: again
    assert len(await read(told)) == 5
    assert told.told <= 5
