"""Bitget's classic account (v2): futures."""

from __future__ import annotations

from typing import Any

from tests.simulator.private.accounts import Asked, Refused, Tell
from tests.simulator.private.bitget_words import (
    PAGE,
    STATUSES,
    bill_type,
    fee_in,
    history,
    of_order,
    open_orders,
    order_of,
    page_end,
    paged,
    plan_row,
    position_side,
    product_of,
    source_of,
    symbol_of,
    text,
    trade_side,
)
from tests.simulator.private.rows import FINISHED, Balance, Bill, Fill, Order, Position
from tests.simulator.times import DAY

ROOT = "/api/v2/mix"


def accounts(asked: Asked) -> list[dict[str, Any]]:
    product = product_of(asked)
    return [_account(balance) for balance in asked.book.balances(product)]


def account(asked: Asked) -> dict[str, Any]:
    """One margin coin, with how the account is set."""
    coin = asked.params.get("marginCoin", "").upper()
    found = [balance for balance in asked.book.balances(product_of(asked)) if balance.coin == coin]
    if not found:
        raise Refused("40019", "Parameter marginCoin cannot be empty")
    mode = "hedge_mode" if asked.book.facts.hedged else "one_way_mode"
    lever = "10"
    return {
        **_account(found[0]),
        "crossedMarginLeverage": lever,
        "isolatedLongLever": lever,
        "isolatedShortLever": lever,
        "marginMode": "crossed",
        "posMode": mode,
    }


def positions(asked: Asked) -> list[dict[str, Any]]:
    hedged = asked.book.facts.hedged
    symbol = asked.params.get("symbol", "").upper()
    found = asked.book.positions(product_of(asked))
    return [_position(one, hedged=hedged) for one in found if symbol in ("", symbol_of(one.pair))]


def pending(asked: Asked) -> dict[str, Any]:
    return _orders(asked, open_orders(asked, product_of(asked)))


def finished(asked: Asked) -> dict[str, Any]:
    """Orders are told by the time of their creation, once they are finished."""
    rows = history(asked, asked.book.orders, product_of(asked), too_wide="40705")
    return _orders(asked, [row for row in rows if row.status in FINISHED])


def detail(asked: Asked) -> dict[str, Any]:
    """One order, whose status is called state here."""
    order = order_of(asked, absent="40109")
    if order.product is not product_of(asked):
        raise Refused("40109", "The data of the order cannot be found, please confirm the order number")
    row = _order(order, hedged=asked.book.facts.hedged)
    row["state"] = row.pop("status")
    return row


def fills(asked: Asked) -> dict[str, Any]:
    return _fills(asked, RECENT)


def fill_history(asked: Asked) -> dict[str, Any]:
    if asked.account.demo:
        raise Refused("40404", "Request URL NOT FOUND", 404)
    return _fills(asked, 7 * DAY)


def bills(asked: Asked) -> dict[str, Any]:
    rows = history(asked, asked.book.bills, product_of(asked), span=30 * DAY, usual=30 * DAY)
    if coin := asked.params.get("coin"):
        rows = [row for row in rows if row.coin == coin.upper()]
    hedged = asked.book.facts.hedged
    if kind := asked.params.get("businessType"):
        rows = [row for row in rows if bill_type(row, hedged=hedged) == kind]
    page = paged(asked, rows, cursor="idLessThan")
    return {"bills": [_bill(row, hedged=hedged) for row in page] or None, "endId": page_end(page)}


def plans(asked: Asked) -> dict[str, Any]:
    rows = history(asked, asked.book.plans, product_of(asked))
    page = paged(asked, rows, cursor="idLessThan")
    hedged = asked.book.facts.hedged
    return {"entrustedList": [plan_row(row, hedged=hedged) for row in page] or None, "endId": page_end(page)}


def plans_pending(_asked: Asked) -> dict[str, Any]:
    """No plan waits in a book."""
    return {"entrustedList": None, "endId": None}


RECENT = 90 * DAY

ROUTES: dict[str, tuple[Tell, int]] = {
    f"{ROOT}/account/accounts": (accounts, 10),
    f"{ROOT}/account/account": (account, 10),
    f"{ROOT}/account/bill": (bills, 10),
    f"{ROOT}/position/all-position": (positions, 5),
    f"{ROOT}/position/single-position": (positions, 10),
    f"{ROOT}/order/orders-pending": (pending, 10),
    f"{ROOT}/order/orders-history": (finished, 10),
    f"{ROOT}/order/detail": (detail, 10),
    f"{ROOT}/order/fills": (fills, 10),
    f"{ROOT}/order/fill-history": (fill_history, 10),
    f"{ROOT}/order/orders-plan-history": (plans, 10),
    f"{ROOT}/order/orders-plan-pending": (plans_pending, 10),
}
"""How each path is answered, and how often a second an account may ask."""


