"""Real frames of the exchanges' sockets, where a folder of them is at hand: RECORDED_PAYLOADS names it."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from backend.exchanges import EXCHANGES
from backend.exchanges.sockets import Push, Socket

FOLDER = os.environ.get("RECORDED_PAYLOADS")

SHORT: Mapping[str | int, str] = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
SPOT: Mapping[str | int, str] = {**SHORT, "t": "open_time", "q": "quote_volume", "n": "trades"}
KLINE: Mapping[str | int, str] = {**SPOT, "V": "taker_buy_volume", "Q": "taker_buy_quote_volume"}
ROW: Mapping[str | int, str] = dict(
    enumerate(("open_time", "open", "high", "low", "close", "volume", "quote_volume"))
)


class Case(NamedTuple):
    """A frame as text, where it came from, its row, and the candle's field for each key of that."""

    exchange: str
    market: str
    text: str
    row: Any
    fields: Mapping[str | int, str]


def recorded() -> Iterator[Case]:
    """Every recorded frame that holds a candle of an interface that we use."""
    for exchange in ("binance", "bitget", "bingx") if FOLDER else ():
        for message in json.loads(Path(FOLDER or "", "ws", f"{exchange}.json").read_bytes())["messages"]:
            texts = [message.get("raw"), *(frame["raw"] for frame in message.get("frames") or ())]
            for text in filter(None, texts):
                yield from case_of(exchange, message.get("host", ""), text)


def case_of(exchange: str, host: str, text: str) -> Iterator[Case]:
    """The case that a frame is; none for acknowledgements, other versions of an interface and errors."""
    frame = json.loads(text)
    inner = frame.get("data") or frame
    if exchange == "binance" and "k" in inner and "Coin-M" not in host:
        yield Case(exchange, "perpetual" if "fstream" in host else "spot", text, inner["k"], KLINE)
    elif exchange == "bitget" and frame.get("arg", {}).get("channel") == "candle1m" and "/v2/" in host:
        yield from (Case(exchange, "perpetual", text, row, ROW) for row in frame.get("data", ()))
    elif exchange == "bingx" and "K" in inner:
        yield Case(exchange, "spot", text, inner["K"], SPOT)
    elif exchange == "bingx" and isinstance(inner, list):
        yield Case(exchange, "perpetual", text, inner[0], {**SHORT, "T": "open_time"})


def parameters() -> list[Any]:
    """The cases as test parameters; one skipped case when there is no folder."""
    if FOLDER:
        return [pytest.param(case, id=f"{case.exchange}-{number}") for number, case in enumerate(recorded())]
    reason = "set RECORDED_PAYLOADS to a folder of recorded answers to run this"
    return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="none")]


def socket_of(case: Case) -> Socket:
    socket = EXCHANGES[case.exchange].markets[case.market].socket
    assert socket is not None
    return socket


@pytest.mark.parametrize("case", parameters())
def test_a_recorded_candle_is_read_with_its_values(case: Case) -> None:
    packed: str | bytes = gzip.compress(case.text.encode()) if case.exchange == "bingx" else case.text
    (event,) = socket_of(case).read(packed)
    assert isinstance(event, Push)
    assert event.closed is case.row["x"] if case.exchange == "binance" else not event.closed
    for place, name in case.fields.items():
        assert getattr(event.candle, name) == float(case.row[place]), name
