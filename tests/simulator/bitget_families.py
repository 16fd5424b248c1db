"""In what Bitget's spot and mix candles differ: paths, spellings, rows, caps. Facts only.

Source: https://www.bitget.com/api-doc/spot/market/Get-Candle-Data, .../Get-History-Candle-Data and
.../contract/market/Get-Candle-Data, .../Get-History-Candle-Data. Rows as they are sent, spot and mix:
["1656604800000","37834.5","37849.5","37773.5","37773.5","428.3462","16198849.1079","16198849.1079"]
["1790782740000","84128.2","84199.9","84123.8","84192.8","22.4343","1888400.63673"]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tests.simulator.decimals import trimmed
from tests.simulator.intervals import GRIDS, Grid
from tests.simulator.markets import INDEX, MARK
from tests.simulator.pages import Render
from tests.simulator.rows import Row
from tests.simulator.times import DAY, HOUR, MINUTE

HONG_KONG = 8 * HOUR
"""Candles of six hours and more open on this clock, ms east of UTC, unless their name ends in `utc`."""

UTC = {
    "6Hutc": GRIDS["6h"],
    "12Hutc": GRIDS["12h"],
    "1Dutc": GRIDS["1d"],
    "3Dutc": GRIDS["3d"],
    "1Wutc": GRIDS["1w"],
    "1Mutc": GRIDS["1M"],
}

RETENTION = {
    **{minutes * MINUTE: 30 * DAY for minutes in (1, 3, 5, 15, 30)},
    HOUR: 60 * DAY,
    2 * HOUR: 120 * DAY,
    4 * HOUR: 240 * DAY,
    6 * HOUR: 360 * DAY,
    12 * HOUR: 720 * DAY,
    DAY: 1440 * DAY,
    3 * DAY: 4320 * DAY,
    7 * DAY: 10_080 * DAY,
    28 * DAY: 43_200 * DAY,
}
"""How far back (ms) recent candles reach, by the step of the grid (ms)."""


@dataclass(frozen=True, slots=True)
class Family:
    """Spot or mix.

    `spelled` is the list in the error of a wrong granularity, which omits some that are served. `longest`
    is the most rows of an answer for a step (ms). `widest` is how far apart (ms) the two bounds may be.
    `needed` are parameters beside symbol and granularity that must be sent.
    `render` prints rows.
    """

    kind: str
    grids: Mapping[str, Grid]
    spelled: str
    longest: Callable[[int], int]
    widest: int | None
    needed: tuple[str, ...]
    history_needs_end: bool
    render: Render


def spot_row(candle: Row, _: int) -> bytes:
    """Print a spot candle: base volume, turnover in USDT, quote volume. All quotes count as USDT here."""
    turnover = trimmed(candle.quote_volume)
    return f'[{_prices(candle)},"{trimmed(candle.volume)}","{turnover}","{turnover}"]'.encode()


def mix_row(candle: Row, _: int) -> bytes:
    """Print a contract's candle: base volume, quote volume."""
    return f'[{_prices(candle)},"{trimmed(candle.volume)}","{trimmed(candle.quote_volume)}"]'.encode()


def unvolumed_row(candle: Row, _: int) -> bytes:
    """Print a mark, index or premium candle, which has no volumes."""
    return f'[{_prices(candle)},"0","0"]'.encode()


def _prices(candle: Row) -> str:
    texts = [trimmed(text) for text in candle[1:5]]
    return '"{}","{}","{}","{}","{}"'.format(candle.open_time, *texts)


def _grids(minute: str, hour: str, longer: tuple[str, str, str], hours: tuple[int, ...]) -> dict[str, Grid]:
    day, days, week = longer
    return {
        **{f"{count}{minute}": GRIDS[f"{count}m"] for count in (1, 3, 5, 15, 30)},
        **{f"{count}{hour}": GRIDS[f"{count}h"] for count in hours},
        **{f"{count}{hour}": GRIDS[f"{count}h"].shifted(HONG_KONG) for count in (6, 12)},
        day: GRIDS["1d"].shifted(HONG_KONG),
        days: GRIDS["3d"].shifted(HONG_KONG),
        week: GRIDS["1w"].shifted(HONG_KONG),
        "1M": GRIDS["1M"].shifted(HONG_KONG),
        **UTC,
    }


def _longest_on_spot(step: int) -> int:
    return {DAY: 300}.get(step, 100 if step > DAY else 1000)


def _longest_on_mix(step: int) -> int:
    """An answer spans 90 days at most."""
    return -(-90 * DAY // step)


SPOT = Family(
    kind="spot",
    grids=_grids("min", "h", ("1day", "3day", "1week"), (1, 4)),
    spelled="[1min,3min,5min,15min,30min,1h,4h,6h,12h,1day,1week,1M,6Hutc,12Hutc,1Dutc,3Dutc,1Wutc,1Mutc]",
    longest=_longest_on_spot,
    widest=None,
    needed=(),
    history_needs_end=True,
    render=spot_row,
)

MIX = Family(
    kind="perpetual",
    grids=_grids("m", "H", ("1D", "3D", "1W"), (1, 2, 4)),
    spelled="[1m,3m,5m,15m,30m,1H,4H,6H,12H,1D,1W,1M,6Hutc,12Hutc,1Dutc,3Dutc,1Wutc,1Mutc]",
    longest=_longest_on_mix,
    widest=90 * DAY,
    needed=("productType",),
    history_needs_end=False,
    render=mix_row,
)

PRICES = {
    "mark": replace(MIX, kind=MARK, render=unvolumed_row),
    "index": replace(MIX, kind=INDEX, render=unvolumed_row),
    "premium": replace(MIX, render=unvolumed_row),
}
"""The families of prices that nobody trades at, by `kLineType`; any other word means trades."""
