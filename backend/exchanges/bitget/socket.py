"""Bitget's candles (v2) as they are pushed: spot and USDT-M perpetual.

Documents: https://www.bitget.com/api-doc/spot/websocket/public/Candlesticks-Channel and
https://www.bitget.com/api-doc/contract/websocket/public/Candlesticks-Channel.

Both kinds share an address; `instType` tells them apart, so a topic is the venue's symbol. The first frame of
a topic is a snapshot of some 500 minutes, the rest are updates, once a second while somebody trades and once
a minute otherwise:

    {"action":"update","arg":{"instType":"USDT-FUTURES","channel":"candle1m","instId":"BTCUSDT"},"data":[
     ["1695685500000","27000","27000.5","27000","27000.5","0.057","1539.0155","1539.0155"]],"ts":1695715462250}

A row is text: open time, open, high, low, close, base volume, quote volume, USDT volume, which is not the
order of REST. Nothing says that a candle is closed, and one may change after a younger one has begun.

We have to say `ping` every 30 s, as plain text, and hear `pong`; who is silent for two minutes is cut off. A
connection takes 10 messages a second of up to 4096 bytes of arguments and 1000 topics, though fewer than 50
are advised; an address may connect 300 times in five minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from backend.core.candles import Candle
from backend.exchanges.base import Amount, Moment, decode, excerpt
from backend.exchanges.sockets import Event, Push, RefusedTopics, Socket

VENUE = "bitget"
CHANNEL = "candle1m"
PONG = ("pong", b"pong")
NEWEST = 2
"""Of a snapshot only the forming minute and the one before it are news."""


class Row(msgspec.Struct, array_like=True, gc=False):
    open_time: Moment
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount
    quote_volume: Amount


class Argument(msgspec.Struct):
    """What a frame is about, in the words of the subscription."""

    kind: str = msgspec.field(name="instType", default="")
    channel: str = ""
    symbol: str = msgspec.field(name="instId", default="")


class Frame(msgspec.Struct):
    """Candles, an acknowledgement or an error: {"event":"error","arg":{..},"code":30001,"msg":".."}."""

    event: str = ""
    arg: Argument | None = None
    data: list[Row] | None = None
    code: int | None = None
    msg: str = ""


_frame = msgspec.json.Decoder(Frame, strict=False)


def topic(native: str) -> str:
    """The venue's symbol: kind and channel are the same for all topics of a socket."""
    return native


def request(operation: str, kind: str, topics: Sequence[str], _number: int) -> str:
    arguments = [{"instType": kind, "channel": CHANNEL, "instId": symbol} for symbol in topics]
    return msgspec.json.encode({"op": operation, "args": arguments}).decode()


def read(kind: str, sent: str | bytes) -> Sequence[Event]:
    """What a frame means. Raises MalformedAnswer."""
    if sent in PONG:
        return ()
    frame = decode(_frame, sent, VENUE)
    ours = frame.arg is not None and (frame.arg.kind, frame.arg.channel) == (kind, CHANNEL)
    symbol = frame.arg.symbol if frame.arg and ours else None
    if frame.event == "error":
        return (RefusedTopics(symbol, f"{excerpt(frame.msg)} ({frame.code})"),)
    if symbol is None or not frame.data:
        return ()
    rows = sorted(frame.data, key=lambda row: row.open_time)[-NEWEST:]
    return [Push(symbol, _candle(row), closed=False) for row in rows]


def _candle(row: Row) -> Candle:
    return Candle(
        open_time=row.open_time,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        quote_volume=row.quote_volume,
    )


def _socket(kind: str) -> Socket:
    return Socket(
        base_url="wss://ws.bitget.com",
        url_setting="BITGET_WS_URL",
        path="/v2/ws/public",
        topic=topic,
        subscribe=partial(request, "subscribe", kind),
        unsubscribe=partial(request, "unsubscribe", kind),
        read=partial(read, kind),
        topics_per_connection=49,
        topics_per_message=20,
        messages_per_second=10,
        attempts_per_minute=30,
        ping="ping",
        ping_every=25.0,
        quiet_after=75.0,
    )


SPOT = _socket("SPOT")
PERPETUAL = _socket("USDT-FUTURES")
