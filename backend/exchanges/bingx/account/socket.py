"""What an account hears by socket, after https://bingx-api.github.io/docs-v3 ("Listen Key", "Account Data").

A listen key names the account to the sockets for an hour. A connection is renewed before, with a key that is
asked for anew; nothing renews a key that a connection has. Of the swap's socket everything comes without a
word of ours; on spot the orders are subscribed to:

    {"listenKey":".."}
    {"e":"ORDER_TRADE_UPDATE","E":1767225600123,"o":{"s":"BTC-USDT","i":1111,"X":"FILLED",..}}
    {"e":"ACCOUNT_UPDATE","E":1767225600123,"a":{"m":"FUNDING_FEE","B":[..],"P":[..]}}
    {"e":"listenKeyExpired","E":1767225600123,"listenKey":".."}
    {"code":0,"dataType":"spot.executionReport","data":{"e":"executionReport",..}}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from backend.exchanges.base import Answer, Request, decode, excerpt
from backend.exchanges.bingx.market import VENUE
from backend.exchanges.bingx.socket import pong, unpacked
from backend.exchanges.private.socket_events import Denied, Event, Happened
from backend.exchanges.private.venue import AccountSocket, Call
from backend.exchanges.sockets import Farewell, Reply

LISTEN_KEY = "/openApi/user/auth/userDataStream"
LIMITS = {f"POST {LISTEN_KEY}": (2, 2)}
"""Requests a second of an account and of an address: not documented, so few."""

REPORTS = "spot.executionReport"
EVENTS = frozenset({"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ACCOUNT_CONFIG_UPDATE", "executionReport"})
LIFE = 50 * 60.0


class Key(msgspec.Struct, rename="camel"):
    listen_key: str = ""


class Frame(msgspec.Struct):
    event: str = msgspec.field(name="e", default="")
    code: int = 0
    msg: str = ""
    ping: str | None = None
    time: str | None = None
    data: Any = None


_key = msgspec.json.Decoder(Key)
_frame = msgspec.json.Decoder(Frame, strict=False)


def _listen_key(answer: Answer) -> str:
    return decode(_key, answer.body, VENUE).listen_key


def read(sent: str | bytes) -> Sequence[Event]:
    """What a frame means. Raises MalformedAnswer."""
    text = unpacked(sent)
    if text == b"Ping":
        return (Reply("Pong"),)
    frame = decode(_frame, text, VENUE)
    if frame.ping is not None:
        return (Reply(pong(frame.ping, frame.time)),)
    if frame.event == "listenKeyExpired":
        return (Farewell("its listen key has expired"),)
    if frame.code:
        return (Denied(f"{excerpt(frame.msg)} ({frame.code})"),)
    named = frame.data.get("e") if isinstance(frame.data, dict) else ""
    return (Happened(),) if EVENTS & {frame.event, named} else ()


def _socket(name: str, base_url: str, demo_url: str, path: str, *subscribe: str) -> AccountSocket:
    return AccountSocket(
        name=name,
        base_url=base_url,
        demo_url=demo_url,
        path=path,
        read=read,
        listen_key=Call(
            Request(LISTEN_KEY, {}, {f"POST {LISTEN_KEY}": 1}, method="POST"),
            _listen_key,
        ),
        subscribe=subscribe,
        quiet_after=60.0,
        life=LIFE,
    )


SOCKETS = (
    _socket(
        "perpetual",
        "wss://open-api-swap.bingx.com",
        "wss://vst-open-api-ws.bingx.com",
        "/swap-market",
    ),
    _socket(
        "spot",
        "wss://open-api-ws.bingx.com",
        "",
        "/market",
        msgspec.json.encode({"id": "orders", "reqType": "sub", "dataType": REPORTS}).decode(),
    ),
)
"""Coin-margined contracts have none: which host tells them, and whether this key opens it, is not known."""
