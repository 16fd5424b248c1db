"""Binance's market streams, spot and USD-M: klines, raw or combined.

Source: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams and
.../derivatives/usds-margined-futures/websocket-market-streams. A frame:
{"e":"kline","E":1717200002001,"s":"BTCUSDT","k":{"t":1717200000000,"T":1717200059999,"s":"BTCUSDT","i":"1m",
"f":100,"L":200,"o":"67540.01","c":"67541.00","h":"67542.00","l":"67539.90","v":"1.20","n":101,"x":false,
"q":"81048.0","V":"0.60","Q":"40524.0","B":"0"}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from tests.simulator.binance_perpetual import cut
from tests.simulator.intervals import GRIDS
from tests.simulator.markets import Market
from tests.simulator.sockets.dialect import Dialect, Ending, Heartbeat, Payload, Session, Shown, Topic
from tests.simulator.times import HOUR, MINUTE

MOST_STREAMS = 1024
SECOND = 1000
STREAM = re.compile(r"(?P<symbol>[^@]+)@kline_(?P<interval>[^@]+)(?P<east>@\+08:00)?")
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
TRADES = 1_000_000
"""Trade ids that are set aside for a minute; the real ones count on."""


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
        return [_json({"result": _result(request, session, kind), "id": identifier})]
    except Wrong as wrong:
        return [_json({"code": wrong.code, "msg": wrong.message, "id": identifier})]


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


def printed(topic: Topic, shown: Shown) -> str:
    """Print a kline event. Spot has eight decimals, USD-M those of the market."""
    market, row = topic.market, shown.row
    assert market is not None
    price, lot = (8, 8) if topic.kind == "spot" else (market.price_decimals, market.volume_decimals)
    quote = min(8, price + lot)
    first = row.open_time // MINUTE * TRADES if row.trades else -1
    last = first + row.trades - 1 if row.trades else -1
    return (
        f'{{"e":"kline","E":{shown.instant},"s":"{market.symbol}","k":{{"t":{row.open_time},'
        f'"T":{shown.following - 1},"s":"{market.symbol}","i":"{topic.interval}","f":{first},"L":{last},'
        f'"o":"{cut(row.open, price)}","c":"{cut(row.close, price)}","h":"{cut(row.high, price)}",'
        f'"l":"{cut(row.low, price)}","v":"{cut(row.volume, lot)}","n":{row.trades},'
        f'"x":{"true" if shown.closing else "false"},"q":"{cut(row.quote_volume, quote)}",'
        f'"V":"{cut(row.taker_buy_volume, lot)}","Q":"{cut(row.taker_buy_quote_volume, quote)}","B":"0"}}}}'
    )


def wrapped(topic: Topic, payload: Payload) -> str:
    """Return a frame as combined connections get it."""
    return f'{{"stream":"{topic.name}","data":{payload!s}}}'


def farewell(session: Session) -> str:
    """Return the event that announces the end of a connection."""
    event = _json({"e": "serverShutdown", "E": session.clock.now()})
    return wrapped(Topic("!serverShutdown"), event) if session.combined else event


def beside(market: Market, topic: Topic) -> Topic:
    """Return the stream of another market."""
    return replace(topic, market=market, name=f"{market.symbol.lower()}@kline_{topic.interval}")


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _dialect(
    name: str, prefix: str, kind: str, cadence: int, messages: int, every: int, within: int
) -> Dialect:
    roots = (f"{prefix}ws", f"{prefix}stream")
    return Dialect(
        name=name,
        exchange="binance",
        serves=lambda path: path in roots or path.startswith(f"{prefix}ws/"),
        opened=partial(opened, kind=kind, prefix=prefix),
        heard=partial(heard, kind=kind),
        overrun=partial(overrun, most=messages),
        printed=printed,
        wrapped=wrapped,
        topic=beside,
        farewell=farewell,
        cadence=cadence,
        closing_lag=20,
        heartbeat=Heartbeat(every, within, True, lambda now: str(now).encode(), Ending(1008, "Pong timeout")),
        pushes_empty=False,
        attempts=300,
    )


SPOT = _dialect("binance.spot", "/", "spot", 2000, 5, 20 * SECOND, MINUTE)
PERPETUAL = _dialect("binance.perpetual", "/market/", "perpetual", 250, 10, 3 * MINUTE, 10 * MINUTE)
LEGACY = _dialect("binance.legacy", "/fstream-legacy/", "", 250, 10, 3 * MINUTE, 10 * MINUTE)
"""The address of USD-M before 2026: it acknowledges and stays silent."""
