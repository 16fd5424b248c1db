"""Rows of Bitget's unified account (v3), as its documents and clients show them."""

from __future__ import annotations

from typing import Any

from tests.simulator.private.accounts import Asked
from tests.simulator.private.bitget_words import NAMES, symbol_of, text
from tests.simulator.private.rows import Bill, Fees, Fill, Order, Position, Product


def mode_of(asked: Asked) -> str:
    """The word for whether long and short positions stand side by side."""
    return "hedge_mode" if asked.book.facts.hedged else "one_way_mode"


def _fees(fees: Fees) -> list[dict[str, str]]:
    return [{"feeCoin": coin, "fee": text(paid)} for coin, paid in fees]


def position_row(position: Position, asked: Asked) -> dict[str, Any]:
    long = position.held == "long" or (position.held == "net" and position.size > 0)
    size = text(abs(position.size))
    return {
        "category": NAMES[position.product],
        "symbol": symbol_of(position.pair),
        "marginCoin": position.pair.settled,
        "holdMode": mode_of(asked),
        "posSide": "long" if long else "short",
        "marginMode": "crossed",
        "positionBalance": text(position.margin),
        "available": size,
        "frozen": "0",
        "total": size,
        "leverage": str(position.leverage),
        "avgPrice": text(position.entry),
        "markPrice": text(position.mark),
        "unrealisedPnl": text(position.unrealised),
        "liquidationPrice": "0",
        "createdTime": str(position.created),
        "updatedTime": str(position.updated),
    }


def order_row(order: Order, asked: Asked) -> dict[str, Any]:
    statuses = {"open": "live", "cancelled": "cancelled"}
    spot = order.product is Product.SPOT
    return {
        "orderId": str(order.number),
        "clientOid": order.client_id,
        "category": NAMES[order.product],
        "symbol": symbol_of(order.pair),
        "orderType": order.kind,
        "side": order.side,
        "price": text(order.price) or "0",
        "qty": text(order.size),
        "amount": "0",
        "cumExecQty": text(order.filled),
        "cumExecValue": text(order.value),
        "avgPrice": text(order.average) or "0",
        "timeInForce": "gtc",
        "orderStatus": statuses.get(order.status, order.status),
        "posSide": "" if spot else order.held,
        "holdMode": "" if spot else mode_of(asked),
        "reduceOnly": "YES" if order.held == "net" and not order.opens else "NO",
        "feeDetail": _fees(order.fees),
        "createdTime": str(order.created),
        "updatedTime": str(order.updated),
        "cancelReason": "",
        "execType": "normal" if order.cause == "plan" else order.cause,
        "stpMode": "none",
    }


def fill_row(fill: Fill, _asked: Asked) -> dict[str, Any]:
    return {
        "execId": str(fill.number),
        "orderId": str(fill.order),
        "clientOid": fill.client_id,
        "category": NAMES[fill.product],
        "symbol": symbol_of(fill.pair),
        "orderType": "limit" if fill.role == "maker" else "market",
        "side": fill.side,
        "tradeSide": "open" if fill.opens else "close",
        "execPrice": text(fill.price),
        "execQty": text(fill.size),
        "execValue": text(fill.value),
        "tradeScope": fill.role,
        "feeDetail": _fees(((fill.fee_coin, fill.fee),)),
        "execPnl": text(fill.realised),
        "createdTime": str(fill.time),
        "updatedTime": str(fill.time),
    }


def bill_row(bill: Bill, _asked: Asked) -> dict[str, Any]:
    return {
        "category": NAMES[bill.product],
        "id": str(bill.number),
        "symbol": symbol_of(bill.pair) if bill.pair else "",
        "coin": bill.coin,
        "type": _type(bill),
        "fee": text(-bill.fee),
        "amount": text(bill.amount),
        "balance": text(bill.balance),
        "ts": str(bill.time),
    }


def _type(bill: Bill) -> str:
    if bill.kind == "funding":
        return f"CONTRACT_MAIN_SETTLE_FEE_USER_{'IN' if bill.amount > 0 else 'OUT'}"
    if bill.kind != "trade":
        return bill.kind.upper()
    if bill.product is Product.SPOT:
        return f"ORDER_DEALT_{'IN' if bill.amount > 0 else 'OUT'}"
    forced = "BURST_" if bill.cause == "liquidation" else ""
    return f"{forced}{'OPEN' if bill.opens else 'CLOSE'}_{bill.held.upper()}"
