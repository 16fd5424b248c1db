"""What keeps series complete to the last closed minute. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import get_args

from backend.core.follow import Source
from backend.web.api.follow import LARGEST_PAGE
from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import (
    COUNT,
    FLAG,
    HEADERS,
    MAYBE_MOMENT,
    TEXT,
    Json,
    answer,
    choice,
    errors,
    header,
    listed,
    operation,
    query,
    record,
    ref,
    success,
)
from backend.web.openapi.schemas import NEXT
from backend.web.openapi.values import SYMBOL, Names, exchange_schema, limit, market_of, market_schema
from backend.web.server.params import MOST_SYMBOLS
from backend.web.streams.websocket import BROKEN_RULE, GOING_AWAY, LATER, UNSUPPORTED

SCHEMAS: dict[str, Json] = {
    "Follow": record(
        {
            **dict.fromkeys(("series", "symbol", "exchange", "market"), TEXT),
            "since": MAYBE_MOMENT,
            "state": TEXT,
            "source": choice(get_args(Source)),
            "last_record": MAYBE_MOMENT,
            "lag_seconds": {"type": ["integer", "null"]},
            "checked": MAYBE_MOMENT,
            "failures": COUNT,
            "error": {
                "anyOf": [{"type": "null"}, record({"code": TEXT, "message": TEXT})],
                "description": "Why the newest attempt failed",
            },
            "new_records": COUNT,
            "healed_records": COUNT,
            "reconnects": COUNT,
        }
    )
}


def follows(names: Names) -> Json:
    """`/api/follow`."""
    found = {"200": answer("How they stand", success(count=COUNT, follows=listed(ref("Follow"))))}
    page = {"200": answer("By name", success(count=COUNT, follows=listed(ref("Follow")), next=NEXT))}
    gone = {"200": answer("It is followed no more", success(series=TEXT))}
    moment = {"type": ["string", "integer", "null"], "description": "Unix milliseconds or ISO-8601"}
    schema: Json = {
        "type": "object",
        "properties": {
            "symbol": SYMBOL,
            "symbols": {"type": "array", "items": SYMBOL, "minItems": 1, "maxItems": MOST_SYMBOLS},
            "exchange": exchange_schema(names),
            "market": market_schema(names),
            "since": moment,
        },
        "additionalProperties": False,
        "oneOf": [{"required": ["symbol"]}, {"required": ["symbols"]}],
    }
    return {
        "get": operation(
            "sync",
            "listFollows",
            "Which series are followed, and how they stand",
            page | STORED,
            [
                query("start", TEXT | {"minLength": 1}, "The name to begin with: `binance.spot.BTCUSDT`"),
                limit(LARGEST_PAGE, f"So many at most, {LARGEST_PAGE} where it is not given"),
            ],
        ),
        "post": operation(
            "sync",
            "follow",
            "Keep series complete to the last closed minute from now on",
            found | STORED | errors(HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY),
            requestBody={"required": True, "content": {"application/json": {"schema": schema}}},
        ),
        "delete": operation(
            "sync",
            "unfollow",
            "Follow a series no more; what came stays",
            gone | STORED | errors(HTTPStatus.NOT_FOUND),
            [query("symbol", SYMBOL, "The symbol", needed=True), *market_of(names)],
        ),
    }


def stream() -> Json:
    """`/api/stream`."""
    events = answer(
        "`candle` with a closed candle as its data and the place to resume from as its id; with `forming`, "
        "`forming` with a candle that is not over yet, without an id",
        TEXT,
        "text/event-stream",
    )
    socket: Json = {
        "description": "A WebSocket, for a request with `Upgrade: websocket`. Each message is a JSON object: "
        '`{"event":"candle","id":"...","data":{...}}`, or `{"event":"forming","data":{...}}`. '
        f"Closed with {GOING_AWAY} when the service stops, {LATER} when its database is away, {BROKEN_RULE} "
        f"for who reads too slowly or answers no ping, {UNSUPPORTED} for who sends a message",
        "headers": HEADERS,
    }
    found = {"101": socket, "200": events}
    return {
        "get": operation(
            "sync",
            "stream",
            "Closed candles as they are stored, as server-sent events or as a WebSocket",
            found | STORED | errors(HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS),
            [
                query("series", TEXT, "binance:spot:BTCUSDT, several with commas between them", needed=True),
                query("interval", TEXT | {"default": "1m"}, "As in `/api/data`"),
                query("since", TEXT, "The first open time to tell: Unix milliseconds or ISO-8601"),
                query("last_event_id", TEXT, "The same as the header, which wins"),
                query("forming", FLAG, "With the candles that are not over yet, where exchanges push them"),
                header("Last-Event-ID", "The id of the last event that was seen: resume behind it"),
            ],
        )
    }
