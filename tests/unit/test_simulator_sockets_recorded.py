"""Frames of the simulated sockets against recorded ones, where a folder of them is at hand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.asking_sockets import at_noon, talking

FOLDER = os.environ.get("RECORDED_PAYLOADS")
pytestmark = pytest.mark.skipif(not FOLDER, reason="RECORDED_PAYLOADS names no folder of recorded answers")

SWAP, SPOT = "BTC-USDT@kline_1m", "BTC-USDT@kline_1min"


def recorded(exchange: str) -> list[dict[str, Any]]:
    """What was recorded of an exchange's sockets, one entry a source."""
    entries: list[dict[str, Any]] = json.loads((Path(FOLDER or "") / "ws" / f"{exchange}.json").read_text())[
        "messages"
    ]
    return entries


def frames(exchange: str, text: str) -> Iterator[Any]:
    """The frames of an exchange that hold a text."""
    for entry in recorded(exchange):
        for raw in [entry.get("raw"), *(frame["raw"] for frame in entry.get("frames", []))]:
            if raw and text in raw:
                yield json.loads(raw)


def shape(value: Any) -> Any:
    """Keys and types of a frame; a list stands for its first item."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value[:1]] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("path", ["/stream", "/market/stream"])
async def test_klines_of_binance_have_the_recorded_shape(path: str) -> None:
    real = list(frames("binance", '"stream"'))
    async with at_noon() as simulator, talking(simulator, f"{path}?streams=btcusdt@kline_1m") as talk:
        ours = await talk.hear()
    assert len(real) > 100
    assert {json.dumps(shape(frame), default=str) for frame in real} == {json.dumps(shape(ours), default=str)}


async def test_rows_of_bitget_have_the_recorded_shape() -> None:
    (real,) = list(frames("bitget", '"action":"update","arg":{"instType":"USDT-FUTURES"'))
    async with at_noon() as simulator, talking(simulator, "/v2/ws/public") as talk:
        arg = {"instType": "USDT-FUTURES", "channel": "candle1m", "instId": "BTCUSDT"}
        acknowledged = await talk.ask({"op": "subscribe", "args": [arg]})
        await talk.hear()
        simulator.clock.advance(1000)
        ours = await talk.hear()
    assert acknowledged in frames("bitget", '"event":"subscribe"')
    assert (shape(ours), list(ours), ours["arg"]) == (shape(real), list(real), real["arg"])
    assert [len(row) for row in ours["data"]] == [len(row) for row in real["data"]] == [8]


@pytest.mark.parametrize(
    ("path", "topic", "text"), [("/swap-market", SWAP, '"data":[{"c"'), ("/market", SPOT, '"i":"8hour"')]
)
async def test_frames_of_bingx_have_the_recorded_shape(path: str, topic: str, text: str) -> None:
    real = list(frames("bingx", text))
    async with at_noon() as simulator, talking(simulator, path) as talk:
        await talk.ask({"id": "1", "reqType": "sub", "dataType": topic})
        ours = await talk.hear()
    assert real
    assert all(shape(frame) == shape(ours) for frame in real)
