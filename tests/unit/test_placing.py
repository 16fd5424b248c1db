"""The requests that place and cancel orders, to the letter, as the venues' documents have them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from backend.errors import ExchangeRefused, MalformedAnswer, OutcomeUnknown
from backend.exchanges.base import Answer
from backend.exchanges.bingx.account import ACCOUNT
from backend.exchanges.bitget.account import BITGET_ACCOUNT, CLASSIC, UNIFIED
from backend.exchanges.private.refusals import Meaning
from backend.exchanges.private.registry import PRIVATE_VENUES
from backend.exchanges.private.venue import Flavour, Place, Prepared
from backend.trading.rows import Product
from backend.trading.tickets import Force, Ticket

D = Decimal
FLAVOURS: dict[str, Flavour] = {"classic": CLASSIC, "unified": UNIFIED, "bingx": ACCOUNT}
GIVEN: dict[str, Any] = {"product": Product.PERPETUAL_USDT, "side": "buy", "size": D("0.010")}
LIMIT = {"price": D("65000.50"), "force": Force.POST_ONLY}
STOPS = {"take_profit": D(70000), "stop_loss": D("60000.0")}

MIX = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "marginMode": "crossed", "marginCoin": "USDT"}
V3 = {"category": "USDT-FUTURES", "symbol": "BTCUSDT", "qty": "0.01", "clientOid": "i1"}
SWAP = {"symbol": "BTC-USDT", "quantity": "0.01", "clientOrderId": "i1"}
CASES: list[tuple[str, dict[str, Any], str, dict[str, str]]] = [
    (
        "classic",
        {"held": "long"} | LIMIT,
        "POST /api/v2/mix/order/place-order",
        MIX
        | {"size": "0.01", "side": "buy", "tradeSide": "open", "orderType": "limit", "clientOid": "i1"}
        | {"price": "65000.5", "force": "post_only"},
    ),
    (
        "classic",
        {"held": "long", "side": "sell"},
        "POST /api/v2/mix/order/place-order",
        MIX | {"size": "0.01", "side": "buy", "tradeSide": "close", "orderType": "market", "clientOid": "i1"},
    ),
    (
        "classic",
        {"held": "short", "side": "sell", "margin_mode": "isolated"} | STOPS,
        "POST /api/v2/mix/order/place-order",
        MIX
        | {"size": "0.01", "side": "sell", "tradeSide": "open", "orderType": "market", "clientOid": "i1"}
        | {"marginMode": "isolated", "presetStopSurplusPrice": "70000", "presetStopLossPrice": "60000"},
    ),
    (
        "classic",
        {"side": "sell", "reduce_only": True},
        "POST /api/v2/mix/order/place-order",
        MIX | {"size": "0.01", "side": "sell", "orderType": "market", "clientOid": "i1", "reduceOnly": "YES"},
    ),
    (
        "classic",
        {"product": Product.SPOT, "size": None, "quote_size": D(25)},
        "POST /api/v2/spot/trade/place-order",
        {"symbol": "BTCUSDT", "side": "buy", "size": "25", "orderType": "market", "clientOid": "i1"},
    ),
    (
        "classic",
        {"product": Product.PERPETUAL_COIN, "symbol": "BTCUSD"},
        "POST /api/v2/mix/order/place-order",
        MIX
        | {"symbol": "BTCUSD", "productType": "COIN-FUTURES", "marginCoin": "BTC", "size": "0.01"}
        | {"side": "buy", "orderType": "market", "clientOid": "i1"},
    ),
    (
        "unified",
        {"held": "long", "side": "sell"} | LIMIT,
        "POST /api/v3/trade/place-order",
        V3
        | {"side": "sell", "posSide": "long", "orderType": "limit", "price": "65000.5"}
        | {"timeInForce": "post_only"},
    ),
    (
        "unified",
        STOPS,
        "POST /api/v3/trade/place-order",
        V3
        | {"side": "buy", "orderType": "market", "takeProfit": "70000", "stopLoss": "60000"}
        | {"tpOrderType": "market", "slOrderType": "market"},
    ),
    (
        "unified",
        {"reduce_only": True, "side": "sell"},
        "POST /api/v3/trade/place-order",
        V3 | {"side": "sell", "orderType": "market", "reduceOnly": "yes"},
    ),
    (
        "bingx",
        {"held": "short", "side": "sell"} | LIMIT,
        "POST /openApi/swap/v2/trade/order",
        SWAP
        | {"side": "SELL", "type": "LIMIT", "price": "65000.5", "timeInForce": "PostOnly"}
        | {"positionSide": "SHORT"},
    ),
    (
        "bingx",
        STOPS,
        "POST /openApi/swap/v2/trade/order",
        SWAP
        | {"side": "BUY", "type": "MARKET", "positionSide": "BOTH"}
        | {
            "takeProfit": '{"type":"TAKE_PROFIT_MARKET","stopPrice":70000,"workingType":"MARK_PRICE"}',
            "stopLoss": '{"type":"STOP_MARKET","stopPrice":60000,"workingType":"MARK_PRICE"}',
        },
    ),
    (
        "bingx",
        {"product": Product.PERPETUAL_COIN, "symbol": "BTC-USD", "size": D(3), "reduce_only": True},
        "POST /openApi/cswap/v1/trade/order",
        {"symbol": "BTC-USD", "side": "BUY", "type": "MARKET", "quantity": "3", "positionSide": "BOTH"}
        | {"reduceOnly": "true", "clientOrderId": "i1"},
    ),
    (
        "bingx",
        {"product": Product.SPOT, "size": None, "quote_size": D(25)},
        "POST /openApi/spot/v1/trade/order",
        {"symbol": "BTC-USDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "25"}
        | {"newClientOrderId": "i1"},
    ),
]


def place_of(venue: str) -> Place:
    place = FLAVOURS[venue].placing.place
    assert not isinstance(place, Prepared)
    return place


@pytest.mark.parametrize(("venue", "changes", "line", "expected"), CASES)
def test_an_order_is_written_as_the_venue_reads_it(
    venue: str, changes: dict[str, Any], line: str, expected: dict[str, str]
) -> None:
    symbol = {"symbol": "BTC-USDT" if venue == "bingx" else "BTCUSDT"}
    request = place_of(venue)(Ticket(**(GIVEN | symbol | changes)), "i1").request
    assert f"{request.method} {request.path}" == line
    assert (json.loads(request.body) if request.body else dict(request.params)) == expected
    assert (request.may_be_repeated, request.urgent) == (False, True)


@pytest.mark.parametrize(
    ("venue", "product", "symbol", "line", "named"),
    [
        ("classic", Product.PERPETUAL_USDT, "BTCUSDT", "POST /api/v2/mix/order/cancel-order", "clientOid"),
        ("classic", Product.SPOT, "BTCUSDT", "POST /api/v2/spot/trade/cancel-order", "clientOid"),
        ("unified", Product.SPOT, "BTCUSDT", "POST /api/v3/trade/cancel-order", "clientOid"),
        ("bingx", Product.PERPETUAL_USDT, "BTC-USDT", "DELETE /openApi/swap/v2/trade/order", "clientOrderId"),
        (
            "bingx",
            Product.PERPETUAL_COIN,
            "BTC-USD",
            "DELETE /openApi/cswap/v1/trade/cancelOrder",
            "clientOrderId",
        ),
        ("bingx", Product.SPOT, "BTC-USDT", "POST /openApi/spot/v1/trade/cancel", "clientOrderID"),
    ],
)
def test_an_order_is_cancelled_by_one_of_its_ids(
    venue: str, product: Product, symbol: str, line: str, named: str
) -> None:
    cancel = FLAVOURS[venue].placing.cancel
    for ids, name in ((("17", ""), "orderId"), (("", "i1"), named)):
        request = cancel(product, symbol, *ids).request
        sent = json.loads(request.body) if request.body else dict(request.params)
        assert f"{request.method} {request.path}" == line
        assert sent[name] == (ids[0] or ids[1])
        assert "" not in sent.values()


def answer(body: object, status: int = 200) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("venue", "body", "expected"),
    [
        ("classic", {"code": "00000", "data": {"orderId": "17", "clientOid": "i1"}}, "17"),
        ("unified", {"code": "00000", "data": {"clientOid": "i1"}}, ""),
        ("bingx", {"code": 0, "data": {"order": {"orderId": 1735950529123455000}}}, "1735950529123455000"),
        ("bingx", {"code": 0, "data": {"orderId": "18"}}, "18"),
    ],
)
def test_the_venues_id_is_read(venue: str, body: object, expected: str) -> None:
    symbol = "BTC-USDT" if venue == "bingx" else "BTCUSDT"
    call = place_of(venue)(Ticket(symbol=symbol, **GIVEN), "i1")
    assert call.parse(answer(body)) == expected
    with pytest.raises(MalformedAnswer):
        call.parse(answer(b"<html>"))


@pytest.mark.parametrize("venue", ["bitget", "bingx"])
def test_only_the_venue_itself_refuses_an_order(venue: str) -> None:
    private = PRIVATE_VENUES[venue]
    code: object = "40762" if venue == "bitget" else 101204
    placing, asking = private.failure(None, placing=True), private.failure(None)
    own = answer({"code": code, "msg": "no money"}, 400 if venue == "bitget" else 200)
    assert type(placing(own)) is ExchangeRefused
    for status in (400, 401, 404):
        between = answer(b"<html>no</html>", status)
        assert isinstance(placing(between), OutcomeUnknown)
        assert isinstance(asking(between), ExchangeRefused)
    refusal = private.refusal(answer({"code": "40786"}, 400)) if venue == "bitget" else None
    assert refusal is None or refusal.meaning is Meaning.UNKNOWN


def test_the_rules_of_markets_are_read() -> None:
    contract = {"symbol": "BTCUSDT", "minTradeNum": "0.0001", "sizeMultiplier": "0.0002", "priceEndStep": "5"}
    mix = {"code": "00000", "data": [contract | {"pricePlace": "1", "minTradeUSDT": "5"}]}
    rules = CLASSIC.placing.rules(Product.PERPETUAL_USDT, "BTCUSDT").parse(answer(mix))
    assert (rules.price_step, rules.size_step, rules.least_size, rules.least_value) == (
        *(D("0.5"), D("0.0002")),
        *(D("0.0001"), D(5)),
    )
    spot = {"symbol": "BTCUSDT", "pricePrecision": "2", "quantityPrecision": "6", "minTradeUSDT": "1"}
    found = CLASSIC.placing.rules(Product.SPOT, "BTCUSDT").parse(answer({"code": "00000", "data": [spot]}))
    assert (found.price_step, found.size_step, found.least_value) == (D("0.01"), D("0.000001"), D(1))
    with pytest.raises(MalformedAnswer, match="0 markets"):
        CLASSIC.placing.rules(Product.SPOT, "BTCUSDT").parse(answer({"code": "00000", "data": []}))
    coin = {
        "symbol": "BTC-USD",
        "pricePrecision": 1,
        "minTickSize": "100",
        "minQty": "1",
        "minTradeValue": "100",
    }
    other = coin | {"symbol": "ETH-USD"}
    told = {"code": 0, "data": [other, coin]}
    rules = ACCOUNT.placing.rules(Product.PERPETUAL_COIN, "BTC-USD").parse(answer(told))
    assert (rules.contract_value, rules.price_step, rules.size_step) == (D(100), D("0.1"), D(1))
    with pytest.raises(MalformedAnswer, match="0 markets"):
        ACCOUNT.placing.rules(Product.PERPETUAL_COIN, "XRP-USD").parse(answer(told))
    pair = {"symbol": "BTC-USDT", "tickSize": 0.01, "stepSize": 0.000001, "minQty": 0.00001, "minNotional": 1}
    body = {"code": 0, "data": {"symbols": [pair]}}
    rules = ACCOUNT.placing.rules(Product.SPOT, "BTC-USDT").parse(answer(body))
    assert (rules.price_step, rules.least_value) == (D("0.01"), D(1))
    assert BITGET_ACCOUNT.acceptance.last_moment(1000) == 91_000
