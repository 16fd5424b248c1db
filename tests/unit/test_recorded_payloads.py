"""Real answers of Binance, where a folder of them is at hand: RECORDED_PAYLOADS names it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backend.errors import Banned, ExchangeRefused, MarketDataError, RateLimited, RegionBlocked, UnknownSymbol
from backend.exchanges.base import Answer
from backend.exchanges.binance import failure, parse_candles

FOLDER = os.environ.get("RECORDED_PAYLOADS")

KINDS: dict[int, type[MarketDataError]] = {
    400: ExchangeRefused,
    403: RateLimited,
    418: Banned,
    429: RateLimited,
    451: RegionBlocked,
}
"""What a status means, where the code in the body does not say it better."""

FIELDS = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    None,
    "quote_volume",
    "trades",
    "taker_buy_volume",
    "taker_buy_quote_volume",
)
"""The candle's field for each place of a row; None for the close time, which is not kept."""


def recorded(kind: str) -> Iterator[Any]:
    """The cases whose file name contains `kind`; one skipped case when there is no folder."""
    if not FOLDER:
        reason = "set RECORDED_PAYLOADS to a folder of recorded answers to run this"
        yield pytest.param({}, marks=pytest.mark.skip(reason=reason), id="none")
        return
    found = sorted(Path(FOLDER, "recorded", "binance").glob(f"*{kind}*.json"))
    if not found:
        raise FileNotFoundError(f"RECORDED_PAYLOADS: {FOLDER} holds no recorded/binance/*{kind}*.json")
    for path in found:
        yield pytest.param(json.loads(path.read_bytes()), id=path.stem)


def answer_of(case: dict[str, Any]) -> Answer:
    """The answer as it came over the wire."""
    response = case["response"]
    text = response.encode() if isinstance(response, str) else json.dumps(response).encode()
    return Answer(case["status"], {}, text)


@pytest.mark.parametrize("case", list(recorded("spot_klines")))
def test_recorded_candles_are_read_with_their_values(case: dict[str, Any]) -> None:
    answer = answer_of(case)
    assert failure(answer) is None
    candles = parse_candles(answer.body)
    assert len(candles) == len(case["response"]) == case.get("expect", {}).get("rows", len(candles))
    for candle, row in zip(candles, case["response"], strict=True):
        expected = {name: float(text) for name, text in zip(FIELDS, row, strict=False) if name}
        assert msgspec.structs.asdict(candle) == expected


@pytest.mark.parametrize("case", list(recorded("error")))
def test_recorded_refusals_say_what_the_caller_should_do(case: dict[str, Any]) -> None:
    response = case["response"]
    unknown = isinstance(response, dict) and response["code"] == -1121
    error = failure(answer_of(case))
    assert type(error) is (UnknownSymbol if unknown else KINDS[case["status"]])
    if isinstance(response, dict):
        assert response["msg"] in str(error)
