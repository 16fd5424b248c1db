"""Rows of Bitget's futures (v2), as its documents and recorded answers show them."""

from __future__ import annotations

from typing import Any

from tests.simulator.private.bitget_words import (
    STATUSES,
    bill_type,
    fee_in,
    position_side,
    source_of,
    symbol_of,
    text,
    trade_side,
)
from tests.simulator.private.rows import Balance, Bill, Fill, Order, Position


def account_row(balance: Balance) -> dict[str, Any]:
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


def position_row(position: Position, *, hedged: bool) -> dict[str, Any]:
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


def order_row(order: Order, *, hedged: bool) -> dict[str, Any]:
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


def fill_row(fill: Fill, *, hedged: bool) -> dict[str, Any]:
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


def bill_row(bill: Bill, *, hedged: bool) -> dict[str, Any]:
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
