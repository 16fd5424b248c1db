"""Pages of BingX candles, newest first, for the spot and the swap endpoints alike."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulator.archive import FOREVER, Archive
from tests.simulator.bingx_params import Params
from tests.simulator.bingx_rules import BingxRules
from tests.simulator.intervals import Grid
from tests.simulator.markets import Market
from tests.simulator.pages import Pages, Render, Selection


class Failed(Exception):
    """The candles asked for lie in a failing window."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A request's times in ms UTC, None where they were not sent, and whether they are in the window."""

    start: int | None
    end: int | None
    start_included: bool
    end_included: bool

    @property
    def first(self) -> int:
        """Return the earliest open time."""
        return 0 if self.start is None else self.start + (not self.start_included)

    @property
    def last(self) -> int:
        """Return the latest open time."""
        return FOREVER if self.end is None else self.end - (not self.end_included)

    def checked(self, params: Params, rules: BingxRules) -> Bounds:
        """Return the bounds; reject inverted ones where the rules have it."""
        inverted = self.start is not None and self.end is not None and self.start > self.end
        if inverted and rules.inverted_refused:
            raise params.wrong("startTime", "must be before endTime.")
        return self


class Candles:
    """The candles of one market kind."""

    def __init__(self, archive: Archive, cached_chunks: int) -> None:
        self._archive = archive
        self._pages = Pages(archive, cached_chunks)

    def newest(
        self, market: Market, grid: Grid, wanted: Selection, retention: int | None, render: Render
    ) -> list[bytes]:
        """Return a page, newest first; of older candles than `retention` ms there are none."""
        faults, now = self._archive.faults, self._archive.clock.now()
        if retention is not None:
            wanted = Selection(max(wanted.start, now - retention), wanted.end, wanted.limit, wanted.newest)
        if faults.fails(*wanted.reach(market.listed, now, grid.step)):
            raise Failed
        if faults.strikes(faults.outside_rate):
            wanted = wanted.widened(2 * grid.step)
        return faults.disordered(self._pages.page(market, grid, wanted, render)[::-1])

    def selection(self, bounds: Bounds, limit: int, rules: BingxRules) -> Selection:
        """Return what is asked for: the newest candles of the window."""
        forward = rules.forward and bounds.start is not None and bounds.end is None
        cap = self._archive.faults.page_cap or limit
        return Selection(bounds.first, bounds.last, min(limit, cap), newest=not forward)
