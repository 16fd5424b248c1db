"""The prices of a market now. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.web.api.quotes import BOOK
from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import answer, errors, operation, ref
from backend.web.openapi.requests import PATH_SYMBOL, Names, Parameters, in_query
from backend.web.server.common_parameters import MARKET_NAME
from backend.web.server.json_schema import Json


def paths(names: Names) -> dict[str, Json]:
    """Both."""
    return {
        "/markets/{symbol}/ticker": _now(
            names,
            "getTicker",
            "The last price, the best offers and the last 24 hours, asked of the exchange",
            ref("TickerAnswer"),
            MARKET_NAME,
        ),
        "/markets/{symbol}/orderbook": _now(
            names,
            "getOrderBook",
            "The best offers of both sides, asked of the exchange",
            ref("OrderBookAnswer"),
            BOOK,
        ),
    }


def _now(names: Names, name: str, summary: str, schema: Json, parameters: Parameters) -> Json:
    answers = {"200": answer("At most a second old", schema)} | STORED
    answers |= errors(HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY)
    asked = [PATH_SYMBOL, *in_query(parameters, names)]
    return {"get": operation("prices", name, summary, answers, asked)}
