"""A small client of the simulated Bitget for tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.simulator.asking import Reply, ask
from tests.simulator.bitget_rules import BitgetRules
from tests.simulator.clock import SimulatorClock
from tests.simulator.faults import Faults
from tests.simulator.markets import Market
from tests.simulator.quirks import Quirks
from tests.simulator.server import Simulator
from tests.simulator.times import MINUTE, parse_instant

NOON = parse_instant("2025-06-03T12:00Z")
NOW = NOON + 30_000
SPOT, MIX = "/api/v2/spot/market", "/api/v2/mix/market"
ASKED: dict[str, dict[str, str]] = {
    SPOT: {"symbol": "BTCUSDT", "granularity": "1min"},
    MIX: {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "granularity": "1m"},
}
KINDS = {SPOT: "spot", MIX: "perpetual"}


def simulator_at(now: int = NOW, markets: Iterable[Market] | None = None, **rules: Any) -> Simulator:
    """A Bitget whose clock stands still, with the rules changed that are named."""
    faults = Faults(quirks=Quirks(bitget=BitgetRules(**rules)))
    return Simulator(markets, SimulatorClock(now, frozen=True), faults)


async def asked(simulator: Simulator, family: str, name: str = "candles", **params: str | int) -> Reply:
    """Get one of a family's candle endpoints, with the usual parameters unless others are named."""
    return await ask(simulator, f"{family}/{name}", {**ASKED[family], **params})


async def rows(simulator: Simulator, family: str, name: str = "candles", **params: str | int) -> list[Any]:
    """Return the rows of a candle endpoint that answers with success."""
    reply = await asked(simulator, family, name, **params)
    assert (reply.status, reply.json["code"]) == (200, "00000"), reply.text
    data: list[Any] = reply.json["data"]
    return data


def opened(page: list[Any]) -> list[int]:
    """Return the open times in minutes from NOON."""
    return [(int(row[0]) - NOON) // MINUTE for row in page]
