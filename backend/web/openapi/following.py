"""What keeps series complete to the last closed minute. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.web.api import follow
from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import HEADERS, answer, errors, header, operation, ref
from backend.web.openapi.requests import Names, in_body, in_query
from backend.web.server.json_schema import TEXT, Json
from backend.web.streams import changes as watching
from backend.web.streams import stream_request
from backend.web.streams.websocket import BROKEN_RULE, GOING_AWAY, LATER, UNSUPPORTED


def follows(names: Names) -> Json:
    """`/api/follow`."""
    followed = {"200": answer("Their state", ref("FollowsAnswer"))}
    page = {"200": answer("By name", ref("FollowsPage"))}
    gone = {"200": answer("Nobody follows it now", ref("Unfollowed"))}
    return {
        "get": operation(
            "sync",
            "listFollows",
            "Followed series and their state",
            page | STORED,
            in_query(follow.LISTING),
        ),
        "post": operation(
            "sync",
            "follow",
            "Keep series complete to the last closed minute from now on",
            followed | STORED | errors(HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY),
            requestBody=in_body(follow.FOLLOWING, names),
        ),
        "delete": operation(
            "sync",
            "unfollow",
            "Stop following a series; its candles stay",
            gone | STORED | errors(HTTPStatus.NOT_FOUND),
            in_query(follow.LEAVING, names),
        ),
    }


def changes() -> Json:
    """`/api/changes`."""
    kinds = {
        "oneOf": [ref(name) for name in ("Beginning", "Job", "ChangedSeries", "Ready", "NotReady")],
    }
    events = answer(
        "First `begin`: it says whether the stream continues after `Last-Event-ID`. It comes again after a "
        "loss: then read everything again. `job` has a job as it is now; `series` and `follow` have the "
        "names of changed series; `health` has the answer of `/health/ready`. Each event has an id",
        kinds,
        "text/event-stream",
    )
    socket: Json = {
        "description": "The same as a WebSocket. Each message is a JSON object: "
        '`{"event":"job","id":"...","data":{...}}`. Close codes are those of `/api/stream`',
        "headers": HEADERS,
    }
    return {
        "get": operation(
            "service",
            "watchChanges",
            "Changes of jobs, follows, series and health in all processes, as server-sent events or as a "
            "WebSocket",
            {"101": socket, "200": events} | STORED | errors(HTTPStatus.TOO_MANY_REQUESTS),
            [
                *in_query(watching.PARAMETERS),
                header("Last-Event-ID", "Id of the last event that you have: the stream continues after it"),
            ],
        )
    }


def stream() -> Json:
    """`/api/stream`."""
    events = answer(
        "`candle` has a closed candle as its data; its id is the place to resume from. With the parameter "
        "`forming` also `forming`: a candle that is not over yet, without an id",
        TEXT,
        "text/event-stream",
    )
    socket: Json = {
        "description": "A WebSocket, for a request with `Upgrade: websocket`. Each message is a JSON object: "
        '`{"event":"candle","id":"...","data":{...}}`, or `{"event":"forming","data":{...}}`. '
        f"Close codes: {GOING_AWAY} the service stops, {LATER} the database is away, {BROKEN_RULE} the "
        f"client reads too slowly or answers no ping, or its session is over, {UNSUPPORTED} the client "
        "sent a message",
        "headers": HEADERS,
    }
    streams = {"101": socket, "200": events}
    return {
        "get": operation(
            "sync",
            "stream",
            "Closed candles as they are stored, as server-sent events or as a WebSocket",
            streams | STORED | errors(HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS),
            [
                *in_query(stream_request.PARAMETERS),
                header("Last-Event-ID", "Id of the last event that you have: the stream continues after it"),
            ],
        )
    }
