"""What a classic account hears by socket, after https://www.bitget.com/api-doc/common/websocket-intro.

The login signs the time in seconds, "GET" and "/user/verify". Then orders and plan orders are subscribed to
for each product; a fill changes its order, so fills need no channel of their own:

    {"op":"login","args":[{"apiKey":"..","passphrase":"..","timestamp":"1767225600","sign":".."}]}
    {"event":"login","code":"0","msg":""}
    {"op":"subscribe","args":[{"instType":"USDT-FUTURES","channel":"orders","instId":"default"}]}
    {"event":"subscribe","arg":{"instType":"USDT-FUTURES","channel":"orders","instId":"default"}}
    {"action":"snapshot","arg":{..},"data":[{"orderId":"..","status":"filled",..}],"ts":1767225600123}
    {"event":"error","code":"30005","msg":"error"}

Of positions and balances the venue tells each change of their price, so they are left out. What unified
accounts hear is not documented here: they have no socket.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.exchanges.base import decode, excerpt
from backend.exchanges.bitget.market import VENUE
from backend.exchanges.bitget.signing import signature
from backend.exchanges.private.socket_events import Admitted, Denied, Event, Happened
from backend.exchanges.private.venue import AccountSocket
from backend.trading.account_keys import Keys

CHANNELS = tuple(
    {"instType": kind, "channel": channel, "instId": "default"}
    for kind in ("USDT-FUTURES", "USDC-FUTURES", "COIN-FUTURES", "SPOT")
    for channel in ("orders", "orders-algo")
    if (kind, channel) != ("SPOT", "orders-algo")
)


class Frame(msgspec.Struct):
    event: str = ""
    code: int | str = ""
    msg: str = ""
    action: str = ""
    data: list[msgspec.Raw] | None = None


_frame = msgspec.json.Decoder(Frame, strict=False)


def login(keys: Keys, moment: int) -> str:
    """The first message, at a moment in ms."""
    seconds = str(moment // 1000)
    said = {
        "apiKey": keys.key,
        "passphrase": keys.passphrase,
        "timestamp": seconds,
        "sign": signature(keys.secret, f"{seconds}GET/user/verify"),
    }
    return msgspec.json.encode({"op": "login", "args": [said]}).decode()


def read(sent: str | bytes) -> Sequence[Event]:
    """What a frame means. Raises MalformedAnswer."""
    text = sent.encode(errors="replace") if isinstance(sent, str) else sent
    if text == b"pong":
        return ()
    frame = decode(_frame, text, VENUE)
    if frame.event == "error" or (frame.event == "login" and str(frame.code) not in ("", "0")):
        return (Denied(f"{excerpt(frame.msg)} ({frame.code})"),)
    if frame.event == "login":
        return (Admitted(),)
    return (Happened(),) if frame.action and frame.data else ()


CLASSIC_SOCKET = AccountSocket(
    name="",
    base_url="wss://ws.bitget.com",
    demo_url="wss://wspap.bitget.com",
    path="/v2/ws/private",
    read=read,
    login=login,
    subscribe=tuple(
        msgspec.json.encode({"op": "subscribe", "args": [channel]}).decode() for channel in CHANNELS
    ),
    ping="ping",
    ping_every=30.0,
    quiet_after=75.0,
    life=23 * 3600.0,
)
