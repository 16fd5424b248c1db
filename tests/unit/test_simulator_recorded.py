"""The simulator against answers recorded from the real exchange, where a folder of them is at hand."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.simulator import Faults, Forced, Simulator, SimulatorClock
from tests.simulator.asking import ask, klines
from tests.simulator.times import parse_instant, parse_window

FOLDER = os.environ.get("RECORDED_PAYLOADS")
pytestmark = pytest.mark.skipif(not FOLDER, reason="RECORDED_PAYLOADS names no folder of recorded answers")
OUTAGE = parse_window("2020-06-28T02:00Z/2020-06-28T05:30Z")
"""Binance spot had no candles then, and the recorded pages show it."""
NOON = parse_instant("2025-06-03T12:00Z")


def recorded(case: str) -> Any:
    path = Path(FOLDER or "") / "recorded" / "binance" / f"{case}.json"
    return json.loads(path.read_text())


def shape(row: list[Any]) -> list[tuple[type, int]]:
    """Return each slot's type and how many decimals its text has."""
    return [(type(slot), len(str(slot).partition(".")[2])) for slot in row]


@pytest.mark.parametrize(
    ("case", "interval"),
    [
        ("spot_klines_1m_2026_latest_5", "1m"),
        ("spot_klines_1m_start_equals_end", "1m"),
        ("spot_klines_1m_unaligned_window", "1m"),
        ("spot_klines_5m_latest_24", "5m"),
        ("spot_klines_1h_full_page_1000", "1h"),
        ("spot_klines_1d_ethbtc_6", "1d"),
    ],
)
async def test_rows_have_the_recorded_shape(case: str, interval: str) -> None:
    real = recorded(case)["response"]
    async with Simulator(clock=SimulatorClock(NOON, frozen=True)) as simulator:
        ours = await klines(simulator, interval=interval, limit=3)
    assert {tuple(shape(row)) for row in real} == {tuple(shape(row)) for row in ours}
    assert {row[6] - row[0] for row in real} == {row[6] - row[0] for row in ours}


@pytest.mark.parametrize(
    "case",
    [
        "spot_klines_1m_start_equals_end",
        "spot_klines_1m_unaligned_window",
        "spot_klines_5m_window_with_limit_is_start_anchored",
        "spot_klines_1h_full_page_1000",
        "spot_klines_1h_last_page_468",
    ],
)
async def test_a_recorded_window_gives_the_recorded_open_times(case: str) -> None:
    answer = recorded(case)
    path, _, query = answer["url"].removeprefix("https://api.binance.com").partition("?")
    clock = SimulatorClock(NOON, frozen=True)
    async with Simulator(clock=clock, faults=Faults(outages=[OUTAGE])) as simulator:
        rows = (await ask(simulator, f"{path}?{query}")).json
    assert [row[0] for row in rows] == [row[0] for row in answer["response"]]


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("error_1003_spot_weight_1200", 429),
        ("error_418_ip_banned", 418),
        ("error_451_restricted_location", 451),
    ],
)
async def test_refusals_have_the_recorded_code_and_wording(case: str, status: int) -> None:
    answer = recorded(case)
    async with Simulator(faults=Faults(forced=Forced(status))) as simulator:
        reply = await ask(simulator, "/api/v3/ping")
    assert (reply.status, reply.json["code"]) == (answer["status"], answer["response"]["code"])
    opening = re.split(r"\d+", answer["response"]["msg"])[0]
    assert reply.json["msg"].startswith(opening)


async def test_a_firewall_answers_html_as_recorded() -> None:
    answer = recorded("error_403_cloudfront_html")
    async with Simulator(faults=Faults(forced=Forced(403))) as simulator:
        reply = await ask(simulator, "/api/v3/ping")
    assert reply.status == answer["status"]
    assert "ERROR: The request could not be satisfied" in answer["response"]
    assert "ERROR: The request could not be satisfied" in reply.text


async def test_an_unknown_symbol_has_the_recorded_body() -> None:
    answer = recorded("usdm_error_1121_invalid_symbol")
    async with Simulator() as simulator:
        reply = await ask(simulator, "/api/v3/klines", {"symbol": "BTCUSD_201225", "interval": "1m"})
    assert (reply.status, reply.json) == (answer["status"], answer["response"])


async def test_rate_limits_have_the_recorded_fields() -> None:
    real = recorded("spot_exchangeinfo_ratelimits_excerpt")["response"]
    async with Simulator() as simulator:
        ours = (await ask(simulator, "/api/v3/exchangeInfo")).json
    assert ours["timezone"] == real["timezone"]
    assert [set(limit) for limit in ours["rateLimits"]] == [set(limit) for limit in real["rateLimits"]]
    assert ours["rateLimits"][0] == real["rateLimits"][0]
