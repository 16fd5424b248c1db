"""What the exchange really has: the source's minutes within a market's life, less outages, with revisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from tests.simulator.clock import SimulatorClock
from tests.simulator.faults import Faults
from tests.simulator.intervals import MINUTES, Grid
from tests.simulator.markets import Market, Minutes
from tests.simulator.rows import Numbers, Row, merged, numbers, so_far
from tests.simulator.times import BLOCK, MINUTE

FOREVER = 2**62


@lru_cache(maxsize=128)
def _block(minutes: Minutes, number: int) -> Sequence[Row]:
    """A block of a market's candles, for all simulators of this process."""
    return minutes.block(number)


class Archive:
    """The market data of one exchange and market kind; `market` and the like take a neutral symbol."""

    def __init__(self, markets: Iterable[Market], clock: SimulatorClock, faults: Faults) -> None:
        self._markets = {market.symbol: market for market in markets}
        self.clock = clock
        self.faults = faults

    def listed(self) -> list[Market]:
        """Return the markets whose trading has begun by the clock, delisted ones included."""
        now = self.clock.now()
        return [market for market in self._markets.values() if market.listed <= now]

    def named(self, markets: Iterable[Market]) -> list[Market]:
        """Return those of some markets that a list names."""
        left_out = {*self.faults.unlisted, *self.faults.refused}
        return [market for market in markets if market.symbol not in left_out]

    def served(self, symbol: str) -> Market | None:
        """Return the market of a symbol whose candles the API gives."""
        return None if symbol in self.faults.refused else self.market(symbol)

    def market(self, symbol: str) -> Market | None:
        """Return the market of a symbol, None when there is none (yet)."""
        market = self._markets.get(symbol)
        return market if market is not None and market.listed <= self.clock.now() else None

    def history(self, symbol: str, start: int, end: int) -> list[Numbers]:
        """Return the candles that open in [start, end) and are closed by the clock, oldest first."""
        until = min(end, self.finished_until(MINUTES))
        return [numbers(row) for row in self.minutes(self._markets[symbol], start, until)]

    def finished_until(self, grid: Grid) -> int:
        """Return the instant (ms UTC) before which every candle that opens is finished by the clock."""
        now = self.clock.now()
        return now - MINUTE + 1 if grid.step == MINUTE else grid.floor(now)

    def candles(self, symbol: str, grid: Grid, start: int, end: int) -> list[Row]:
        """Return the whole candles that open in [start, end), whatever the clock says."""
        market = self._markets[symbol]
        if grid.step == MINUTE:
            return self.minutes(market, start, end)
        rows = []
        open_time = grid.floor(start)
        while open_time < end:
            following = grid.following(open_time)
            if open_time >= start and (minutes := self.minutes(market, open_time, following)):
                rows.append(merged(open_time, minutes))
            open_time = following
        return rows

    def forming(self, market: Market, grid: Grid) -> Row | None:
        """Return the candle that is not finished by the clock, as far as it has got; None where nothing
        trades."""
        now = self.clock.now()
        rows = [
            so_far(row, now - row.open_time)
            for row in self.minutes(market, self.finished_until(grid), now + 1)
        ]
        if not rows:
            return None
        return rows[-1] if grid.step == MINUTE else merged(grid.floor(now), rows)

    def minutes(self, market: Market, start: int, end: int) -> list[Row]:
        """Return the one-minute candles that open in [start, end), whatever the clock says."""
        rows = self.traded(market, start, end)
        if start < end and self.faults.change(market.symbol, start, end):
            return self._changed(market.symbol, rows)
        return rows

    def traded(self, market: Market, start: int, end: int) -> list[Row]:
        """Return the one-minute candles that open in [start, end) as they traded, without outages and
        revisions."""
        start = max(start, market.listed)
        end = min(end, market.delisted or FOREVER)
        rows: list[Row] = []
        for number in range(start // BLOCK, -(-end // BLOCK)):
            block = _block(market.minutes, number)
            inside = start <= number * BLOCK and (number + 1) * BLOCK <= end
            rows.extend(block if inside else [row for row in block if start <= row[0] < end])
        return rows

    def _changed(self, symbol: str, rows: Iterable[Row]) -> list[Row]:
        return [self.faults.applied(symbol, row) for row in rows if not self.faults.is_absent(row)]
