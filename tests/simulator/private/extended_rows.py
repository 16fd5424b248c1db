"""Rows of Extended's accounts, as its documents show them. What the book holds in USDC is told in USD."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.simulator.private.accounts import Asked
from tests.simulator.private.bitget_words import text
from tests.simulator.private.rows import Balance, Bill, Fill, Order, Pair, Position

STATUSES = {
    "open": "NEW",
    "partially_filled": "PARTIALLY_FILLED",
    "filled": "FILLED",
    "cancelled": "CANCELLED",
}
PRICES = ("lastPrice", "askPrice", "bidPrice", "markPrice", "indexPrice")
STATS = (
    *("dailyVolume", "dailyVolumeBase", "dailyPriceChange", "dailyPriceChangePercentage"),
    *("dailyLow", "dailyHigh", "openInterest", "openInterestBase"),
)
TRADES = {"liquidation": "LIQUIDATION", "adl": "DELEVERAGE"}


def symbol_of(pair: Pair) -> str:
    return f"{pair.base}-USD"


def pair_of(symbol: str) -> Pair:
    return Pair(symbol.removesuffix("-USD"), "USDC")


def account_of(asked: Asked) -> int:
    return int(asked.book.facts.uid)


def order_row(order: Order, asked: Asked) -> dict[str, Any]:
    """Optional fields are left out where they say nothing."""
    row = {
        "id": order.number,
        "accountId": account_of(asked),
        "externalId": order.client_id,
        "market": symbol_of(order.pair),
        "type": order.kind.upper(),
        "side": order.side.upper(),
        "status": STATUSES[order.status],
        "price": text(order.price) or text(asked.book.price_of(order.product, order.pair)),
        "averagePrice": text(order.average),
        "qty": text(order.size),
        "filledQty": text(order.filled),
        "payedFee": text(sum((paid for _, paid in order.fees), Decimal(0))),
        "reduceOnly": not order.opens,
        "postOnly": False,
        "timeInForce": "GTT" if order.kind == "limit" else "IOC",
        "createdTime": order.created,
        "updatedTime": order.updated,
        "expireTime": order.created + 3_600_000,
    }
    return {name: value for name, value in row.items() if value != ""}


def trade_row(fill: Fill, asked: Asked) -> dict[str, Any]:
    return {
        "id": fill.number,
        "accountId": account_of(asked),
        "market": symbol_of(fill.pair),
        "orderId": fill.order,
        "side": fill.side.upper(),
        "price": text(fill.price),
        "qty": text(fill.size),
        "value": text(fill.value),
        "fee": text(fill.fee),
        "tradeType": TRADES.get(fill.cause, "TRADE"),
        "createdTime": fill.time,
        "isTaker": fill.role == "taker",
    }


def position_row(position: Position, asked: Asked) -> dict[str, Any]:
    """The documents and the official SDK name its times differently."""
    return {
        "id": position.created,
        "accountId": account_of(asked),
        "market": symbol_of(position.pair),
        "side": "SHORT" if position.size < 0 else "LONG",
        "leverage": str(position.leverage),
        "size": text(abs(position.size)),
        "value": text(abs(position.size) * position.mark),
        "openPrice": text(position.entry),
        "markPrice": text(position.mark),
        "liquidationPrice": "0",
        "margin": text(position.margin),
        "unrealisedPnl": text(position.unrealised),
        "realisedPnl": "0",
        "status": "OPENED",
        **dict.fromkeys(("createdTime", "createdAt"), position.created),
        **dict.fromkeys(("updatedTime", "updatedAt"), position.updated),
    }


def balance_row(balance: Balance, now: int) -> dict[str, Any]:
    return {
        "collateralName": "USD",
        "balance": text(balance.balance),
        "equity": text(balance.equity),
        "availableForTrade": text(balance.available),
        "availableForWithdrawal": text(balance.available),
        "unrealisedPnl": text(balance.unrealised),
        "initialMargin": text(balance.frozen),
        "marginRatio": "0.0",
        "exposure": "0",
        "leverage": "0",
        "updatedTime": now,
    }


def funding_row(bill: Bill, asked: Asked) -> dict[str, Any]:
    assert bill.pair is not None
    return {
        "id": bill.number,
        "accountId": account_of(asked),
        "market": symbol_of(bill.pair),
        "positionId": bill.number,
        "side": "LONG",
        "size": "1",
        "value": "1",
        "markPrice": "1",
        "fundingFee": text(bill.amount),
        "fundingRate": "0.0001",
        "paidTime": bill.time,
    }


def operation_row(bill: Bill, asked: Asked) -> dict[str, Any]:
    """A transfer out is told below zero."""
    return {
        "id": str(bill.number),
        "type": "TRANSFER",
        "status": "COMPLETED",
        "amount": f"{bill.amount:.16f}",
        "fee": text(bill.fee),
        "asset": 1,
        "time": bill.time,
        "accountId": account_of(asked),
        "counterpartyAccountId": account_of(asked) + 1,
    }


def market_row(pair: Pair, price: Decimal) -> dict[str, Any]:
    """As much of a market as trading needs: its offers are at the book's last price."""
    name = symbol_of(pair)
    number = f"{pair.base}-6".encode().hex().ljust(30, "0")
    return {
        "name": name,
        "uiName": name,
        "assetName": pair.base,
        "assetPrecision": 5,
        "collateralAssetName": "USD",
        "collateralAssetPrecision": 6,
        "active": True,
        "status": "ACTIVE",
        "type": "PERPETUAL",
        "isRfq": False,
        "isOffHours": False,
        "tradingHours": "CONTINUOUS",
        "marketStats": {
            **dict.fromkeys(STATS, "0"),
            **dict.fromkeys(PRICES, text(price)),
            "fundingRate": "0.000013",
            "nextFundingRate": 1_767_229_200_000,
        },
        "tradingConfig": {
            "minOrderSize": "0.0001",
            "minOrderSizeChange": "0.00001",
            "minPriceChange": "0.1",
            "maxMarketOrderValue": "2000000",
            "maxLimitOrderValue": "10000000",
            "maxPositionValue": "20000000",
            "maxLeverage": "50",
            "maxNumOrders": "200",
            "limitPriceCap": "0.05",
            "limitPriceFloor": "0.05",
            "hourlyFundingRateCap": "2",
            "riskFactorConfig": [{"upperBound": "400000", "riskFactor": "0.02"}],
        },
        "l2Config": {
            "type": "STARKX",
            "collateralId": "0x1",
            "collateralResolution": 1_000_000,
            "syntheticId": f"0x{number}",
            "syntheticResolution": 1_000_000,
        },
    }
