"""Binance's candles as they are pushed: spot and USD-M perpetual.

Documents: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams and
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams.

A topic is `btcusdt@kline_1m`, symbol in lower case; one of a symbol that does not exist is acknowledged and
silent. A message that is refused, `{"code":2,"msg":"..","id":1}`, is refused as a whole. On spot a candle is
pushed every 2 s while it changes, on futures every 250 ms, in a frame of its own; `x` is true in the last:

    {"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1717200002001,"s":"BTCUSDT","k":{
     "t":1717200000000,"T":1717200059999,"s":"BTCUSDT","i":"1m","f":100,"L":200,"o":"67540.01","c":"67541.00",
     "h":"67542.00","l":"67539.90","v":"1.20","n":101,"x":false,"q":"81048.0","V":"0.60","Q":"40524.0","B":"0"}}}

that is open time, close time, symbol, interval, first and last trade, open, close, high, low, base volume,
number of trades, whether it is closed, quote volume, base and quote volume bought by takers, unused. The
venue pings by protocol and closes a connection after 24 hours; `{"e":"serverShutdown"}` may come before.

A connection carries 1024 topics (200 on futures in an older text, which is the safe reading) and takes 5
messages a second on spot, 10 on futures, pongs included; an address may connect 300 times in five minutes.
Futures push candles below `/market` only: the older `/stream` acknowledges them and is silent.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.core.candles import Candle
from backend.exchanges.base import Amount, Count, Moment, decode, excerpt
from backend.exchanges.sockets import Event, Farewell, Push, RefusedTopics, Socket

VENUE = "binance"
SUFFIX = "@kline_1m"
SHUTDOWN = "serverShutdown"


class Kline(msgspec.Struct, gc=False):
    symbol: str = msgspec.field(name="s")
    interval: str = msgspec.field(name="i")
    open_time: Moment = msgspec.field(name="t")
    open: Amount = msgspec.field(name="o")
    high: Amount = msgspec.field(name="h")
    low: Amount = msgspec.field(name="l")
    close: Amount = msgspec.field(name="c")
    volume: Amount = msgspec.field(name="v")
    quote_volume: Amount = msgspec.field(name="q")
    trades: Count = msgspec.field(name="n")
    taker_buy_volume: Amount = msgspec.field(name="V")
    taker_buy_quote_volume: Amount = msgspec.field(name="Q")
    closed: bool = msgspec.field(name="x")


class Problem(msgspec.Struct):
    """What is wrong with a message of ours: {"code": 2, "msg": "Invalid request: ...", "id": 1}."""

    code: int | None = None
    msg: str = ""


class Message(Problem):
    """A push, an answer or an error: only the parts that name it are there."""

    event: str = msgspec.field(name="e", default="")
    kline: Kline | None = msgspec.field(name="k", default=None)
    error: Problem | str | None = None
    id: int | str | None = None


class Frame(Message):
    """A message, or one inside the wrapper of combined streams."""

    data: Message | None = None


_frame = msgspec.json.Decoder(Frame, strict=False)


def topic(native: str) -> str:
    """The name of a symbol's candles."""
    return native.lower() + SUFFIX


def subscribe(topics: Sequence[str], number: int) -> str:
    return _request("SUBSCRIBE", topics, number)


def unsubscribe(topics: Sequence[str], number: int) -> str:
    return _request("UNSUBSCRIBE", topics, number)


def _request(method: str, topics: Sequence[str], number: int) -> str:
    return msgspec.json.encode({"method": method, "params": list(topics), "id": number}).decode()


def read(sent: str | bytes) -> Sequence[Event]:
    """What a frame means. Raises MalformedAnswer."""
    frame = decode(_frame, sent, VENUE)
    message = frame.data or frame
    if message.kline:
        return (_push(message.kline),)
    if message.event == SHUTDOWN:
        return (Farewell(SHUTDOWN),)
    if message.error is None and message.code is None:
        return ()
    number = message.id if isinstance(message.id, int) else None
    return (RefusedTopics(None, _told(message.error or message), number),)


def _told(problem: Problem | str) -> str:
    if isinstance(problem, str):
        return excerpt(problem)
    return f"{excerpt(problem.msg)} ({problem.code})"


def _push(kline: Kline) -> Push:
    candle = Candle(
        open_time=kline.open_time,
        open=kline.open,
        high=kline.high,
        low=kline.low,
        close=kline.close,
        volume=kline.volume,
        quote_volume=kline.quote_volume,
        trades=kline.trades,
        taker_buy_volume=kline.taker_buy_volume,
        taker_buy_quote_volume=kline.taker_buy_quote_volume,
    )
    return Push(f"{kline.symbol.lower()}@kline_{kline.interval}", candle, kline.closed)


def _socket(base_url: str, url_setting: str, path: str, messages_per_second: int, topics: int) -> Socket:
    return Socket(
        base_url=base_url,
        url_setting=url_setting,
        path=path,
        topic=topic,
        subscribe=subscribe,
        unsubscribe=unsubscribe,
        read=read,
        topics_per_connection=topics,
        topics_per_message=100,
        messages_per_second=messages_per_second,
        attempts_per_minute=60,
        heartbeat=20.0,
        quiet_after=300.0,
    )


SPOT = _socket("wss://stream.binance.com:9443", "BINANCE_SPOT_WS_URL", "/stream", 5, 1000)
PERPETUAL = _socket("wss://fstream.binance.com", "BINANCE_PERPETUAL_WS_URL", "/market/stream", 10, 200)
