"""The whole document. Pure."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from backend.web.openapi import (
    alarms,
    bots,
    codes,
    extended,
    following,
    orders,
    quotes,
    reading,
    schemas,
    service,
    stored,
    syncing,
    trading,
)
from backend.web.openapi.requests import Names
from backend.web.server.json_schema import TEXT, Json

VERSION = "0.1.0"

ABOUT = """One-minute candles of crypto exchanges, with proof of completeness.

Times in requests are Unix milliseconds or ISO-8601; windows include both ends. Send each parameter once;
the service refuses unknown parameters. Every GET also works as a HEAD: the same headers, no body.
Every answer has an `X-Request-Id`: your own, if your request had one.
All errors have one shape; programs can rely on `code`. If the service has keys, send one as
`X-Api-Key` or as `Authorization: Bearer`."""

TAGS = {
    "sync": "Fetch candles from the exchanges, and watch the progress",
    "candles": "Read what is stored",
    "prices": "What the prices of a market are now",
    "accounts": "Your accounts at exchanges, as the exchanges report them now",
    "orders": "Orders that the service places, each at most once",
    "alarms": "Alarms of charts, strategies, and the orders that they lead to",
    "extended": "The same for accounts at Extended, in that exchange's words and envelope",
    "service": "State of the service",
    "binance": "Binance's own interface, served from the store: whole candles only",
    "bitget": "Bitget's own interface, served from the store: whole candles only",
    "bingx": "BingX's own interface, served from the store: whole candles only; errors have status 200",
    "udf": "TradingView's data feed, served from the store: whole candles only",
}

SECURITY: list[dict[str, list[str]]] = [{}, {"ApiKey": []}, {"Bearer": []}]
"""No key is needed where the service has none, or reading is public."""


@lru_cache
def encoded(names: tuple[tuple[str, str], ...], base_path: str = "") -> bytes:
    """The document as JSON."""
    return msgspec.json.encode(document(names, base_path))


def document(names: Names, base_path: str = "") -> Json:
    """The document; `names` are the exchanges with their markets, `base_path` stands before all paths."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Market data service", "version": VERSION, "description": ABOUT},
        "servers": [{"url": base_path or "/"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "security": SECURITY,
        "paths": paths(names),
        "components": {
            "schemas": {**schemas.SCHEMAS, **reading.SCHEMAS},
            "responses": codes.responses(),
            "headers": {"RequestId": {"description": "The request's id in the logs", "schema": TEXT}},
            "securitySchemes": {
                "ApiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                "Bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def paths(names: Names) -> dict[str, Json]:
    """All routes, by their path."""
    return {
        "/api/sync": syncing.sync(names),
        **syncing.jobs(),
        "/api/follow": following.follows(names),
        "/api/stream": following.stream(),
        "/api/changes": following.changes(),
        "/api/symbols": syncing.symbols(names),
        "/api/data/{symbol}": reading.data(names),
        **stored.stored(names),
        **quotes.paths(names),
        "/api/import": syncing.importing(names),
        "/api/verify": syncing.verify(names),
        **trading.paths(),
        **orders.paths(),
        **alarms.paths(),
        **service.paths(),
        **extended.paths(),
        **bots.paths(),
    }
