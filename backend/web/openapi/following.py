"""What keeps series complete to the last closed minute. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import get_args

from backend.core.follow import Source
from backend.web.api import follow
from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import HEADERS, answer, errors, header, operation, ref, success
from backend.web.openapi.requests import Names, in_body, in_query
from backend.web.openapi.schemas import NEXT
from backend.web.server.json_schema import COUNT, MAYBE_MOMENT, TEXT, Json, choice, listed, record
from backend.web.streams import stream_request
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
    return {
        "get": operation(
            "sync",
            "listFollows",
            "Which series are followed, and how they stand",
            page | STORED,
            in_query(follow.LISTING),
        ),
        "post": operation(
            "sync",
            "follow",
            "Keep series complete to the last closed minute from now on",
            found | STORED | errors(HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY),
            requestBody=in_body(follow.FOLLOWING, names),
        ),
        "delete": operation(
            "sync",
            "unfollow",
            "Follow a series no more; what came stays",
            gone | STORED | errors(HTTPStatus.NOT_FOUND),
            in_query(follow.LEAVING, names),
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
                *in_query(stream_request.PARAMETERS),
                header("Last-Event-ID", "The id of the last event that was seen: resume behind it"),
            ],
        )
    }
