"""ccxt, whose users met these rows before, understands them as we do.

It takes the fee of a unified Bitget account for a rebate, although the row is one of a market order that paid
0.06 %: so that fee is not compared. Nor is a status that it leaves as it came.
"""

from __future__ import annotations

import json
from typing import Any

import ccxt
import pytest

from backend.exchanges.base import Answer
from backend.exchanges.bingx.account import ACCOUNT
from backend.exchanges.bitget.account import CLASSIC, UNIFIED
from backend.exchanges.private.venue import Call
from backend.trading.rows import Fill, Order, Page, Product, Status, Wanted
from tests import bingx_rows, bitget_rows

USDT, SPOT, COIN = Product.PERPETUAL_USDT, Product.SPOT, Product.PERPETUAL_COIN
WORDS = {Status.OPEN: "open", Status.FILLED: "closed", Status.CANCELLED: "canceled"}
CLOSING = bitget_rows.MIX_ORDER | {"tradeSide": "close", "reduceOnly": "YES"}


def wanted(product: Product) -> Wanted:
    return Wanted(product=product, start=1, end=2, symbol="X", order_id="1")


def only_row(call: Call[Page[Any]], data: Any) -> Any:
    (row,) = call.parse(Answer(200, {}, json.dumps({"code": 0, "data": data}).encode())).rows
    return row


def foreign(venue: Any) -> Any:
    """ccxt's client, which knows no markets and asks nobody."""
    client = venue()
    client.markets = {}
    return client


@pytest.mark.parametrize(
    ("venue", "call", "row", "data"),
    [
        (ccxt.bitget, CLASSIC.orders[USDT], row, {"entrustedList": [row], "endId": "1"})
        for row in (bitget_rows.MIX_ORDER, CLOSING, CLOSING | {"side": "sell", "posSide": "short"})
    ]
    + [
        (ccxt.bitget, CLASSIC.orders[SPOT], bitget_rows.SPOT_ORDER, [bitget_rows.SPOT_ORDER]),
        (ccxt.bitget, UNIFIED.orders[USDT], bitget_rows.UNIFIED_ORDER, {"list": [bitget_rows.UNIFIED_ORDER]}),
        (ccxt.bingx, ACCOUNT.orders[USDT], bingx_rows.ORDER, {"orders": [bingx_rows.ORDER]}),
        (ccxt.bingx, ACCOUNT.orders[SPOT], bingx_rows.SPOT_ORDER, {"orders": [bingx_rows.SPOT_ORDER]}),
        (ccxt.bingx, ACCOUNT.orders[COIN], bingx_rows.COIN_ORDER, {"orders": [bingx_rows.COIN_ORDER]}),
    ],
)
def test_an_order_is_read_as_ccxt_reads_it(venue: Any, call: Any, row: Any, data: Any) -> None:
    theirs = foreign(venue).parse_order(row)
    order: Order = only_row(call.ask(wanted(USDT)), data)
    assert (order.order_id, order.side, order.created) == (theirs["id"], theirs["side"], theirs["timestamp"])
    assert order.client_id == (theirs["clientOrderId"] or "")
    assert (float(order.size or 0), float(order.filled)) == (theirs["amount"], theirs["filled"])
    assert theirs["status"] == WORDS.get(order.status, theirs["status"])
    if order.fees and call is not UNIFIED.orders[USDT]:
        assert float(order.fees[0].paid) == theirs["fee"]["cost"]


@pytest.mark.parametrize(
    ("venue", "call", "row", "data"),
    [
        (ccxt.bitget, CLASSIC.fills[USDT], bitget_rows.MIX_FILL, {"fillList": [bitget_rows.MIX_FILL]}),
        (ccxt.bitget, CLASSIC.fills[SPOT], bitget_rows.SPOT_FILL, [bitget_rows.SPOT_FILL]),
        (ccxt.bitget, UNIFIED.fills[USDT], bitget_rows.UNIFIED_FILL, {"list": [bitget_rows.UNIFIED_FILL]}),
        (ccxt.bingx, ACCOUNT.fills[SPOT], bingx_rows.SPOT_FILL, {"fills": [bingx_rows.SPOT_FILL]}),
        (ccxt.bingx, ACCOUNT.fills[COIN], bingx_rows.COIN_FILL, [bingx_rows.COIN_FILL]),
    ],
)
def test_a_fill_is_read_as_ccxt_reads_it(venue: Any, call: Any, row: Any, data: Any) -> None:
    theirs = foreign(venue).parse_trade(row)
    fill: Fill = only_row(call.ask(wanted(USDT)), data)
    assert (fill.fill_id, fill.order_id, fill.side) == (theirs["id"], theirs["order"], theirs["side"])
    assert (fill.time, fill.role) == (theirs["timestamp"], theirs["takerOrMaker"])
    assert float(fill.price) == theirs["price"]
    assert fill.fees[0].coin == theirs["fee"]["currency"]
    if call is not UNIFIED.fills[USDT]:
        assert float(fill.fees[0].paid) == theirs["fee"]["cost"]
