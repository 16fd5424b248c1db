"""Orders of this service as ccxt reads them, a client that nobody here wrote; and ccxt's own orders at the
simulated venues, which mean the same there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt
import pytest

from backend.store.mongo import Database
from backend.trading.intents import State
from tests.book_rows import Venue
from tests.ordering import Floor, floor

VENUES = pytest.mark.parametrize("venue", ["classic", "unified", "bingx"])
MARKET = "BTC/USDT:USDT"


@asynccontextmanager
async def reader(here: Floor) -> AsyncIterator[Any]:
    """ccxt's client of the same account, on the same clock."""
    keys = here.simulator.keys
    own = {
        "apiKey": keys.key,
        "secret": keys.secret,
        "password": keys.passphrase,
        "enableRateLimit": False,
        "options": {
            "fetchMarkets": {"types": ["swap"]},
            "maxRetriesOnFailure": 0,
            "uta": False,
        },
    }
    client: Any = ccxt.bingx(own) if here.venue == "bingx" else ccxt.bitget(own)
    client.milliseconds = here.clock.now
    client.has["fetchCurrencies"] = False
    root = f"{here.simulator.url}/openApi" if here.venue == "bingx" else here.simulator.url
    client.urls["api"] = dict.fromkeys(client.urls["api"], root)
    try:
        await client.load_markets()
        client.options["uta"] = here.venue == "unified"
        yield client
    finally:
        await client.close()


@VENUES
async def test_ccxt_reads_the_order_that_was_placed(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here, reader(here) as client:
        placed = await here.place(price=Decimal(20_000), size=Decimal("0.02"))
        assert placed.state is State.ACCEPTED
        [told] = await client.fetch_open_orders(MARKET)
        assert {name: told[name] for name in ("id", "clientOrderId", "side", "type", "price", "amount")} == {
            "id": placed.order_id,
            "clientOrderId": placed.id,
            "side": "buy",
            "type": "limit",
            "price": 20_000.0,
            "amount": 0.02,
        }
        await here.first.canceller.cancel(placed.id, caller="test")
        assert await client.fetch_open_orders(MARKET) == []


@VENUES
@pytest.mark.parametrize(
    ("side", "held", "closes"),
    [("buy", "long", False), ("sell", "long", True), ("sell", "short", False), ("buy", "short", True)],
)
async def test_ccxts_orders_mean_the_same(
    venue: Venue, side: str, held: str, closes: bool, database: Database
) -> None:
    """What ccxt sends for an order, and what this service sends for the same one, stand alike in the book."""
    async with floor(venue, database) as here, reader(here) as client:
        if closes:
            await here.place(held=held, side="buy" if held == "long" else "sell", size=Decimal("0.04"))
        way = {"posSide": held} if venue == "unified" else {"hedged": True, "reduceOnly": closes}
        await client.create_order(MARKET, "market", side, 0.01, None, way)
        foreign = here.orders()[-1]
        await here.place(held=held, side=side, size=Decimal("0.01"))
        ours = here.orders()[-1]
        assert foreign.number != ours.number
        parts = ("product", "pair", "side", "held", "opens", "kind", "size", "status")
        assert [getattr(foreign, part) for part in parts] == [getattr(ours, part) for part in parts]
