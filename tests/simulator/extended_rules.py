"""What the simulator of Extended assumes where Extended's documents are silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ExtendedRules:
    """Settings of the simulated Extended; the defaults are the likelier or the harsher reading.

    `limit` requests (None for no limit) in the latest `window` ms, all endpoints together. A request without
    a `User-Agent` is refused where `user_agent_required`, one for candles without a limit where
    `limit_required` (else it gets 100), one with a limit over the maximum where `limit_refused` (else it is
    cut). Pages of an interval hold at most its `page_caps`, as the real service was seen to do.
    `end_included`: whether a candle that opens at `endTime` is in the page; `forming`: whether the one that
    is not over is. Candles older than `retention` ms (None for all) are absent.
    """

    limit: int | None = 1000
    window: int = 60_000
    user_agent_required: bool = True
    limit_required: bool = True
    limit_refused: bool = False
    page_caps: Mapping[str, int] = field(default_factory=lambda: {"PT1M": 2800})
    end_included: bool = True
    forming: bool = True
    retention: int | None = None
