"""What the simulator of Bitget assumes where Bitget's documents and recorded answers leave a choice."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulator.times import DAY, MINUTE


@dataclass(frozen=True, slots=True)
class BitgetRules:
    """Settings of the simulated Bitget; the defaults are what the reference assumes.

    Limits: `each` requests a second for an endpoint and `all` a minute over everything (None for no limit);
    a breach of the latter is refused for `block` ms.

    Bounds: recent candles take `startTime` as a lower bound unless `start_ignored`, and leave out the candle
    that opens there where `start_excluded`; history takes it as one only where `history_start`. Mix rounds
    `endTime` down to the grid where `end_floored`, so that it excludes one candle more. History sends one
    candle more for an `endTime` off the grid where `extra_candle`.

    Removal: `removed_after` ms without trading, a market leaves the lists and its symbol answers 40309.
    """

    each: int | None = 20
    all: int | None = 6000
    block: int = 5 * MINUTE
    start_ignored: bool = False
    start_excluded: bool = False
    history_start: bool = False
    end_floored: bool = False
    extra_candle: bool = False
    removed_after: int = DAY
