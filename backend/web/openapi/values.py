"""Parameters that several routes take. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backend.services.syncing.markets import DEFAULT_EXCHANGE, DEFAULT_MARKET
from backend.web.openapi.parts import TEXT, Json, choice, query

Names = Sequence[tuple[str, str]]
"""Every exchange with each of its markets."""

SYMBOL = TEXT | {"minLength": 1, "examples": ["BTCUSDT"]}

PATH_SYMBOL: Json = {
    "name": "symbol",
    "in": "path",
    "required": True,
    "schema": SYMBOL,
    "description": "`BTCUSDT`; `btcusdt` and `BTC-USDT` are understood",
}
PATH_ID: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": TEXT | {"minLength": 1},
    "description": "The job's id",
}

START = query("start_time", TEXT, "First open time: Unix milliseconds or ISO-8601 (no offset means UTC)")
END = query("end_time", TEXT, "Last open time, included: Unix milliseconds or ISO-8601")


def exchange_schema(names: Names) -> Json:
    return choice(list(dict.fromkeys(exchange for exchange, _ in names))) | {"default": DEFAULT_EXCHANGE}


def market_schema(names: Names) -> Json:
    return choice(list(dict.fromkeys(market for _, market in names))) | {"default": DEFAULT_MARKET}


def market_of(names: Names) -> list[Json]:
    """The two parameters that name a market."""
    return [
        query("exchange", exchange_schema(names), "The exchange"),
        query("market", market_schema(names), "One of the exchange's markets"),
    ]


def limit(highest: int, about: str) -> Json:
    return query("limit", {"type": "integer", "minimum": 1, "maximum": highest}, about)