def _orders(asked: Asked, rows: list[Order]) -> dict[str, Any]:
    page = paged(asked, rows, cursor="idLessThan")
    hedged = asked.book.facts.hedged
    return {"entrustedList": [_order(row, hedged=hedged) for row in page] or None, "endId": page_end(page)}


def _fills(asked: Asked, span: int) -> dict[str, Any]:
    rows = of_order(asked, history(asked, asked.book.fills, product_of(asked), span=span, usual=7 * DAY))
    page = paged(asked, rows, cursor="idLessThan", largest=PAGE)
    hedged = asked.book.facts.hedged
    return {"fillList": [_fill(row, hedged=hedged) for row in page] or None, "endId": page_end(page)}


def _account(balance: Balance) -> dict[str, Any]:
    free = text(balance.available)
    return {
        "marginCoin": balance.coin,
        "locked": text(balance.frozen),
        "available": free,
        "crossedMaxAvailable": free,
        "isolatedMaxAvailable": free,
        "maxTransferOut": free,
        "accountEquity": text(balance.equity),
        "usdtEquity": text(balance.equity),
        "btcEquity": "0",
        "crossedRiskRate": "0",
        "unrealizedPL": text(balance.unrealised),
        "coupon": "0",
        "assetMode": "single",
    }


def _position(position: Position, *, hedged: bool) -> dict[str, Any]:
    long = position.held == "long" if hedged else position.size > 0
    size = text(abs(position.size))
    return {
        "marginCoin": position.pair.settled,
        "symbol": symbol_of(position.pair),
        "holdSide": "long" if long else "short",
        "openDelegateSize": "0",
        "marginSize": text(position.margin),
        "available": size,
        "locked": "0",
        "total": size,
        "leverage": str(position.leverage),
        "achievedProfits": "0",
        "openPriceAvg": text(position.entry),
        "marginMode": "crossed",
        "posMode": "hedge_mode" if hedged else "one_way_mode",
        "unrealizedPL": text(position.unrealised),
        "liquidationPrice": "0",
        "keepMarginRate": "0.004",
        "markPrice": text(position.mark),
        "marginRatio": "0.01",
        "totalFee": "",
        "cTime": str(position.created),
        "uTime": str(position.updated),
    }


def _order(order: Order, *, hedged: bool) -> dict[str, Any]:
    return {
        "symbol": symbol_of(order.pair),
        "size": text(order.size),
        "orderId": str(order.number),
        "clientOid": order.client_id,
        "baseVolume": text(order.filled),
        "fee": text(-fee_in(order.fees, order.pair.settled)),
        "price": text(order.price),
        "priceAvg": text(order.average),
        "status": STATUSES[order.status],
        "side": position_side(order, hedged=hedged),
        "force": "gtc",
        "totalProfits": text(order.realised),
        "posSide": order.held,
        "marginCoin": order.pair.settled,
        "quoteVolume": text(order.value),
        "leverage": str(order.leverage),
        "marginMode": "crossed",
        "reduceOnly": "NO" if order.opens else "YES",
        "enterPointSource": "api",
        "tradeSide": trade_side(order, hedged=hedged),
        "posMode": "hedge_mode" if hedged else "one_way_mode",
        "orderType": order.kind,
        "orderSource": source_of(order),
        "posAvg": "",
        "presetStopSurplusPrice": "",
        "presetStopLossPrice": "",
        "cTime": str(order.created),
        "uTime": str(order.updated),
    }


def _fill(fill: Fill, *, hedged: bool) -> dict[str, Any]:
    paid_in_other = fill.fee_coin != fill.pair.settled
    return {
        "tradeId": str(fill.number),
        "symbol": symbol_of(fill.pair),
        "orderId": str(fill.order),
        "price": text(fill.price),
        "baseVolume": text(fill.size),
        "feeDetail": [
            {
                "deduction": "yes" if paid_in_other else "no",
                "feeCoin": fill.fee_coin,
                "totalDeductionFee": text(-fill.fee) if paid_in_other else "",
                "totalFee": text(-fill.fee),
            }
        ],
        "side": position_side(fill, hedged=hedged),
        "quoteVolume": text(fill.value),
        "profit": text(fill.realised),
        "enterPointSource": "api",
        "tradeSide": trade_side(fill, hedged=hedged),
        "posMode": "hedge_mode" if hedged else "one_way_mode",
        "tradeScope": fill.role,
        "marginCoin": fill.pair.settled,
        "cTime": str(fill.time),
    }


def _bill(bill: Bill, *, hedged: bool) -> dict[str, Any]:
    return {
        "billId": str(bill.number),
        "symbol": symbol_of(bill.pair) if bill.pair else "",
        "amount": text(bill.amount),
        "fee": text(-bill.fee),
        "feeByCoupon": "",
        "businessType": bill_type(bill, hedged=hedged),
        "coin": bill.coin,
        "balance": text(bill.balance),
        "cTime": str(bill.time),
    }
