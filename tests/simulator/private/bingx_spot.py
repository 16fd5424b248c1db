"""BingX's accounts: spot, the key, and whose it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.simulator.private.accounts import Asked, Tell
from tests.simulator.private.bingx_words import (
    SPOT_STATUSES,
    WEEK,
    coin_of,
    from_order,
    needed,
    numbered,
    open_orders,
    order_of,
    size_of,
    symbol_of,
    told,
    whole,
    wrong,
)
from tests.simulator.private.bitget_words import text
from tests.simulator.private.rows import Fill, Order, Product

ROOT = "/openApi/spot/v1"
SPOT = (Product.SPOT,)
RIGHTS = {"read": (2,), "trade": (1, 3), "transfer": (4,), "withdraw": (5,)}
ZERO = Decimal(0)
DEEPEST = 10_000
"""Rows that pages of orders reach in all."""


def uid(asked: Asked) -> dict[str, Any]:
    return {"uid": int(asked.book.facts.uid)}


def key(asked: Asked) -> dict[str, Any]:
    facts = asked.book.facts
    own = {
        "apiKey": asked.account.keys.key,
        "note": "",
        "permissions": [number for right in facts.rights for number in RIGHTS[right]],
        "ipAddresses": list(facts.addresses),
        "status": 1,
        "createTime": facts.registered,
        "updateTime": facts.registered,
    }
    return {"apiInfos": [{**own, "apiKey": "another-key-of-the-account", "permissions": [2]}, own]}


def balances(asked: Asked) -> dict[str, Any]:
    return {
        "balances": [
            {
                "asset": coin_of(asked, balance.coin),
                "free": text(balance.available),
                "locked": text(balance.frozen),
            }
            for balance in asked.book.balances(Product.SPOT)
        ]
    }


def funding(_asked: Asked) -> dict[str, Any]:
    """A book keeps nothing in the wallet for funding."""
    return {"assets": []}


def everything(asked: Asked) -> list[dict[str, Any]]:
    """The worth of each account in USDT, as far as it is in USDT."""
    names = {Product.SPOT: "sopt", Product.COIN: "coinMPerp", Product.USDT: "USDTMPerp"}
    return [
        {
            "accountType": name,
            "usdtBalance": text(
                sum((b.equity for b in asked.book.balances(product) if b.coin == "USDT"), ZERO)
            ),
        }
        for product, name in names.items()
    ]


def rates(asked: Asked) -> dict[str, float]:
    """The rates are JSON numbers here; so few digits lose nothing by it."""
    needed(asked, "symbol")
    rate = asked.book.facts.rates[Product.SPOT]
    return {"makerCommissionRate": float(rate.maker), "takerCommissionRate": float(rate.taker)}


def pending(asked: Asked) -> dict[str, Any]:
    return {"orders": [_order(row) for row in open_orders(asked, SPOT)]}


def detail(asked: Asked) -> dict[str, Any]:
    return _order(order_of(asked, SPOT, "clientOrderID", absent="100404"))


def orders(asked: Asked) -> dict[str, Any]:
    """Orders by pages, newest first."""
    if whole(asked, "pageIndex", 1) * whole(asked, "pageSize", 100) > DEEPEST:
        raise wrong(asked, "pageIndex: pages reach over 10000 orders")
    rows = from_order(asked, asked.book.orders.between(Product.SPOT, *_window(asked)))
    found = told(asked, rows)
    page = numbered(asked, found, usual=100, largest=100)
    return {"orders": [_order(row) for row in page], "total": len(found)}


def fills(asked: Asked) -> dict[str, Any]:
    """Fills of one symbol, newest first."""
    needed(asked, "symbol")
    number, first = whole(asked, "orderId", 0), whole(asked, "fromId", 0)
    rows = told(asked, asked.book.fills.between(Product.SPOT, *_window(asked)))
    rows = [row for row in rows if row.number >= first and number in (0, row.order)]
    return {"fills": [_fill(row, asked) for row in rows[: size_of(asked, "limit", usual=500, largest=1000)]]}


ROUTES: dict[str, tuple[Tell, int, int]] = {
    "/openApi/account/v1/uid": (uid, 2, 2),
    "/openApi/account/v1/apiKey/query": (key, 2, 2),
    "/openApi/account/v1/allAccountBalance": (everything, 2, 2),
    "/openApi/fund/v1/account/balance": (funding, 2, 2),
    f"{ROOT}/account/balance": (balances, 5, 3),
    f"{ROOT}/user/commissionRate": (rates, 2, 2),
    f"{ROOT}/trade/openOrders": (pending, 10, 2),
    f"{ROOT}/trade/query": (detail, 10, 2),
    f"{ROOT}/trade/historyOrders": (orders, 10, 2),
    f"{ROOT}/trade/myTrades": (fills, 5, 2),
}
"""How each path is answered, and how often a second an account and an address may ask."""


def _window(asked: Asked) -> tuple[int, int]:
    """Both times are included; no longest window is documented."""
    end = whole(asked, "endTime", asked.now)
    start = whole(asked, "startTime", end - WEEK)
    span = asked.faults.private.span_cap
    if start > end or (span and end - start > span):
        raise wrong(asked, "endTime: the range of time is too long")
    return start, end


def _order(order: Order) -> dict[str, Any]:
    return {
        "symbol": symbol_of(order.pair),
        "orderId": order.number,
        "price": text(order.price) or "0",
        "StopPrice": "0",
        "origQty": text(order.size),
        "executedQty": text(order.filled),
        "cummulativeQuoteQty": text(order.value),
        "status": SPOT_STATUSES[order.status],
        "type": order.kind.upper(),
        "side": order.side.upper(),
        "time": order.created,
        "updateTime": order.updated,
        "origQuoteOrderQty": "0",
        "fee": text(-sum((paid for _, paid in order.fees), ZERO)),
        "feeAsset": order.fees[0][0] if order.fees else "",
        "clientOrderID": order.client_id,
        "avgPrice": text(order.average) or "0",
    }


def _fill(fill: Fill, asked: Asked) -> dict[str, Any]:
    return {
        "symbol": symbol_of(fill.pair),
        "id": fill.number,
        "orderId": fill.order,
        "price": text(fill.price),
        "qty": text(fill.size),
        "quoteQty": text(fill.value),
        "commission": float(-fill.fee),
        "commissionAsset": coin_of(asked, fill.fee_coin),
        "time": fill.time,
        "isBuyer": fill.side == "buy",
        "isMaker": fill.role == "maker",
    }
