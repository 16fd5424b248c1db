"""A page of a history costs as much as its rows, whatever else is stored."""

from __future__ import annotations

import pytest

from backend.core.windows import DAY
from backend.services.history.ports import RowsWanted
from backend.store.mongo import Database
from backend.store.trading.history import MongoHistory
from backend.trading.history import Kind, ids_of
from backend.trading.rows import Product
from tests.fakes import START
from tests.traded import traded

ACCOUNT = "9f3b2c1d0a7e4d55"
BOOK = traded(5, 300, START, START + 9 * DAY)
LIMIT = 20
WANTED = [
    RowsWanted(account=ACCOUNT),
    RowsWanted(account=ACCOUNT, product=Product.PERPETUAL_USDT),
    RowsWanted(account=ACCOUNT, symbol="COIN1USDT"),
    RowsWanted(account=ACCOUNT, start=START + DAY, end=START + 8 * DAY),
]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("wanted", WANTED, ids=["all", "product", "symbol", "time"])
async def test_a_page_walks_an_index_and_sorts_nothing(
    database: Database, kind: Kind, wanted: RowsWanted
) -> None:
    history = MongoHistory(database)
    assert await history.acquire(ACCOUNT, "the tests", 60)
    for account in (ACCOUNT, "another"):
        await history.put(account, kind, ids_of(BOOK.rows(kind)))
    first = await history.page(kind, wanted, None, LIMIT)
    assert len(first) == LIMIT
    await database.command("profile", 2)
    await history.page(kind, wanted, first[-1][0], LIMIT)
    await database.command("profile", 0)
    [asked] = await database["system.profile"].find({"op": "query"}).to_list(None)
    assert "hasSortStage" not in asked
    assert asked["docsExamined"] <= LIMIT + 1 if wanted.product is None else 2 * LIMIT
    assert asked["keysExamined"] <= 4 * LIMIT
