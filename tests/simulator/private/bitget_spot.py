"""Bitget's classic account (v2): spot, the key, fees, and the records for taxes."""

from __future__ import annotations

from typing import Any

from tests.simulator.private.accounts import Asked, Refused, Tell
from tests.simulator.private.bitget_words import (
    STATUSES,
    bill_type,
    history,
    needed,
    of_order,
    open_orders,
    order_of,
    paged,
    product_of,
    source_of,
    symbol_of,
    text,
    whole,
)
from tests.simulator.private.rows import Bill, Fill, Order, Product
from tests.simulator.times import DAY

ROOT = "/api/v2/spot"
RIGHTS = {
    "read": ("coor", "cpor", "stor", "smor", "wtor"),
    "trade": ("coow", "cpow", "stow", "smow"),
    "transfer": ("wtow",),
    "withdraw": ("wwow",),
}
"""The venue's words for what a key may do."""

GROUPS = {"trade": "transaction", "deduction": "transaction"}


def info(asked: Asked) -> dict[str, Any]:
    facts = asked.book.facts
    return {
        "userId": facts.uid,
        "inviterId": "",
        "channelCode": "",
        "channel": "",
        "ips": ",".join(facts.addresses),
        "authorities": [word for right in facts.rights for word in RIGHTS[right]],
        "parentId": int(facts.uid),
        "traderType": "not_trader",
        "regisTime": str(facts.registered),
    }


def rates(asked: Asked) -> dict[str, Any]:
    """The fees of a symbol; those of futures are of the product that its quote tells."""
    needed(asked, "symbol", "businessType")
    product = Product.SPOT
    if asked.params["businessType"] == "mix":
        ends = {"USDC": Product.USDC, "USDT": Product.USDT}
        product = next(
            (one for end, one in ends.items() if asked.params["symbol"].endswith(end)), Product.COIN
        )
    rate = asked.book.facts.rates[product]
    return {"makerFeeRate": text(rate.maker), "takerFeeRate": text(rate.taker)}


def assets(asked: Asked) -> list[dict[str, Any]]:
    coin = asked.params.get("coin", "").upper()
    return [
        {
            "coin": balance.coin,
            "available": text(balance.available),
            "frozen": text(balance.frozen),
            "locked": "0",
            "limitAvailable": "0",
            "uTime": str(asked.book.now),
        }
        for balance in asked.book.balances(Product.SPOT)
        if coin in ("", balance.coin)
    ]


def pending(asked: Asked) -> list[dict[str, Any]]:
    return [_order(row) for row in paged(asked, open_orders(asked, Product.SPOT), cursor="idLessThan")]


def finished(asked: Asked) -> list[dict[str, Any]]:
    rows = history(asked, asked.book.orders, Product.SPOT)
    return [_order(row) for row in paged(asked, rows, cursor="idLessThan", done=True)]


def detail(asked: Asked) -> list[dict[str, Any]]:
    order = order_of(asked, absent="43001")
    return [_order(order)] if order.product is Product.SPOT else []


def fills(asked: Asked) -> list[dict[str, Any]]:
    needed(asked, "symbol")
    rows = of_order(asked, history(asked, asked.book.fills, Product.SPOT))
    return [_fill(row) for row in paged(asked, rows, cursor="idLessThan")]


def bills(asked: Asked) -> list[dict[str, Any]]:
    rows = history(asked, asked.book.bills, Product.SPOT)
    if coin := asked.params.get("coin"):
        rows = [row for row in rows if row.coin == coin.upper()]
    return [_bill(row) for row in paged(asked, rows, cursor="idLessThan", largest=500)]


def tax(asked: Asked) -> list[dict[str, Any]]:
    """The records of futures for taxes: 30 days at once, however far back."""
    needed(asked, "startTime", "endTime")
    product = product_of(asked) if asked.params.get("productType") else Product.USDT
    return [_tax(row, asked) for row in _records(asked, product)]


def spot_tax(asked: Asked) -> list[dict[str, Any]]:
    """The records of spot for taxes."""
    needed(asked, "startTime", "endTime")
    return [
        {
            "id": str(row.number),
            "coin": row.coin,
            "spotTaxType": _spot_type(row),
            "amount": text(row.amount),
            "fee": text(-row.fee),
            "balance": text(row.balance),
            "ts": str(row.time),
        }
        for row in _records(asked, Product.SPOT)
    ]


