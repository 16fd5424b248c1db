"""What the simulator of BingX assumes where BingX's documents are silent or contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.simulator.times import DAY, MINUTE


@dataclass(frozen=True, slots=True)
class BingxRules:
    """Settings of the simulated BingX; the defaults are the likelier or the harsher reading.

    Limits: `limit` requests (None for no limit) in a fixed window of `window` ms that starts with its first
    request, one counter for each endpoint, or one for all when `pooled`. Who goes over it is refused there
    for `block` ms (0: until the window ends) with `refusal_status` and code 100410, and after `patience`
    refused requests at every endpoint for `ban` ms with 418. The documents name 429 and 100410 without
    saying which comes with which, five minutes for the release, and no number of patience.

    Bounds: whether `startTime` and `endTime` belong to the window. `forward` keeps the oldest candles
    instead of the newest ones where only a start is sent. `inverted_refused` answers a start after the end
    with an error instead of an empty list.

    Sizes: `swap_limit_refused` answers a limit over the maximum with 109400 instead of cutting it.
    `spot_widest` is the longest window in ms (None for any) before 100204; `spot_empty_refused` answers an
    empty window with 100204 too.

    Retention: how far back (ms from now) the candles of an interval reach; intervals not named reach back to
    the listing. One collector saw only seven days of spot minutes.
    """

    limit: int | None = 500
    window: int = 10_000
    pooled: bool = False
    block: int = 5 * MINUTE
    patience: int = 10
    ban: int = 5 * MINUTE
    refusal_status: int = 429
    spot_start_included: bool = False
    spot_end_included: bool = False
    swap_start_included: bool = True
    swap_end_included: bool = False
    forward: bool = False
    inverted_refused: bool = False
    swap_limit_refused: bool = False
    spot_widest: int | None = 380 * DAY
    spot_empty_refused: bool = False
    spot_retention: Mapping[str, int] = field(default_factory=lambda: {"1m": 7 * DAY})
    swap_retention: Mapping[str, int] = field(default_factory=dict)
