"""The simulated Bitget against answers recorded from the real one, where a folder of them is at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.simulator import Forced, Simulator, SimulatorClock
from tests.simulator.asking import ask

FOLDER = os.environ.get("RECORDED_PAYLOADS")
pytestmark = pytest.mark.skipif(not FOLDER, reason="RECORDED_PAYLOADS names no folder of recorded answers")


def recorded(case: str) -> Any:
    path = Path(FOLDER or "") / "recorded" / "bitget" / f"{case}.json"
    return json.loads(path.read_text())


async def answered(case: Any, now: int) -> Any:
    """Return what the simulator answers to the recorded question at that time."""
    async with Simulator(clock=SimulatorClock(now, frozen=True)) as simulator:
        reply = await ask(simulator, case["url"].removeprefix("https://api.bitget.com"))
    assert reply.status == case["status"]
    return reply.json


@pytest.mark.parametrize(
    "name",
    [
        "spot_history_candles_1h_10",
        "mix_candles_1h_usdt_futures_5",
        "mix_candles_1m_mark_zero_volume",
        "candles_wide_window_empty_success",
    ],
)
async def test_a_recorded_question_gets_the_recorded_open_times(name: str) -> None:
    case = recorded(name)
    real = case["response"]
    ours = await answered(case, real.get("requestTime", 1736942400000))
    assert [row[0] for row in ours["data"]] == [row[0] for row in real["data"]]
    assert {len(row) for row in ours["data"]} == {len(row) for row in real["data"]}
    assert {type(slot) for row in ours["data"] for slot in row} <= {str}
    assert (ours["code"], ours["msg"]) == (real["code"], real["msg"])


@pytest.mark.parametrize(
    "name",
    [
        "error_30032_v1_decommissioned",
        "error_40034_candles_v1_suffix",
        "error_40053_limit_over_1000",
    ],
)
async def test_a_recorded_refusal_has_the_recorded_code_and_wording(name: str) -> None:
    case = recorded(name)
    ours = await answered(case, 1790782740000)
    assert ours["code"] == case["response"]["code"]
    assert ours["msg"].startswith(case["response"]["msg"].rstrip("…"))


async def test_too_many_requests_have_the_recorded_body() -> None:
    case = recorded("error_429_too_many_requests")
    real = case["response"]
    async with Simulator(clock=SimulatorClock(real["requestTime"], frozen=True)) as simulator:
        simulator.faults.forced = Forced(429)
        reply = await ask(simulator, "/api/v2/mix/market/candles")
    assert (reply.status, reply.json) == (case["status"], real)
