"""The simulated accounts as ccxt sees them, a client that nobody here wrote: it agrees with the book.

ccxt counts in floats, so the test compares as far as those go. Of BingX's swap fills ccxt reads no ids and no
sides. Of Bitget's fills it keeps the side that names the position.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt.async_support as ccxt
import pytest

from tests.simulator import SimulatorClock
from tests.simulator.private.generator import NOW, generated
from tests.simulator.private.rows import FINISHED, Order, Product
from tests.simulator.private.running import PrivateSimulator, private_simulator
from tests.simulator.times import DAY

STATUSES = {"open": "open", "partially_filled": "open", "filled": "closed", "cancelled": "canceled"}
BOTH = pytest.mark.parametrize("venue", ["bitget", "bingx"])
KINDS = pytest.mark.parametrize(("kind", "product"), [("spot", Product.SPOT), ("swap", Product.USDT)])
SUFFIXES = {"spot": "", "swap": ":USDT"}
BOOK = generated(
    seed=21, orders=160, days=6, products=(Product.SPOT, Product.USDT), fee_coin="BGB", open_orders=6
)
"""No test changes it. Six days, so that one question to BingX reaches over it."""
START = NOW - 7 * DAY + 1


class Bitget(ccxt.bitget):  # type: ignore[misc]
    """ccxt's Bitget on the simulator's time."""

    def milliseconds(self) -> int:
        return NOW


class Bingx(ccxt.bingx):  # type: ignore[misc]
    """ccxt's BingX on the simulator's time."""

    def milliseconds(self) -> int:
        return NOW


@asynccontextmanager
async def trader(venue: str) -> AsyncIterator[tuple[PrivateSimulator, Any]]:
    """A simulator whose clock stands, and ccxt's client with the account's keys."""
    async with private_simulator(BOOK, clock=SimulatorClock(NOW, frozen=True)) as simulator:
        keys = simulator.keys
        own = {
            "apiKey": keys.key,
            "secret": keys.secret,
            "password": keys.passphrase,
            "enableRateLimit": False,
        }
        types = {"fetchMarkets": {"types": ["spot", "swap"]}, "maxRetriesOnFailure": 0}
        client = Bitget({**own, "options": types}) if venue == "bitget" else Bingx(own)
        client.has["fetchCurrencies"] = False
        root = simulator.url if venue == "bitget" else f"{simulator.url}/openApi"
        client.urls["api"] = dict.fromkeys(client.urls["api"], root)
        try:
            yield simulator, client
        finally:
            await client.close()


def told_of(order: Order, kind: str) -> dict[str, Any]:
    """What ccxt says of an order."""
    return {
        "id": str(order.number),
        "clientOrderId": order.client_id or None,
        "symbol": f"{order.pair.base}/{order.pair.quote}{SUFFIXES[kind]}",
        "side": order.side,
        "type": order.kind,
        "status": STATUSES[order.status],
        "timestamp": order.created,
        "filled": float(order.filled),
    }


@BOTH
@KINDS
async def test_ccxt_reads_the_balances(venue: str, kind: str, product: Product) -> None:
    async with trader(venue) as (simulator, client):
        balances = await client.fetch_balance({"type": kind})
    for row in simulator.book.balances(product):
        free = balances[row.coin]["free"]
        assert free == pytest.approx(float(row.available), rel=1e-12)
        if kind == "spot":
            assert balances[row.coin]["total"] == pytest.approx(float(row.balance), rel=1e-12)


@BOTH
@KINDS
async def test_ccxt_reads_finished_orders(venue: str, kind: str, product: Product) -> None:
    async with trader(venue) as (_, client):
        if venue == "bingx" and kind == "swap":
            rows = await client.fetch_orders(None, START, 1000, {"until": NOW, "type": kind})
        else:
            params = {"until": NOW, "type": kind}
            rows = await client.fetch_canceled_and_closed_orders(None, START, 100, params)
    told = {row["id"]: row for row in rows if row["status"] != "open"}
    expected = [order for order in BOOK.orders.of(product) if order.status in FINISHED]
    assert told.keys() == {str(order.number) for order in expected}
    assert len(told) > 40
    for order in expected:
        row = told[str(order.number)]
        assert {name: row[name] for name in told_of(order, kind)} == told_of(order, kind)
        if order.average is not None:
            assert row["average"] == pytest.approx(float(order.average), rel=1e-7)


@BOTH
@KINDS
async def test_ccxt_reads_open_orders_and_one_order(venue: str, kind: str, product: Product) -> None:
    async with trader(venue) as (_, client):
        rows = await client.fetch_open_orders(None, params={"type": kind})
        expected = {str(order.number): order for order in BOOK.open.values() if order.product is product}
        assert expected
        assert {row["id"] for row in rows} == expected.keys()
        for order in expected.values():
            row = await client.fetch_order(str(order.number), told_of(order, kind)["symbol"])
            assert {name: row[name] for name in told_of(order, kind)} == told_of(order, kind)


@BOTH
@KINDS
async def test_ccxt_reads_fills(venue: str, kind: str, product: Product) -> None:
    async with trader(venue) as (_, client):
        rows: list[dict[str, Any]] = []
        for pair in BOOK.symbols(product):
            symbol = f"{pair.base}/{pair.quote}{SUFFIXES[kind]}"
            rows += await client.fetch_my_trades(symbol, START, 100, {"until": NOW})
    fills = BOOK.fills.of(product)
    assert len(rows) == len(fills) > 40
    amounts = sorted((fill.time, str(fill.order), float(fill.price), float(fill.size)) for fill in fills)
    if venue == "bingx" and kind == "swap":
        assert sorted(row["amount"] for row in rows) == sorted(amount for *_, amount in amounts)
        return
    assert sorted((row["timestamp"], row["order"], row["price"], row["amount"]) for row in rows) == amounts
    told = {row["id"]: row for row in rows}
    for fill in fills:
        row = told[str(fill.number)]
        side = {"long": "buy", "short": "sell"}.get(fill.held, fill.side) if venue == "bitget" else fill.side
        assert (row["side"], row["takerOrMaker"]) == (side, fill.role)
        assert row["fee"]["currency"] == fill.fee_coin
        assert row["fee"]["cost"] == float(fill.fee)


@BOTH
async def test_ccxt_reads_positions(venue: str) -> None:
    async with trader(venue) as (simulator, client):
        rows = await client.fetch_positions(
            None, {"productType": "USDT-FUTURES"} if venue == "bitget" else {}
        )
    told = {(row["symbol"], row["side"]): row for row in rows}
    positions = simulator.book.positions(Product.USDT)
    assert len(told) == len(positions) > 3
    for position in positions:
        row = told[f"{position.pair.base}/USDT:USDT", position.held]
        assert row["contracts"] == float(position.size)
        assert row["entryPrice"] == float(position.entry)
        assert row["unrealizedPnl"] == float(position.unrealised)


@BOTH
async def test_ccxt_is_refused_with_a_wrong_secret(venue: str) -> None:
    async with trader(venue) as (_, client):
        await client.load_markets()
        client.secret = "wrong"
        with pytest.raises(ccxt.AuthenticationError):
            await client.fetch_balance({"type": "swap"})
