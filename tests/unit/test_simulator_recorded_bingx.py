"""BingX and Extended in the simulator against recorded answers, where a folder of them is at hand."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.simulator import BingxRules, Faults, Quirks, Simulator, SimulatorClock
from tests.simulator.asking import Reply, ask
from tests.simulator.times import parse_instant

FOLDER = os.environ.get("RECORDED_PAYLOADS")
pytestmark = pytest.mark.skipif(not FOLDER, reason="RECORDED_PAYLOADS names no folder of recorded answers")
NOON = parse_instant("2025-06-03T12:00Z")


def recorded(exchange: str, case: str) -> Any:
    return json.loads((Path(FOLDER or "") / "recorded" / exchange / f"{case}.json").read_text())


async def replayed(url: str, changes: Mapping[str, object] | None = None, now: int = NOON) -> Reply:
    """Ask a simulator that refuses empty windows what the recorded URL asked, with changed parameters."""
    faults = Faults(quirks=Quirks(bingx=BingxRules(spot_empty_refused=True)))
    parts = urlsplit(url)
    async with Simulator(clock=SimulatorClock(now, frozen=True), faults=faults) as simulator:
        return await ask(simulator, parts.path, {**dict(parse_qsl(parts.query)), **(changes or {})})


def untimed(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with its timestamp blanked."""
    return {name: 0 if name == "timestamp" else value for name, value in answer.items()}


@pytest.mark.parametrize(
    ("case", "limit"), [("spot_kline_1m_5rows_2023", 5), ("spot_v2_kline_1h_with_forming_row", 10)]
)
async def test_spot_rows_have_the_recorded_shape_and_open_times(case: str, limit: int) -> None:
    real = recorded("bingx", case)["response"]
    span = real["data"][0][6] - real["data"][0][0] + 1
    url = "https://open-api.bingx.com/openApi/spot/v2/market/kline"
    interval = {60_000: "1m", 3_600_000: "1h"}[span]
    asked = {"symbol": "BTC-USDT", "interval": interval, "limit": limit}
    ours = (await replayed(url, asked, real["timestamp"])).json
    assert list(ours) == list(real)
    assert ours["timestamp"] == real["timestamp"]
    assert [(row[0], row[6]) for row in ours["data"]] == [(row[0], row[6]) for row in real["data"]][:limit]
    assert {len(row) for row in ours["data"]} == {len(row) for row in real["data"]}
    assert not any(isinstance(slot, str) for row in [*ours["data"], *real["data"]] for slot in row)


async def test_swap_rows_have_the_recorded_shape_and_open_times() -> None:
    answer = recorded("bingx", "swap_v3_klines_1h_linear")
    real = answer["response"]
    ours = (await replayed(answer["url"], now=real["data"][0]["time"] + 900_000)).json
    assert list(ours) == list(real)
    assert [list(row) for row in ours["data"]] == [list(row) for row in real["data"]]
    assert [row["time"] for row in ours["data"]] == [row["time"] for row in real["data"]]
    kinds = [{type(value) for name, value in row.items() if name != "time"} for row in real["data"]]
    assert [{type(v) for n, v in row.items() if n != "time"} for row in ours["data"]] == kinds


async def test_mark_price_rows_have_the_recorded_keys() -> None:
    answer = recorded("bingx", "swap_v1_mark_price_klines")
    ours = (await replayed(answer["url"], {"symbol": "BTC-USDT", "interval": "1m", "limit": 1})).json
    assert [list(row) for row in ours["data"]] == [list(row) for row in answer["response"]["data"]]


@pytest.mark.parametrize("case", ["error_109425_symbol_not_exist", "error_109400_symbol_suffix"])
async def test_swap_errors_have_the_recorded_body(case: str) -> None:
    """The recorded requests asked for the order book; the candles share its checks."""
    answer = recorded("bingx", case)
    url = answer["url"].replace("/v2/quote/depth", "/v3/quote/klines")
    reply = await replayed(url, {"interval": "1m"})
    assert (reply.status, reply.json) == (answer["status"], answer["response"])


@pytest.mark.parametrize(
    ("case", "params"),
    [
        ("error_100204_symbol_not_found", {"interval": "1m"}),
        ("error_100204_empty_msg", {"interval": "1m", "startTime": NOON + 60_000}),
    ],
)
async def test_spot_errors_have_the_recorded_body(case: str, params: dict[str, object]) -> None:
    answer = recorded("bingx", case)
    reply = await replayed(answer["url"], params)
    assert (reply.status, untimed(reply.json)) == (answer["status"], untimed(answer["response"]))


async def test_a_window_too_wide_has_the_recorded_text() -> None:
    answer = recorded("bingx", "error_100204_date_too_wide")
    reply = await replayed(answer["url"], {"symbol": "BTC-USDT", "interval": "1d", "startTime": 0})
    assert {name: reply.json[name] for name in answer["response"]} == answer["response"]


@pytest.mark.parametrize("case", ["error_100400_unknown_path", "error_104414_http_400"])
async def test_other_errors_have_the_recorded_body(case: str) -> None:
    answer = recorded("bingx", case)
    reply = await replayed(answer["url"])
    assert (reply.status, reply.json) == (answer["status"], answer["response"])


async def test_headers_count_as_recorded() -> None:
    answer = recorded("bingx", "headers_rate_limit")
    reply = await replayed(answer["url"])
    assert {name: reply.headers[name] for name in answer["headers"]} == answer["headers"]


async def test_extended_candles_have_the_recorded_keys() -> None:
    answer = recorded("extended", "candles_shape_reference")
    ours = (await replayed(answer["url"])).json
    (real,) = answer["response"]["data"]
    assert list(ours) == list(answer["response"])
    assert [(name, type(value)) for name, value in ours["data"][0].items()] == [
        (name, type(value)) for name, value in real.items()
    ]


async def test_extended_errors_have_the_recorded_keys() -> None:
    answer = recorded("extended", "error_1123_quantity_precision")
    ours = (await replayed("https://api.starknet.extended.exchange/api/v1/info/markets?market=NOPE-USD")).json
    assert list(ours) == list(answer["response"])
    assert list(ours["error"]) == list(answer["response"]["error"])
