"""The candles that a socket sends at once when a channel is subscribed to."""

from __future__ import annotations

from tests.simulator.archive import Archive
from tests.simulator.intervals import Grid
from tests.simulator.markets import Market
from tests.simulator.rows import Row

ROWS = 500
"""Three published samples begin 499 periods before they were sent."""


def snapshot_rows(archive: Archive, market: Market, grid: Grid) -> list[Row]:
    """Return the newest candles, oldest first, as the REST interface has them; the forming one is last."""
    end = archive.finished_until(grid)
    end = grid.floor(end + grid.step - 1)
    closed = archive.candles(market.symbol, grid, end - (ROWS - 1) * grid.step, end)
    forming = archive.forming(market, grid)
    return closed if forming is None else [*closed, forming]