def _records(asked: Asked, product: Product) -> list[Bill]:
    start, end = whole(asked, "startTime", 0), whole(asked, "endTime", 0)
    if not start <= end <= start + asked.span(30 * DAY):
        raise Refused("70008", "The time range is limited to 30 days")
    rows = asked.book.bills.between(product, start, end)
    return paged(asked, rows, cursor="idLessThan", largest=500)


def _tax(bill: Bill, asked: Asked) -> dict[str, Any]:
    return {
        "id": str(bill.number),
        "symbol": symbol_of(bill.pair) if bill.pair else "",
        "marginCoin": bill.coin,
        "futureTaxType": _tax_type(bill, hedged=asked.book.facts.hedged),
        "amount": text(bill.amount),
        "fee": text(-bill.fee),
        "ts": str(bill.time),
    }


def _tax_type(bill: Bill, *, hedged: bool) -> str:
    """In small letters, as the documents' sample has it."""
    if bill.kind == "funding":
        return f"contract_main_settle_fee_user_{'in' if bill.amount > 0 else 'out'}"
    if bill.kind == "trade" and not hedged:
        return f"burst_{bill.side}_ssm" if bill.cause == "liquidation" else f"{bill.side}_deal"
    return bill_type(bill, hedged=hedged) if bill.kind == "trade" else bill.kind


ROUTES: dict[str, tuple[Tell, int]] = {
    f"{ROOT}/account/info": (info, 1),
    f"{ROOT}/account/assets": (assets, 10),
    f"{ROOT}/account/bills": (bills, 10),
    f"{ROOT}/trade/unfilled-orders": (pending, 20),
    f"{ROOT}/trade/history-orders": (finished, 20),
    f"{ROOT}/trade/fills": (fills, 10),
    f"{ROOT}/trade/orderInfo": (detail, 20),
    "/api/v2/common/trade-rate": (rates, 10),
    "/api/v2/tax/future-record": (tax, 1),
    "/api/v2/tax/spot-record": (spot_tax, 1),
}
"""How each path is answered, and how often a second an account may ask."""


def _order(order: Order) -> dict[str, Any]:
    """A market order that buys has its size in quote coins."""
    in_quote = order.kind == "market" and order.side == "buy"
    return {
        "userId": "",
        "symbol": symbol_of(order.pair),
        "orderId": str(order.number),
        "clientOid": order.client_id,
        "price": text(order.price) or "0",
        "size": text(order.value if in_quote else order.size),
        "orderType": order.kind,
        "side": order.side,
        "status": STATUSES[order.status],
        "priceAvg": text(order.average) or "0",
        "baseVolume": text(order.filled),
        "quoteVolume": text(order.value),
        "enterPointSource": "API",
        "feeDetail": "",
        "orderSource": source_of(order),
        "cTime": str(order.created),
        "uTime": str(order.updated),
    }


def _fill(fill: Fill) -> dict[str, Any]:
    return {
        "userId": "",
        "symbol": symbol_of(fill.pair),
        "orderId": str(fill.order),
        "tradeId": str(fill.number),
        "orderType": "limit" if fill.role == "maker" else "market",
        "side": fill.side,
        "priceAvg": text(fill.price),
        "size": text(fill.size),
        "amount": text(fill.value),
        "feeDetail": {
            "deduction": "no" if fill.fee_coin in fill.pair else "yes",
            "feeCoin": fill.fee_coin,
            "totalDeductionFee": "",
            "totalFee": text(-fill.fee),
        },
        "tradeScope": fill.role,
        "cTime": str(fill.time),
        "uTime": str(fill.time),
    }


def _spot_type(bill: Bill) -> str:
    return {"trade": bill.side, "deduction": "deduction_handling_fee"}.get(bill.kind, bill.kind)


def _bill(bill: Bill) -> dict[str, Any]:
    return {
        "billId": str(bill.number),
        "coin": bill.coin,
        "groupType": GROUPS.get(bill.kind, "transfer"),
        "businessType": _spot_type(bill),
        "size": text(bill.amount),
        "balance": text(bill.balance),
        "fees": text(-bill.fee),
        "cTime": str(bill.time),
    }
