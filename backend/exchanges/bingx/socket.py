"""BingX' candles as they are pushed: spot and perpetual swap, after https://bingx-api.github.io/docs-v3.

A topic is `BTC-USDT@kline_1min` on spot, `BTC-USDT@kline_1m` on swap, one a message; the message's id is the
topic, so that an error names it. Every frame of the venue is gzip in a binary frame. A swap frame holds a
list of one candle whose `T` is its open time, a spot frame an object where `t` is:

    {"code":0,"dataType":"BTC-USDT@kline_1m","s":"BTC-USDT","data":[
     {"c":"64160.1","o":"64175.4","h":"64200.0","l":"64100.5","v":"1.7765","T":1702717200000}]}
    {"code":0,"dataType":"BTC-USDT@kline_1min","success":true,"data":{"e":"kline","E":1702717201000,
     "s":"BTC-USDT","K":{"t":1702717200000,"T":1702717259999,"s":"BTC-USDT","i":"1min","o":"64175.4",
     "h":"64200.0","l":"64100.5","c":"64160.1","v":"1.7765","q":"113980.4","n":31}}}

Nothing says that a candle is closed, and a topic that was refused may still bring one frame. Every 5 s the
venue says `Ping` and wants to hear `Pong`, on spot also `{"ping":"..","time":".."}`; after 30 s without it
hangs up. A connection carries 200 topics and takes 10 messages a second, an address has 60 connections.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

import msgspec

from backend.core.candles import Candle
from backend.errors import MalformedAnswer
from backend.exchanges.base import Amount, Count, Moment, decode, excerpt
from backend.exchanges.sockets import Event, Push, RefusedTopics, Reply, Socket

VENUE = "bingx"
LARGEST_FRAME = 1 << 20
"""Bytes that a frame may unpack to; a candle has about 200."""

GZIP = 16 + zlib.MAX_WBITS


class SwapCandle(msgspec.Struct, gc=False):
    open_time: Moment = msgspec.field(name="T")
    open: Amount = msgspec.field(name="o")
    high: Amount = msgspec.field(name="h")
    low: Amount = msgspec.field(name="l")
    close: Amount = msgspec.field(name="c")
    volume: Amount = msgspec.field(name="v")


class SpotCandle(msgspec.Struct, gc=False):
    open_time: Moment = msgspec.field(name="t")
    open: Amount = msgspec.field(name="o")
    high: Amount = msgspec.field(name="h")
    low: Amount = msgspec.field(name="l")
    close: Amount = msgspec.field(name="c")
    volume: Amount = msgspec.field(name="v")
    quote_volume: Amount = msgspec.field(name="q")
    trades: Count = msgspec.field(name="n")


class SpotData(msgspec.Struct):
    candle: SpotCandle | None = msgspec.field(name="K", default=None)


class Frame(msgspec.Struct):
    """What candles, acknowledgements, errors and pings have in common; code 0 is a success."""

    id: str = ""
    code: int = 0
    msg: str = ""
    topic: str = msgspec.field(name="dataType", default="")
    ping: str | None = None
    time: str | None = None


class SwapFrame(Frame):
    data: list[SwapCandle] | None = None


class SpotFrame(Frame):
    data: SpotData | None = None


SwapDecoder: TypeAlias = msgspec.json.Decoder[SwapFrame]
SpotDecoder: TypeAlias = msgspec.json.Decoder[SpotFrame]

_swap: SwapDecoder = msgspec.json.Decoder(SwapFrame, strict=False)
_spot: SpotDecoder = msgspec.json.Decoder(SpotFrame, strict=False)


def topic(suffix: str, native: str) -> str:
    """The name of a symbol's candles."""
    return native + suffix


def request(kind: str, topics: Sequence[str], _number: int) -> str:
    """Ask for one topic: the venue takes no more at a time."""
    (asked,) = topics
    return msgspec.json.encode({"id": asked, "reqType": kind, "dataType": asked}).decode()


def read_swap(sent: str | bytes) -> Sequence[Event]:
    """What a frame means. Raises MalformedAnswer."""
    text = unpacked(sent)
    if text == b"Ping":
        return (Reply("Pong"),)
    frame = decode(_swap, text, VENUE)
    candles = (_swap_candle(row) for row in frame.data or ())
    return _control(frame) or [Push(frame.topic, candle, closed=False) for candle in candles]


def read_spot(sent: str | bytes) -> Sequence[Event]:
    """What a frame means. Raises MalformedAnswer."""
    text = unpacked(sent)
    if text == b"Ping":
        return (Reply("Pong"),)
    frame = decode(_spot, text, VENUE)
    candle = frame.data.candle if frame.data else None
    return _control(frame) or ([Push(frame.topic, _spot_candle(candle), closed=False)] if candle else [])


def unpacked(sent: str | bytes) -> bytes:
    """The text of a frame; plain text is taken as it is."""
    if isinstance(sent, str):
        return sent.encode(errors="replace")
    unpacking = zlib.decompressobj(GZIP)
    try:
        text = unpacking.decompress(sent, LARGEST_FRAME)
    except zlib.error as error:
        raise MalformedAnswer(f"{VENUE} sent a frame that cannot be unpacked: {error}") from error
    if not unpacking.eof:
        raise MalformedAnswer(f"{VENUE} sent a frame that is incomplete or has over {LARGEST_FRAME} bytes")
    return text


def pong(ping: str, time: str | None) -> str:
    """The answer to a ping with words."""
    times = {} if time is None else {"time": time}
    return msgspec.json.encode({"pong": ping, **times}).decode()


def _control(frame: Frame) -> Sequence[Event]:
    """What a frame means that is no push; nothing for a push or an acknowledgement."""
    if frame.ping is not None:
        return (Reply(pong(frame.ping, frame.time)),)
    if frame.code:
        return (RefusedTopics(frame.id if "@" in frame.id else None, f"{excerpt(frame.msg)} ({frame.code})"),)
    return ()


def _swap_candle(candle: SwapCandle) -> Candle:
    return Candle(
        open_time=candle.open_time,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
    )


def _spot_candle(candle: SpotCandle) -> Candle:
    return Candle(
        open_time=candle.open_time,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
        quote_volume=candle.quote_volume,
        trades=candle.trades,
    )


SPOT = Socket(
    base_url="wss://open-api-ws.bingx.com",
    url_setting="BINGX_SPOT_WS_URL",
    path="/market",
    topic=partial(topic, "@kline_1min"),
    subscribe=partial(request, "sub"),
    unsubscribe=partial(request, "unsub"),
    read=read_spot,
    topics_per_connection=200,
    topics_per_message=1,
    messages_per_second=10,
    attempts_per_minute=30,
    quiet_after=60.0,
)

PERPETUAL = Socket(
    base_url="wss://open-api-swap.bingx.com",
    url_setting="BINGX_PERPETUAL_WS_URL",
    path="/swap-market",
    topic=partial(topic, "@kline_1m"),
    subscribe=partial(request, "sub"),
    unsubscribe=partial(request, "unsub"),
    read=read_swap,
    topics_per_connection=200,
    topics_per_message=1,
    messages_per_second=10,
    attempts_per_minute=30,
    quiet_after=30.0,
)
