"""A small client of the simulated BingX for tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.simulator.asking import Reply, ask
from tests.simulator.bingx_rules import BingxRules
from tests.simulator.clock import SimulatorClock
from tests.simulator.faults import Faults
from tests.simulator.markets import Market
from tests.simulator.quirks import Quirks
from tests.simulator.server import Simulator
from tests.simulator.times import MINUTE, parse_instant

NOON = parse_instant("2025-06-03T12:00Z")
FORMING = NOON
"""With the clock at NOON + 30 s this minute is half done."""
SPOT = "/openApi/spot/v1/market/kline"
SPOT_PATHS = [SPOT, "/openApi/spot/v2/market/kline", "/openApi/market/his/v1/kline"]
SWAP = "/openApi/swap/v3/quote/klines"
SWAP_PATHS = [SWAP, "/openApi/swap/v2/quote/klines"]
MARK = "/openApi/swap/v1/market/markPriceKlines"


def at_noon(
    rules: BingxRules | None = None, markets: Iterable[Market] | None = None, **faults: Any
) -> Simulator:
    """Return a simulator whose clock stands still half a minute after noon."""
    switched = Faults(quirks=Quirks(bingx=rules or BingxRules()), **faults)
    return Simulator(markets, SimulatorClock(NOON + 30_000, frozen=True), switched)


async def asked(simulator: Simulator, path: str, **params: str | int) -> Reply:
    """Get a candle endpoint, minutes of BTC-USDT unless other parameters are named."""
    return await ask(simulator, path, {"symbol": "BTC-USDT", "interval": "1m", **params})


async def candles(simulator: Simulator, path: str, **params: str | int) -> Any:
    """Return the rows of a candle endpoint that answers with success."""
    reply = await asked(simulator, path, **params)
    assert (reply.status, reply.json["code"]) == (200, 0), reply.text
    return reply.json["data"]


def open_times(rows: list[Any]) -> list[int]:
    """Return the open times of spot, swap or mark price rows."""
    return [row[0] if isinstance(row, list) else row.get("time", row.get("openTime")) for row in rows]


def minutes(*before: int) -> list[int]:
    """Return the open times so many minutes before noon."""
    return [NOON - n * MINUTE for n in before]
