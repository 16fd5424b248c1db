"""How candles are pushed: what is said to each venue, and what its frames mean."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.clock import LATEST
from backend.core.candles import Candle
from backend.errors import MalformedAnswer
from backend.exchanges import EXCHANGES
from backend.exchanges.binance import socket as binance_socket
from backend.exchanges.bingx import socket as bingx_socket
from backend.exchanges.bitget import socket as bitget_socket
from backend.exchanges.sockets import Farewell, Push, RefusedTopics, Reply, Socket
from tests.examples import examples
from tests.fakes import hostile_bodies, minute

SOCKETS: Mapping[str, Socket] = {
    f"{exchange.name}-{market.name}": market.socket
    for exchange in EXCHANGES.values()
    for market in exchange.markets.values()
    if market.socket
}
ALL = pytest.mark.parametrize("socket", SOCKETS.values(), ids=list(SOCKETS))

OPEN = minute(0)
ROW = [str(OPEN), "100.5", "103", "98.25", "101", "1.5", "151.25", "151.5"]
CANDLE = Candle(open_time=OPEN, open=100.5, high=103, low=98.25, close=101, volume=1.5)
WITH_QUOTE = Candle(
    open_time=OPEN, open=100.5, high=103, low=98.25, close=101, volume=1.5, quote_volume=151.25
)

KLINE: dict[str, object] = {
    "t": OPEN,
    "T": OPEN + 59_999,
    "s": "BTCUSDT",
    "i": "1m",
    "f": -1,
    "L": -1,
    "x": True,
    "B": "0",
    "o": "100.5",
    "h": "103",
    "l": "98.25",
    "c": "101",
    "v": "1.5",
    "q": "151.25",
    "n": 7,
    "V": "0.5",
    "Q": "50.5",
}
BINANCE = {"e": "kline", "E": OPEN + 2000, "s": "BTCUSDT", "k": KLINE}
BINANCE_CANDLE = Candle(
    open_time=OPEN,
    open=100.5,
    high=103,
    low=98.25,
    close=101,
    volume=1.5,
    quote_volume=151.25,
    trades=7,
    taker_buy_volume=0.5,
    taker_buy_quote_volume=50.5,
)

SPOT_ARGUMENT = {"instType": "SPOT", "channel": "candle1m", "instId": "BTCUSDT"}
BITGET = {"action": "update", "arg": SPOT_ARGUMENT, "data": [ROW], "ts": OPEN + 2000}

PRICES = {"o": "100.5", "h": "103", "l": "98.25", "c": "101", "v": "1.5"}
SWAP = {"code": 0, "dataType": "BTC-USDT@kline_1m", "s": "BTC-USDT", "data": [{**PRICES, "T": OPEN}]}
INNER = {"e": "kline", "K": {**PRICES, "t": OPEN, "T": OPEN + 59_999, "q": "151.25", "n": 7}}
SPOT = {"code": 0, "dataType": "BTC-USDT@kline_1min", "success": True, "data": INNER}

ERROR = {"event": "error", "arg": SPOT_ARGUMENT, "code": 30001, "msg": "doesn't exist", "op": "subscribe"}
RIGHT: Sequence[object] = [
    *(BINANCE, {"stream": "btcusdt@kline_1m", "data": BINANCE}, {"error": {"code": 2, "msg": "no"}}),
    *(BITGET, ERROR, SWAP, SPOT, {"id": "BTC-USDT@kline_1m", "code": 80015, "msg": "no", "data": None}),
    *({"ping": "a", "time": "b"}, {"result": None, "id": 1}),
]
"""Right frames of all venues: each socket meets those of the others too."""


def sent(frame: object) -> str:
    return json.dumps(frame)


def packed(frame: object) -> bytes:
    """A frame as BingX sends it."""
    return gzip.compress(frame.encode() if isinstance(frame, str) else json.dumps(frame).encode())


# All venues


@ALL
@settings(max_examples=examples(40))
@given(frame=st.sampled_from(RIGHT).flatmap(hostile_bodies), pack=st.sampled_from((bytes, gzip.compress)))
def test_any_frame_is_events_or_malformed(socket: Socket, frame: bytes, pack: type[bytes]) -> None:
    for arrived in (pack(frame), frame.decode(errors="replace")):
        try:
            events = socket.read(arrived)
        except MalformedAnswer:
            continue
        for event in events:
            if isinstance(event, Push):
                assert 0 <= event.candle.open_time <= LATEST
                assert all(0 <= amount <= 1e18 for amount in (event.candle.open, event.candle.volume))


@ALL
def test_as_many_topics_as_a_message_may_have_are_asked_for_and_given_up_in_it(socket: Socket) -> None:
    topics = [socket.topic(f"A{number}-USDT") for number in range(socket.topics_per_message)]
    for said in (socket.subscribe(topics, 7), socket.unsubscribe(topics, 8)):
        assert all(topic in said for topic in topics)
        json.loads(said)
    assert socket.subscribe(topics, 7) != socket.unsubscribe(topics, 7)


@ALL
def test_topics_of_different_symbols_differ(socket: Socket) -> None:
    assert socket.topic("BTC-USDT") != socket.topic("BTC-USDC")


def test_messages_to_bitget_have_no_more_than_4096_bytes_of_arguments() -> None:
    socket = bitget_socket.PERPETUAL
    topics = [f"{number:020}USDT" for number in range(socket.topics_per_message)]
    assert len(socket.subscribe(topics, 1)) < 4096


# Binance


BOTH_BINANCE = pytest.mark.parametrize("socket", [binance_socket.SPOT, binance_socket.PERPETUAL])


@BOTH_BINANCE
def test_binance_is_asked_by_the_names_of_streams_in_lower_case(socket: Socket) -> None:
    topics = [socket.topic("BTCUSDT"), socket.topic("ETHUSDT")]
    expected = {"params": ["btcusdt@kline_1m", "ethusdt@kline_1m"], "id": 3}
    assert json.loads(socket.subscribe(topics, 3)) == {"method": "SUBSCRIBE", **expected}
    assert json.loads(socket.unsubscribe(topics, 3)) == {"method": "UNSUBSCRIBE", **expected}


def test_perpetual_candles_of_binance_are_pushed_below_a_path_of_their_own() -> None:
    assert (binance_socket.SPOT.path, binance_socket.PERPETUAL.path) == ("/stream", "/market/stream")


@BOTH_BINANCE
@pytest.mark.parametrize("frame", [BINANCE, {"stream": "btcusdt@kline_1m", "data": BINANCE}])
def test_binance_pushes_with_and_without_a_wrapper(socket: Socket, frame: object) -> None:
    assert list(socket.read(sent(frame))) == [Push("btcusdt@kline_1m", BINANCE_CANDLE, closed=True)]


def test_binance_says_when_a_candle_still_forms() -> None:
    (event,) = binance_socket.read(sent({**BINANCE, "k": {**KLINE, "x": False}}))
    assert isinstance(event, Push)
    assert event.closed is False


def test_a_month_of_binance_is_not_taken_for_a_minute() -> None:
    (event,) = binance_socket.read(sent({**BINANCE, "k": {**KLINE, "i": "1M"}}))
    assert isinstance(event, Push)
    assert event.topic != binance_socket.topic("BTCUSDT")


@pytest.mark.parametrize("data", [{"e": "serverShutdown", "E": OPEN}])
def test_binance_says_farewell(data: object) -> None:
    for frame in (data, {"stream": "!serverShutdown", "data": data}):
        assert list(binance_socket.read(sent(frame))) == [Farewell("serverShutdown")]


@pytest.mark.parametrize(
    ("frame", "message", "number"),
    [
        ({"code": 2, "msg": "Invalid request", "id": 1}, "Invalid request (2)", 1),
        ({"code": 0, "msg": "Unknown property"}, "Unknown property (0)", None),
        ({"error": {"code": 3, "msg": "Invalid JSON"}, "id": None}, "Invalid JSON (3)", None),
        ({"error": "internal", "id": "x"}, "internal", None),
    ],
)
def test_errors_of_binance_name_the_message_but_no_topic(
    frame: object, message: str, number: int | None
) -> None:
    assert list(binance_socket.read(sent(frame))) == [RefusedTopics(None, message, number)]


def test_an_acknowledgement_of_binance_means_nothing() -> None:
    assert list(binance_socket.read(sent({"result": None, "id": 1}))) == []


# Bitget


def test_bitget_is_asked_for_a_channel_of_a_kind() -> None:
    told = json.loads(bitget_socket.SPOT.subscribe(["BTCUSDT"], 1))
    assert told == {"op": "subscribe", "args": [SPOT_ARGUMENT]}
    told = json.loads(bitget_socket.PERPETUAL.unsubscribe(["BTCUSDT"], 1))
    assert told == {"op": "unsubscribe", "args": [{**SPOT_ARGUMENT, "instType": "USDT-FUTURES"}]}


@pytest.mark.parametrize(
    ("socket", "kind"), [(bitget_socket.SPOT, "SPOT"), (bitget_socket.PERPETUAL, "USDT-FUTURES")]
)
def test_bitget_pushes_the_quote_volume_before_the_one_in_usdt(socket: Socket, kind: str) -> None:
    frame = {**BITGET, "arg": {**SPOT_ARGUMENT, "instType": kind}}
    assert list(socket.read(sent(frame))) == [Push("BTCUSDT", WITH_QUOTE, closed=False)]


def test_of_a_snapshot_of_bitget_the_last_two_minutes_are_told_in_order() -> None:
    rows = [[str(minute(number)), *ROW[1:]] for number in (1, 0, 499, 2, 498)]
    events = bitget_socket.SPOT.read(sent({**BITGET, "action": "snapshot", "data": rows}))
    assert [event.candle.open_time for event in events if isinstance(event, Push)] == [
        minute(498),
        minute(499),
    ]


@pytest.mark.parametrize("argument", [{"instType": "USDT-FUTURES"}, {"channel": "candle1H"}])
def test_what_bitget_pushes_of_other_kinds_and_channels_is_ignored(argument: dict[str, str]) -> None:
    assert list(bitget_socket.SPOT.read(sent({**BITGET, "arg": {**SPOT_ARGUMENT, **argument}}))) == []


def test_an_error_of_bitget_names_its_topic() -> None:
    assert list(bitget_socket.SPOT.read(sent(ERROR))) == [RefusedTopics("BTCUSDT", "doesn't exist (30001)")]
    nameless = {"event": "error", "code": 30003, "msg": "bad op"}
    assert list(bitget_socket.SPOT.read(sent(nameless))) == [RefusedTopics(None, "bad op (30003)")]


@pytest.mark.parametrize("frame", ["pong", sent({"event": "subscribe", "arg": SPOT_ARGUMENT})])
def test_pongs_and_acknowledgements_of_bitget_mean_nothing(frame: str) -> None:
    assert list(bitget_socket.SPOT.read(frame)) == []


# BingX


@pytest.mark.parametrize(
    ("socket", "topic"),
    [(bingx_socket.SPOT, "BTC-USDT@kline_1min"), (bingx_socket.PERPETUAL, "BTC-USDT@kline_1m")],
)
def test_bingx_is_asked_for_one_topic_that_is_the_id_too(socket: Socket, topic: str) -> None:
    assert socket.topic("BTC-USDT") == topic
    told = {"id": topic, "reqType": "sub", "dataType": topic}
    assert json.loads(socket.subscribe([topic], 4)) == told
    assert json.loads(socket.unsubscribe([topic], 4)) == {**told, "reqType": "unsub"}


def test_bingx_pushes_a_swap_candle_in_a_list_and_no_quote_volume() -> None:
    expected = [Push("BTC-USDT@kline_1m", CANDLE, closed=False)]
    assert list(bingx_socket.PERPETUAL.read(packed(SWAP))) == expected


def test_bingx_pushes_a_spot_candle_in_an_object() -> None:
    (event,) = bingx_socket.SPOT.read(packed(SPOT))
    assert isinstance(event, Push)
    assert (event.topic, event.candle.open_time) == ("BTC-USDT@kline_1min", OPEN)
    assert (event.candle.quote_volume, event.candle.trades, event.closed) == (151.25, 7, False)


@pytest.mark.parametrize("socket", [bingx_socket.SPOT, bingx_socket.PERPETUAL])
def test_pings_of_bingx_are_answered(socket: Socket) -> None:
    assert list(socket.read(packed("Ping"))) == list(socket.read("Ping")) == [Reply("Pong")]
    (reply,) = socket.read(packed({"ping": "2177", "time": "2026-11-21T10:00:00.000+0800"}))
    assert isinstance(reply, Reply)
    assert json.loads(reply.text) == {"pong": "2177", "time": "2026-11-21T10:00:00.000+0800"}


def test_an_error_of_bingx_names_the_topic_that_was_the_messages_id() -> None:
    frame = {"id": "NO-USDT@kline_1m", "code": 80015, "msg": "dataType not support", "dataType": ""}
    expected = [RefusedTopics("NO-USDT@kline_1m", "dataType not support (80015)")]
    assert list(bingx_socket.PERPETUAL.read(packed({**frame, "data": None}))) == expected
    assert list(bingx_socket.PERPETUAL.read(packed({"code": 100500, "msg": "x"}))) == [
        RefusedTopics(None, "x (100500)")
    ]


def test_an_acknowledgement_of_bingx_means_nothing() -> None:
    frame = {"id": "BTC-USDT@kline_1m", "code": 0, "msg": "", "dataType": "", "data": None}
    assert (
        list(bingx_socket.PERPETUAL.read(packed(frame))) == list(bingx_socket.SPOT.read(packed(frame))) == []
    )


def test_a_frame_of_bingx_that_unpacks_to_too_much_is_refused_without_unpacking_it_all() -> None:
    bomb = gzip.compress(b" " * (64 << 20))
    with pytest.raises(MalformedAnswer, match="over 1048576 bytes"):
        bingx_socket.SPOT.read(bomb)


@pytest.mark.parametrize("frame", [packed(SWAP)[:-9], b"\x1f\x8bnoise", b""])
def test_a_cut_frame_of_bingx_is_malformed(frame: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        bingx_socket.PERPETUAL.read(frame)
