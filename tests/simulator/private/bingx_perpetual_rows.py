"""Rows of BingX's perpetuals, as its documents and recorded answers show them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.simulator.private.accounts import Asked
from tests.simulator.private.bingx_words import (
    COIN_STATUSES,
    SIDES,
    STATUSES,
    coin_of,
    commission,
    local,
    symbol_of,
)
from tests.simulator.private.bitget_words import text
from tests.simulator.private.rows import Balance, Bill, Fill, Order, Position, Product


def order_row(order: Order, asked: Asked) -> dict[str, Any]:
    """An order of perpetuals."""
    coin = order.product is Product.COIN
    forced = {"liquidation": "LIQUIDATION", "adl": "ADL"}.get(order.cause, "")
    side = SIDES[order.held]
    return {
        "symbol": symbol_of(order.pair),
        "orderId": str(order.number) if coin else order.number,
        "side": order.side.upper(),
        "positionSide": side.capitalize() if coin else side,
        "type": order.kind.upper(),
        "origQty": text(order.size),
        "price": text(order.price) or "0",
        "executedQty": text(order.filled),
        "avgPrice": text(order.average) or "0",
        "cumQuote": text(order.value),
        "stopPrice": "",
        "profit": text(order.realised),
        "commission": commission(order),
        "status": (COIN_STATUSES if coin else STATUSES)[order.status],
        "time": order.created,
        "updateTime": order.updated,
        "clientOrderId": order.client_id,
        "leverage": f"{order.leverage}X",
        "takeProfit": {"type": "", "quantity": 0, "stopPrice": 0, "price": 0, "workingType": ""},
        "stopLoss": {"type": "", "quantity": 0, "stopPrice": 0, "price": 0, "workingType": ""},
        "positionID": 0,
        "orderType": forced,
        "workingType": "MARK_PRICE",
        "triggerOrderId": order.plan,
        "onlyOnePosition": not asked.book.facts.hedged,
        "reduceOnly": order.held == "net" and not order.opens,
    }


def balance_row(balance: Balance, asked: Asked) -> dict[str, Any]:
    return {
        "userId": asked.book.facts.uid,
        "asset": coin_of(asked, balance.coin),
        "balance": text(balance.balance),
        "equity": text(balance.equity),
        "unrealizedProfit": text(balance.unrealised),
        "realisedProfit": "0",
        "availableMargin": text(balance.available),
        "usedMargin": text(balance.frozen),
        "freezedMargin": "0.0000",
        "shortUid": asked.book.facts.uid[-7:],
    }


def position_row(position: Position, asked: Asked) -> dict[str, Any]:
    size = text(position.size)
    return {
        "positionId": str(position.created),
        "symbol": symbol_of(position.pair),
        "currency": coin_of(asked, position.pair.settled),
        "positionAmt": size,
        "availableAmt": size,
        "positionSide": SIDES[position.held],
        "isolated": False,
        "avgPrice": text(position.entry),
        "initialMargin": text(position.margin),
        "margin": text(position.margin),
        "leverage": position.leverage,
        "unrealizedProfit": text(position.unrealised),
        "realisedProfit": "0",
        "liquidationPrice": 0,
        "pnlRatio": "0",
        "maxMarginReduction": "0",
        "riskRate": "0.01",
        "markPrice": text(position.mark),
        "positionValue": text(abs(position.size) * position.mark),
        "onlyOnePosition": not asked.book.facts.hedged,
        "updateTime": position.updated,
    }


def fill_row(fill: Fill, asked: Asked) -> dict[str, Any]:
    """Both times show the clock of UTC+8, though one of them ends with Z."""
    moment = local(fill.time)
    return {
        "filledTm": f"{moment[:19]}Z",
        "filledTime": f"{moment}+0800",
        "volume": text(fill.size),
        "qty": text(fill.size),
        "price": text(fill.price),
        "quoteQty": text(fill.value),
        "commission": commission(fill),
        "commissionAsset": coin_of(asked, fill.fee_coin),
        "currency": coin_of(asked, fill.fee_coin),
        "orderId": str(fill.order),
        "tradeId": str(fill.number),
        "symbol": symbol_of(fill.pair),
        "role": fill.role,
        "side": fill.side.upper(),
        "positionSide": SIDES[fill.held],
        "realisedPNL": text(fill.realised),
    }


def coin_fill_row(fill: Fill) -> dict[str, Any]:
    return {
        "orderId": str(fill.order),
        "symbol": symbol_of(fill.pair),
        "type": "LIMIT" if fill.role == "maker" else "MARKET",
        "side": fill.side.upper(),
        "positionSide": SIDES[fill.held],
        "tradeId": str(fill.number),
        "volume": text(fill.size),
        "tradePrice": text(fill.price),
        "amount": text(fill.value),
        "realizedPnl": text(fill.realised),
        "commission": text(-fill.fee),
        "currency": fill.fee_coin,
        "buyer": fill.side == "buy",
        "maker": fill.role == "maker",
        "tradeTime": fill.time,
    }


def income_rows(bill: Bill, asked: Asked) -> list[dict[str, Any]]:
    """A bill's amount and its fee are two rows here; a fee's id is the one after the bill's."""
    kinds = {"trade": "REALIZED_PNL", "funding": "FUNDING_FEE", "deduction": "TRADING_FEE"}
    parts: list[tuple[str, Decimal, int]] = [
        (kinds.get(bill.kind, "TRANSFER"), bill.amount, bill.number),
        ("TRADING_FEE", -bill.fee, bill.number + 1),
    ]
    return [
        {
            "symbol": symbol_of(bill.pair) if bill.pair else "",
            "incomeType": kind,
            "income": text(amount),
            "asset": coin_of(asked, bill.coin),
            "info": kind.replace("_", " ").title(),
            "time": bill.time,
            "tranId": str(number),
            "tradeId": "",
        }
        for kind, amount, number in parts
        if amount
    ]
