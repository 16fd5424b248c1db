"""Rows that BingX tells an account, as its documents and clients show them, with values of our own."""

from __future__ import annotations

import json

from tests.private import KEYS

ORDER = {
    "symbol": "PYTH-USDT",
    "orderId": 1736007506620112100,
    "side": "SELL",
    "positionSide": "SHORT",
    "type": "LIMIT",
    "origQty": "33",
    "price": "0.3916",
    "executedQty": "33",
    "avgPrice": "0.3916",
    "stopPrice": "",
    "commission": "-0.002585",
    "status": "FILLED",
    "time": 1702731418000,
    "updateTime": 1702731470000,
    "clientOrderId": "mine-1",
    "leverage": "15X",
    "takeProfit": {"type": "", "quantity": 0},
    "reduceOnly": False,
}
COIN_ORDER = {
    "symbol": "SOL-USD",
    "orderId": "1816002957423951872",
    "side": "BUY",
    "positionSide": "Long",
    "type": "MARKET",
    "origQty": "10.00000000",
    "price": "0.000",
    "executedQty": "0.00000000",
    "avgPrice": "0.000",
    "commission": "-0.0001",
    "status": "PartiallyFilled",
    "time": 1721803819000,
    "clientOrderId": "",
}
SWAP_FILL = {
    "filledTm": "2023-12-16T20:58:36Z",
    "filledTime": "2023-12-16T20:58:36.000+0800",
    "volume": "4.10",
    "price": "3.1088",
    "qty": "4.10",
    "quoteQty": "12.7492",
    "commission": "-0.0025",
    "commissionAsset": "USDT",
    "orderId": "1736007768311123456",
    "tradeId": "97",
    "symbol": "WLD-USDT",
    "role": "taker",
    "side": "BUY",
    "positionSide": "LONG",
}
COIN_FILL = {
    "orderId": "1817441228670648320",
    "symbol": "SOL-USD",
    "type": "MARKET",
    "side": "BUY",
    "positionSide": "LONG",
    "tradeId": "97244554",
    "volume": "2",
    "tradePrice": "182.652",
    "amount": "20.00000000",
    "realizedPnl": "0.5",
    "commission": "-0.00005475",
    "currency": "SOL",
    "buyer": True,
    "maker": False,
    "tradeTime": 1722146730000,
}
SPOT_ORDER = {
    "symbol": "NEMS-USDT",
    "orderId": 1735963671248581000,
    "price": "0.1557",
    "origQty": "115",
    "executedQty": "0",
    "cummulativeQuoteQty": "0",
    "status": "PENDING",
    "type": "LIMIT",
    "side": "SELL",
    "clientOrderID": "mine-2",
    "time": 1702720966528,
    "updateTime": 1702720966600,
}
SPOT_FILL_TEXT = """{"symbol":"LTC-USDT","id":36237072,"orderId":1674069326895775744,"price":"85.891",
    "qty":"0.0582","quoteQty":"4.9988562000000005","commission":-0.00005820000000000001,
    "commissionAsset":"LTC","time":1687964205000,"isBuyer":true,"isMaker":false}"""
INCOME = {
    "symbol": "LDO-USDT",
    "incomeType": "FUNDING_FEE",
    "income": "-0.0292",
    "asset": "USDT",
    "info": "Funding Fee",
    "time": 1702713615000,
    "tranId": "170***6*2_3*9_20***97",
    "tradeId": "",
}
POSITION = {
    "positionId": "1735",
    "symbol": "BNB-USDT",
    "currency": "USDT",
    "positionAmt": "0.20",
    "availableAmt": "0.20",
    "positionSide": "SHORT",
    "isolated": True,
    "avgPrice": "246.43",
    "leverage": 5,
    "unrealizedProfit": "-0.0653",
    "liquidationPrice": 294.169,
    "markPrice": "246.7",
    "onlyOnePosition": False,
    "updateTime": 1767225600123,
}
BALANCE = {
    "asset": "USDT",
    "balance": "19.9",
    "equity": "20",
    "availableMargin": "15.1",
    "usedMargin": "4.1",
    "freezedMargin": "0.8",
}
SPOT_BALANCE = {"asset": "USDT", "free": "100.5", "locked": "0"}
RATES = {"takerCommissionRate": "0.0005", "makerCommissionRate": "0.0002"}
KEY = {"apiKey": KEYS.key, "note": "", "permissions": [2], "ipAddresses": ["10.0.0.1"]}
UID = {"uid": 16844999}
SPOT_FILL = json.loads(SPOT_FILL_TEXT)
