"""Control messages of Binance's streams: subscribe, unsubscribe, list, properties; and what is too much.

Source: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (live subscribing). An
error is {"code":0,"msg":"...","id":1}, its code 0 for an unknown property, 1 for an invalid value type, 2 for
an invalid request, 3 for invalid JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.simulator.intervals import GRIDS
from tests.simulator.sockets.session import Ending, Payload, Session, Topic
from tests.simulator.times import HOUR

MOST_STREAMS = 1024
SECOND = 1000
STREAM = re.compile(r"(?P<symbol>[^@]+)@kline_(?P<interval>[^@]+)(?P<east>@\+08:00)?")
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")


class Wrong(Exception):
    """A control message is refused."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def topic_of(name: str, session: Session, kind: str) -> Topic:
    """Return a stream's topic; unknown names have no market and bring nothing."""
    parts = STREAM.fullmatch(name)
    if (
        parts is None
        or parts["interval"] not in GRIDS
        or name != name.replace(parts["symbol"], parts["symbol"].lower())
    ):
        return Topic(name)
    grid = GRIDS[parts["interval"]].shifted(8 * HOUR if parts["east"] else 0)
    market = session.archives[kind].market(parts["symbol"].upper()) if kind else None
    return Topic(name, market, kind, parts["interval"], grid)


def heard(text: str, session: Session, kind: str) -> list[Payload]:
    """Answer a control message."""
    identifier: Any = None
    try:
        request = _request(text)
        identifier = request.get("id")
        return [compact({"result": _result(request, session, kind), "id": identifier})]
    except Wrong as wrong:
        return [compact({"code": wrong.code, "msg": wrong.message, "id": identifier})]


def _request(text: str) -> Mapping[str, Any]:
    try:
        request = json.loads(text)
    except ValueError as error:
        raise Wrong(3, "Invalid JSON: expected value at line 1 column 1") from error
    if not isinstance(request, dict):
        raise Wrong(2, "Invalid request: expected an object")
    return request


def _result(request: Mapping[str, Any], session: Session, kind: str) -> Any:
    method, params = request.get("method"), request.get("params", [])
    if "method" not in request:
        raise Wrong(2, "Invalid request: missing field `method`")
    if method not in METHODS:
        raise Wrong(2, f"Invalid request: unknown variant `{method}`, expected one of {', '.join(METHODS)}")
    if not isinstance(params, list):
        raise Wrong(2, "Invalid request: `params` must be a list")
    if method == "LIST_SUBSCRIPTIONS":
        return list(session.topics)
    if method in ("SET_PROPERTY", "GET_PROPERTY"):
        return _property(method, params, session)
    if not all(isinstance(name, str) for name in params):
        raise Wrong(2, "Invalid request: stream names must be strings")
    return _subscribe(params, session, kind) if method == "SUBSCRIBE" else _unsubscribe(params, session)


def _property(method: str, params: list[Any], session: Session) -> Any:
    if not params or params[0] != "combined":
        raise Wrong(0, "Unknown property")
    if method == "GET_PROPERTY":
        return session.combined
    if len(params) != 2 or not isinstance(params[1], bool):
        raise Wrong(1, "Invalid value type: expected Boolean")
    session.combined = params[1]
    return None


def _subscribe(names: list[str], session: Session, kind: str) -> None:
    for topic in [topic_of(name, session, kind) for name in names]:
        if session.refuses(topic.market):
            raise Wrong(2, f"Invalid request: {topic.name} is refused")
        if not session.join(topic, MOST_STREAMS):
            session.ending = Ending(1008, "Too many streams")


def _unsubscribe(names: list[str], session: Session) -> None:
    for name in names:
        session.topics.pop(name, None)


def opened(session: Session, kind: str, prefix: str) -> None:
    """Subscribe to what the address names: `/ws/a/b` raw, `/stream?streams=a/b` combined."""
    route, _, names = session.path.removeprefix(prefix).partition("/")
    session.combined = route == "stream"
    _subscribe(
        [name for name in (session.streams if session.combined else names).split("/") if name], session, kind
    )


def overrun(session: Session, most: int) -> list[Payload] | None:
    """End a connection that sends too many messages in a second; pings and pongs count."""
    if not session.exceeds("message", most, SECOND):
        return None
    session.ending = Ending(1008, "Too many requests")
    return []


def compact(value: Any) -> str:
    """Return a value as JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
