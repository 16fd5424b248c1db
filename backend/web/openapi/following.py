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
    found = {"200": answer("How they stand", ref("FollowsAnswer"))}
    page = {"200": answer("By name", ref("FollowsPage"))}
    gone = {"200": answer("It is followed no more", ref("Unfollowed"))}
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


def changes() -> Json:
    """`/api/changes`."""
    kinds = {
        "oneOf": [ref(name) for name in ("Beginning", "Job", "ChangedSeries", "Ready", "NotReady")],
    }
    events = answer(
        "First `begin`, which says whether the stream goes on after `Last-Event-ID`, and comes again after "
        "something was missed: read all anew then. `job` with a job as it is now; `series` and `follow` with "
        "names of what changed; `health` as `/health/ready` has it. Each has an id",
        kinds,
        "text/event-stream",
    )
    socket: Json = {
        "description": "The same as a WebSocket, each message a JSON object: "
        '`{"event":"job","id":"...","data":{...}}`. It is closed as that of `/api/stream`',
        "headers": HEADERS,
    }
    return {
        "get": operation(
            "service",
            "watchChanges",
            "What changes of jobs, follows, series and health, by whatever process, as server-sent events or "
            "as a WebSocket",
            {"101": socket, "200": events} | STORED | errors(HTTPStatus.TOO_MANY_REQUESTS),
            [
                *in_query(watching.PARAMETERS),
                header("Last-Event-ID", "The id of the last event that was seen: go on after it"),
            ],
        )
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
