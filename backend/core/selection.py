"""A selection of candles to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.core.interval import ONE_MINUTE, Interval
from backend.core.windows import Window

Fill = Literal["previous"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which candles of a series are wanted.

    `window` bounds their open times, whatever the interval: a candle is always made of all its minutes.
    `limit` counts from the beginning, or from the end with `newest`. `fill` puts marked flat candles into
    holes, after the first stored candle and before the last one, as "previous" says: at the close of the one
    before. `forming` includes the candle whose end nobody has asked the exchange for yet.
    """

    window: Window
    interval: Interval = ONE_MINUTE
    limit: int | None = None
    newest: bool = False
    forming: bool = False
    fill: Fill | None = None
