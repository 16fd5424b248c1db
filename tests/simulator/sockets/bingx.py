"""BingX's market sockets, spot and perpetual swaps: every message of the server is a gzip member in binary.

Source: https://bingx-api.github.io/docs-v3 (Websocket Market Data).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tests.simulator.bingx_spot import hyphened
from tests.simulator.bingx_swap import QUOTES
from tests.simulator.intervals import GRIDS, Grid
from tests.simulator.markets import Market
from tests.simulator.sockets.bingx_frames import packed, spot_frame, swap_frame
from tests.simulator.sockets.dialect import Dialect, Heartbeat, Shown
from tests.simulator.sockets.session import Payload, Session, Topic

SECOND = 1000
MOST_TOPICS, MOST_REQUESTS = 200, 10
SPOT_GRIDS = {
    **{f"{count}min": GRIDS[f"{count}m"] for count in (1, 3, 5, 15, 30)},
    "60min": GRIDS["1h"],
    **{f"{count}hour": GRIDS[f"{count}h"] for count in (2, 4, 6, 8, 12)},
    **{f"{count}day": GRIDS[f"{count}d"] for count in (1, 3)},
    "1week": GRIDS["1w"],
    "1month": GRIDS["1M"],
}


def heard(text: str, session: Session, kind: str, grids: Mapping[str, Grid]) -> list[Payload]:
    """Answer a message; what is no request, or has a list of topics, gets no reply at all."""
    if text == "Pong":
        session.alive = session.clock.now()
        return []
    try:
        request = json.loads(text)
    except ValueError:
        return []
    if isinstance(request, dict) and "pong" in request:
        session.alive = session.clock.now()
        return []
    if not isinstance(request, dict) or not isinstance(request.get("dataType"), str):
        return []
    return [packed(_json(_reply(request, session, kind, grids)))]


def _reply(
    request: Mapping[str, Any], session: Session, kind: str, grids: Mapping[str, Grid]
) -> dict[str, Any]:
    identifier, name = request.get("id", ""), request["dataType"]
    if request.get("reqType", "sub") == "unsub":
        session.topics.pop(name, None)
        return _accepted(identifier, kind, session.clock.now())
    topic = topic_of(name, session, kind, grids)
    if topic is None:
        return _refused(identifier, 80015, "dataType not support")
    if session.refuses(topic.market):
        return _leaky(topic, session, _refused(identifier, 80015, "dataType not support"))
    if session.exceeds("subscribe", MOST_REQUESTS, SECOND) or not session.join(topic, MOST_TOPICS):
        text = f"your topic num over max {MOST_TOPICS}"
        return _leaky(topic, session, _refused(identifier, 80403, text))
    return _accepted(identifier, kind, session.clock.now())


def topic_of(name: str, session: Session, kind: str, grids: Mapping[str, Grid]) -> Topic | None:
    """Return the topic of `BTC-USDT@kline_1m`, None for one that is not supported."""
    symbol, _, interval = name.partition("@kline_")
    market = session.archives[kind].market(symbol.replace("-", ""))
    if market is None or hyphened(market) != symbol or interval not in grids:
        return None
    if kind == "perpetual" and market.quote not in QUOTES:
        return None
    return Topic(name, market, kind, interval, grids[interval])


def _leaky(topic: Topic, session: Session, refusal: dict[str, Any]) -> dict[str, Any]:
    if session.faults.leak:
        session.leaks.append(topic)
    return refusal


def _accepted(identifier: Any, kind: str, now: int) -> dict[str, Any]:
    if kind == "spot":
        return {"code": 0, "id": identifier, "msg": "SUCCESS", "timestamp": now}
    return {"id": identifier, "code": 0, "msg": "", "dataType": "", "data": None}


def _refused(identifier: Any, code: int, message: str) -> dict[str, Any]:
    return {"id": identifier, "code": code, "msg": message, "dataType": "", "data": None}


def beside(market: Market, topic: Topic) -> Topic:
    """Return the topic of another market."""
    return replace(topic, market=market, name=f"{hyphened(market)}@kline_{topic.interval}")


def _spot_ping(now: int) -> bytes:
    moment = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds")
    return packed(_json({"ping": f"{now:032x}", "time": moment}))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _dialect(
    path: str, kind: str, grids: Mapping[str, Grid], printed: Callable[[Topic, Shown], bytes]
) -> Dialect:
    ping = _spot_ping if kind == "spot" else lambda _: packed("Ping")
    return Dialect(
        name=f"bingx.{kind}",
        exchange="bingx",
        serves=lambda asked: asked == path,
        heard=partial(heard, kind=kind, grids=grids),
        printed=printed,
        topic=beside,
        cadence=SECOND,
        closing_lag=100,
        heartbeat=Heartbeat(5 * SECOND, 30 * SECOND + 500, ping=ping),
        connections=60,
    )


SPOT = _dialect("/market", "spot", SPOT_GRIDS, spot_frame)
SWAP = _dialect("/swap-market", "perpetual", GRIDS, swap_frame)
