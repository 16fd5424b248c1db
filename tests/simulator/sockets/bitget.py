"""Bitget's public socket of the second generation: candles of spot and contracts on one address.

Source: https://www.bitget.com/api-doc/spot/websocket/public/Candlesticks-Channel and
.../contract/websocket/public/Candlesticks-Channel. A frame, a row being open time, open, high, low, close,
base volume, quote volume, USDT volume:
{"action":"update","arg":{"instType":"USDT-FUTURES","channel":"candle1m","instId":"BTCUSDT"},
"data":[["1695685500000","27000","27000.5","27000","27000.5","0.057","1539.0155","1539.0155"]],"ts":1695715462250}
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.simulator.bitget_families import HONG_KONG, UTC, spot_row
from tests.simulator.intervals import GRIDS
from tests.simulator.markets import Market
from tests.simulator.sockets.dialect import Dialect, Heartbeat, Shown
from tests.simulator.sockets.session import Ending, Payload, Session, Topic
from tests.simulator.sockets.snapshots import snapshot_rows
from tests.simulator.times import HOUR, MINUTE

SECOND = 1000
MOST_MESSAGES, MOST_REQUESTS, MOST_CHANNELS, MOST_BYTES = 10, 240, 1000, 4096
KINDS = {"SPOT": "spot", "USDT-FUTURES": "perpetual", "USDC-FUTURES": "", "COIN-FUTURES": ""}
"""Instrument types and the market kinds they stand for; nothing is imitated of those with none."""
GRIDS_BY_NAME = {
    **{f"{count}m": GRIDS[f"{count}m"] for count in (1, 3, 5, 15, 30)},
    **{f"{count}H": GRIDS[f"{count}h"] for count in (1, 4)},
    **{f"{count}H": GRIDS[f"{count}h"].shifted(HONG_KONG) for count in (6, 8, 12)},
    **{name: GRIDS[name.lower()].shifted(HONG_KONG) for name in ("1D", "3D", "1W")},
    "1M": GRIDS["1M"].shifted(HONG_KONG),
    **UTC,
}
TEXTS = {30006: "request too many", 30007: "request over limit, connection close", 30003: "Invalid op"}


def heard(text: str, session: Session) -> list[Payload]:
    """Answer a message; any is a sign of life."""
    session.alive = session.clock.now()
    if text == "ping":
        return [] if session.faults.ignore_pings else ["pong"]
    try:
        request = json.loads(text)
        op, arguments = request["op"], [dict(argument) for argument in request["args"]]
    except (ValueError, TypeError, KeyError):
        return [_error(30016, "Param error")]
    if op not in ("subscribe", "unsubscribe"):
        return [_error(30003, TEXTS[30003])]
    if op == "subscribe" and session.exceeds("subscribe", MOST_REQUESTS, HOUR):
        return _over(session)
    if session.limited and len(_json(request["args"]).encode()) > MOST_BYTES:
        return _over(session)
    answer = _subscribe if op == "subscribe" else _unsubscribe
    return [reply for argument in arguments for reply in answer(argument, session)]


def overrun(session: Session) -> list[Payload] | None:
    """Refuse what is more than ten messages in a second."""
    return [_error(30006, TEXTS[30006])] if session.exceeds("message", MOST_MESSAGES, SECOND) else None


def _over(session: Session) -> list[Payload]:
    session.ending = Ending(1008, TEXTS[30007])
    return [_error(30007, TEXTS[30007])]


def _subscribe(argument: dict[str, Any], session: Session) -> list[Payload]:
    kind, channel, symbol = _parts(argument)
    if kind is None or channel not in GRIDS_BY_NAME:
        return [_error(30016, "Param error", argument, "subscribe")]
    market = session.archives[kind].market(symbol) if kind else None
    if session.refuses(market) or not any(archive.market(symbol) for archive in session.archives.values()):
        named = f"instType:{argument['instType']},channel:{argument['channel']},instId:{symbol}"
        return [_error(30001, f"{named} doesn't exist", argument, "subscribe")]
    topic = Topic(_name(argument), market, kind, channel, GRIDS_BY_NAME[channel])
    if not session.join(topic, MOST_CHANNELS):
        return _over(session)
    return [_json({"event": "subscribe", "arg": argument}), *_snapshot(topic, session)]


def _unsubscribe(argument: dict[str, Any], session: Session) -> list[Payload]:
    session.topics.pop(_name(argument), None)
    return [_json({"event": "unsubscribe", "arg": argument})]


def _parts(argument: dict[str, Any]) -> tuple[str | None, str, str]:
    """Return market kind (None for an unknown type), interval ("" for another channel), symbol."""
    channel = str(argument.get("channel", ""))
    interval = channel.removeprefix("candle") if channel.startswith("candle") else ""
    return KINDS.get(str(argument.get("instType"))), interval, str(argument.get("instId", ""))


def _name(argument: dict[str, Any]) -> str:
    return ":".join(str(argument.get(part, "")) for part in ("instType", "channel", "instId"))


def _snapshot(topic: Topic, session: Session) -> list[Payload]:
    """Return the frame with the last 500 candles, the forming one included."""
    market, now = topic.market, session.clock.now()
    if market is None or market.symbol in session.faults.mute:
        return []
    rows = snapshot_rows(session.archives[topic.kind], market, topic.grid)
    return [_frame("snapshot", topic, b",".join(spot_row(row, 0) for row in rows).decode(), now)]


def printed(topic: Topic, shown: Shown) -> str:
    """Print an update of one row."""
    return _frame("update", topic, spot_row(shown.row, 0).decode(), shown.instant)


def _frame(action: str, topic: Topic, rows: str, now: int) -> str:
    inst_type, channel, symbol = topic.name.split(":")
    arg = f'{{"instType":"{inst_type}","channel":"{channel}","instId":"{symbol}"}}'
    return f'{{"action":"{action}","arg":{arg},"data":[{rows}],"ts":{now}}}'


def beside(market: Market, topic: Topic) -> Topic:
    """Return the channel of another market."""
    return replace(topic, market=market, name=f"{topic.name.rpartition(':')[0]}:{market.symbol}")


def _error(code: int, message: str, argument: dict[str, Any] | None = None, op: str | None = None) -> str:
    extra = {} if argument is None else {"arg": argument}
    return _json({"event": "error", **extra, "code": code, "msg": message, **({"op": op} if op else {})})


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


BITGET = Dialect(
    name="bitget",
    exchange="bitget",
    serves=lambda path: path == "/v2/ws/public",
    heard=heard,
    overrun=overrun,
    printed=printed,
    topic=beside,
    cadence=SECOND,
    closing_lag=100,
    heartbeat=Heartbeat(None, 2 * MINUTE),
    opens_with_state=False,
    attempts=300,
    connections=100,
)
