"""The routes of `/extended/v1`. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from backend.access.policy import EXTENDED_PREFIX
from backend.web.extended import extended_parameters as asked
from backend.web.openapi.parts import answer, operation, ref
from backend.web.openapi.requests import PATH_SYMBOL, Parameters, in_body, in_query
from backend.web.openapi.trading import ID, SECURITY
from backend.web.server.json_schema import Json, const, listed, record

TAG = "extended"
ERRORS = {
    HTTPStatus.BAD_REQUEST: "The request is not valid, or there is no such thing",
    HTTPStatus.UNAUTHORIZED: "The request has no key, or an unknown key",
    HTTPStatus.FORBIDDEN: "This key, address or web page may not send this request",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The exchange, the database or the service has a problem",
}


def paths() -> dict[str, Json]:
    """All of them."""
    market = {"parameters": [PATH_SYMBOL]}
    order = {"parameters": [ID | {"description": "The order's id at this service"}]}
    placed = _told(ref("ExtendedPlaced"))
    routes: dict[str, Json] = {
        "/markets": {"get": _read("Markets", "What is listed", "ExtendedMarket", (asked.ONLY_MARKET,))},
        "/markets/{symbol}/stats": market
        | {"get": _one("MarketStats", "The last day, and the funding that comes next", "ExtendedStats")},
        "/markets/{symbol}/orderbook": market
        | {"get": _one("MarketBook", "The best offers", "ExtendedBook")},
        "/markets/{symbol}/trades": market
        | {"get": _read("MarketTrades", "The newest trades, newest first", "ExtendedMarketTrade", ())},
        "/markets/{symbol}/candles": market
        | {"get": _read("MarketCandles", "What is stored, newest first", "ExtendedCandle", asked.CANDLES)},
        "/markets/{symbol}/funding": market
        | {"get": _page("MarketFunding", "What was paid, newest first", "ExtendedFunding", asked.FUNDING)},
        "/account/balance": {"get": _mine("Balance", "The wallet", "ExtendedBalance", asked.OF_ACCOUNT)},
        "/account/positions": {
            "get": _mine("Positions", "Open positions", "ExtendedPosition", asked.OF_MARKET)
        },
        "/account/leverage": {
            "get": _mine("Leverage", "The leverage of a market", "ExtendedLeverage", asked.ONE_MARKET),
            "patch": _change("SetLeverage", "Set it", _told(ref("ExtendedLeverage")), asked.SETTING_LEVERAGE),
        },
        "/account/fees": {"get": _mine("Fees", "What trading costs", "ExtendedFees", asked.ONE_MARKET)},
        "/orders": {
            "get": _mine("OpenOrders", "Open orders", "ExtendedOrder", asked.OF_MARKET),
            "post": _change("PlaceOrder", "Place an order, at most once", placed, asked.ORDERING),
            "delete": _operation(
                "CancelOrders",
                "Cancel all open orders, or those of a market",
                _told(ref("ExtendedCancelled")),
                in_query(asked.OF_MARKET),
                security=SECURITY,
            ),
        },
        "/orders/history": {
            "get": _page(
                "OrderHistory", "Stored orders, oldest first", "ExtendedOrder", asked.ROWS, mine=True
            )
        },
        "/orders/{id}": order
        | {
            "get": _operation("Order", "An order of this service", placed, security=SECURITY),
            "patch": _change("AmendOrder", "Another price or quantity", placed, asked.AMENDING),
            "delete": _operation("CancelOrder", "Cancel it", placed, security=SECURITY),
        },
        "/trades": {
            "get": _page("Trades", "Stored fills, oldest first", "ExtendedTrade", asked.ROWS, mine=True)
        },
    }
    return {f"{EXTENDED_PREFIX}{path}": item for path, item in routes.items()}


def _told(data: Json, *, paged: bool = False) -> Json:
    """The envelope with its data."""
    pagination: Json = ref("ExtendedPagination") if paged else {"type": "null"}
    return record({"status": const("ok"), "data": data, "pagination": pagination})


def _operation(
    name: str, summary: str, told: Json, parameters: list[Json] | None = None, **more: Any
) -> Json:
    errors = {str(status.value): answer(about, ref("ExtendedError")) for status, about in ERRORS.items()}
    answers = {"200": answer("In Extended's words", told)} | errors
    return operation(TAG, f"extended{name}", summary, answers, parameters or [], **more)


def _one(name: str, summary: str, shape: str) -> Json:
    return _operation(name, summary, _told(ref(shape)))


def _read(name: str, summary: str, shape: str, parameters: Parameters) -> Json:
    return _operation(name, summary, _told(listed(ref(shape))), in_query(parameters))


def _mine(name: str, summary: str, shape: str, parameters: Parameters) -> Json:
    told = _told(listed(ref(shape)))
    return _operation(name, summary, told, in_query(parameters), security=SECURITY)


def _page(name: str, summary: str, shape: str, parameters: Parameters, *, mine: bool = False) -> Json:
    told = _told(listed(ref(shape)), paged=True)
    more = {"security": SECURITY} if mine else {}
    return _operation(name, summary, told, in_query(parameters), **more)


def _change(name: str, summary: str, told: Json, parameters: Parameters) -> Json:
    return _operation(name, summary, told, requestBody=in_body(parameters, ()), security=SECURITY)
