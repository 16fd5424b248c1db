"""Extended's candles: newest first, up to an end, without a start.

Source: https://api.docs.extended.exchange/#get-candles-history. A row, `T` being its open time and `v` absent
from mark and index prices:
{"o":"75650","l":"75640","h":"75660.5","c":"75657.5","v":"1.20331","T":1777517820000}
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.simulator.answers import Answer
from tests.simulator.archive import FOREVER, Archive
from tests.simulator.decimals import trimmed
from tests.simulator.extended_answers import Rejected, page, refused, rejected
from tests.simulator.extended_rules import ExtendedRules
from tests.simulator.intervals import GRIDS, Grid
from tests.simulator.markets import Market
from tests.simulator.pages import Pages, Render, Selection
from tests.simulator.rows import Row

DEFAULT_LIMIT, MAXIMUM_LIMIT = 100, 10_000
INTERVALS = {
    "PT1M": GRIDS["1m"],
    "PT5M": GRIDS["5m"],
    "PT15M": GRIDS["15m"],
    "PT30M": GRIDS["30m"],
    "PT1H": GRIDS["1h"],
    "PT2H": GRIDS["2h"],
    "PT4H": GRIDS["4h"],
    "PT8H": GRIDS["8h"],
    "PT12H": GRIDS["12h"],
    "PT24H": GRIDS["1d"],
    "P1D": GRIDS["1d"],
    "P7D": GRIDS["1w"],
    "P30D": GRIDS["1M"],
}
"""Grids by spelling; weeks and months follow the calendar. The vendor's library says `P1D` for `PT24H`."""
NUMBER = re.compile(r"[0-9]{1,18}")


class ExtendedCandles:
    """The candle endpoint over an archive."""

    def __init__(self, archive: Archive, cached_chunks: int) -> None:
        self._archive = archive
        self._pages = Pages(archive, cached_chunks)

    def answer(self, market: Market, candle_type: str, params: Mapping[str, str]) -> Answer:
        """Return a page of a market's candles; the market is one of trades."""
        render = PRINTERS[candle_type]
        own = self._archive.market(market.symbol)
        assert own is not None
        market = own
        faults, now = self._archive.faults, self._archive.clock.now()
        grid, wanted = _grid(params), self._selection(params)
        if faults.fails(*wanted.reach(market.listed, now, grid.step)):
            return refused(500)
        if faults.strikes(faults.outside_rate):
            wanted = wanted.widened(2 * grid.step)
        return page(faults.disordered(self._pages.page(market, grid, wanted, render)[::-1]))

    def _selection(self, params: Mapping[str, str]) -> Selection:
        rules, now = self._archive.faults.quirks.extended, self._archive.clock.now()
        caps = (_limit(params, rules), rules.page_caps.get(params["interval"]), self._archive.faults.page_cap)
        limit = min(cap for cap in caps if cap is not None)
        end = _number(params, "endTime")
        last = FOREVER if end is None else end - (not rules.end_included)
        if not rules.forming:
            last = min(last, self._archive.finished_until(_grid(params)) - 1)
        return Selection(0 if rules.retention is None else now - rules.retention, last, limit, newest=True)


def row(candle: Row, _: int) -> bytes:
    """Print a candle of trades."""
    return f'{{{_prices(candle)},"v":"{trimmed(candle.volume)}","T":{candle.open_time}}}'.encode()


def price_row(candle: Row, _: int) -> bytes:
    """Print a candle of a price that nobody trades at, which has no volume."""
    return f'{{{_prices(candle)},"T":{candle.open_time}}}'.encode()


PRINTERS: Mapping[str, Render] = {"trades": row, "mark-prices": price_row, "index-prices": price_row}
"""How candles are printed, by candle type."""


def _prices(candle: Row) -> str:
    prices = {"o": candle.open, "l": candle.low, "h": candle.high, "c": candle.close}
    return ",".join(f'"{name}":"{trimmed(price)}"' for name, price in prices.items())


def _grid(params: Mapping[str, str]) -> Grid:
    interval = params.get("interval")
    if not interval:
        raise Rejected(422, 422, "Query parameter 'interval' is required.")
    if interval not in INTERVALS:
        raise rejected(1005)
    return INTERVALS[interval]


def _limit(params: Mapping[str, str], rules: ExtendedRules) -> int:
    limit = _number(params, "limit")
    if limit is None and rules.limit_required:
        raise Rejected(422, 422, "Query parameter 'limit' is required.")
    if limit == 0 or (rules.limit_refused and (limit or 0) > MAXIMUM_LIMIT):
        raise Rejected(400, 400, f"Query parameter 'limit' must be between 1 and {MAXIMUM_LIMIT}.")
    return min(DEFAULT_LIMIT if limit is None else limit, MAXIMUM_LIMIT)


def _number(params: Mapping[str, str], name: str) -> int | None:
    text = params.get(name)
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        raise Rejected(400, 400, f"Query parameter '{name}' must be a number.")
    return int(text)
