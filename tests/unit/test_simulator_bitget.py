"""Candles of the simulated Bitget, spot and contracts: rows, bounds, retention, caps, granularities."""

from __future__ import annotations

import pytest

from tests.simulator import bitget_families
from tests.simulator.asking_bitget import (
    KINDS,
    MIX,
    NOON,
    NOW,
    SPOT,
    asked,
    opened,
    rows,
    simulator_at,
)
from tests.simulator.sparse import sparse_markets
from tests.simulator.times import DAY, HOUR, MINUTE, parse_instant

FAMILIES = pytest.mark.parametrize("family", [SPOT, MIX])


async def test_success_comes_in_an_envelope() -> None:
    async with simulator_at() as simulator:
        answer = (await asked(simulator, SPOT, limit=1)).json
    assert {name: answer[name] for name in ("code", "msg", "requestTime")} == {
        "code": "00000",
        "msg": "success",
        "requestTime": NOW,
    }


@pytest.mark.parametrize(("family", "slots"), [(SPOT, 8), (MIX, 7)])
async def test_a_row_is_all_strings_without_needless_zeros(family: str, slots: int) -> None:
    async with simulator_at() as simulator:
        page = await rows(simulator, family, limit=1000)
    assert {len(row) for row in page} == {slots}
    assert all(
        isinstance(text, str) and not (text.endswith("0") and "." in text) for row in page for text in row
    )
    assert all(row[6] == row[-1] for row in page)
    assert any(row[5:] == ["0"] * (slots - 5) for row in page)


@FAMILIES
async def test_rows_are_what_history_says(family: str) -> None:
    async with simulator_at() as simulator:
        page = await rows(simulator, family, endTime=NOON, limit=1000)
        history = simulator.history("BTCUSDT", NOON - 1000 * MINUTE, NOON, "bitget", KINDS[family])
        elsewhere = simulator.history("BTCUSDT", NOON - 1000 * MINUTE, NOON, "binance", KINDS[family])
    assert [(int(row[0]), *map(float, row[1:7])) for row in page] == [row[:7] for row in history]
    assert history != elsewhere


@FAMILIES
@pytest.mark.parametrize("name", ["candles", "history-candles"])
async def test_the_end_is_exclusive_and_the_newest_rows_are_kept_oldest_first(family: str, name: str) -> None:
    async with simulator_at() as simulator:
        aligned = await rows(simulator, family, name, endTime=NOON - 5 * MINUTE, limit=3)
        later = await rows(simulator, family, name, endTime=NOON - 5 * MINUTE + 1, limit=3)
        default = await rows(simulator, family, name, endTime=NOON)
    assert (opened(aligned), opened(later)) == ([-8, -7, -6], [-7, -6, -5])
    assert opened(default) == [*range(-100, 0)]


@FAMILIES
async def test_the_forming_candle_is_recent_but_never_history(family: str) -> None:
    async with simulator_at() as simulator:
        recent = await rows(simulator, family, limit=2)
        ahead = await rows(simulator, family, endTime=NOW + HOUR, limit=2)
        history = await rows(simulator, family, "history-candles", endTime=NOW + HOUR, limit=2)
        simulator.clock.set(NOON + MINUTE)
        closed = await rows(simulator, family, "history-candles", endTime=NOW + HOUR, limit=1)
    assert (opened(recent), opened(ahead), opened(history)) == ([-1, 0], [-1, 0], [-2, -1])
    assert opened(closed) == [0]


async def test_history_of_contracts_needs_no_end() -> None:
    async with simulator_at() as simulator:
        assert opened(await rows(simulator, MIX, "history-candles", limit=2)) == [-2, -1]


@FAMILIES
async def test_the_start_is_a_lower_bound_of_recent_candles_and_nothing_to_history(family: str) -> None:
    window = {"startTime": NOON - 3 * MINUTE + 1, "endTime": NOON, "limit": 5}
    async with simulator_at() as simulator:
        recent = await rows(simulator, family, "candles", **window)
        history = await rows(simulator, family, "history-candles", **window)
    assert opened(recent) == [-3, -2, -1]
    assert opened(history) == [-5, -4, -3, -2, -1]


@FAMILIES
async def test_the_undocumented_bounds_may_be_switched(family: str) -> None:
    window = {"startTime": NOON - 3 * MINUTE, "endTime": NOON - 1, "limit": 4}
    async with simulator_at(start_ignored=True, extra_candle=True) as simulator:
        assert opened(await rows(simulator, family, "candles", **window)) == [-4, -3, -2, -1]
        assert opened(await rows(simulator, family, "history-candles", **window)) == [-5, -4, -3, -2, -1]
    async with simulator_at(start_excluded=True, history_start=True) as simulator:
        assert opened(await rows(simulator, family, "candles", **window)) == [-2, -1]
        assert opened(await rows(simulator, family, "history-candles", **window)) == [-3, -2, -1]
    async with simulator_at(end_floored=True) as simulator:
        last = opened(await rows(simulator, family, "history-candles", **window))[-1]
    assert last == (-2 if family == MIX else -1)


@FAMILIES
async def test_recent_candles_reach_back_a_month_and_then_answer_an_empty_success(family: str) -> None:
    edge = NOW - 30 * DAY + 1000 * MINUTE
    async with simulator_at() as simulator:
        inside = await rows(simulator, family, endTime=edge, limit=1000)
        outside = await rows(simulator, family, endTime=edge - 1, limit=1000)
        smaller = await rows(simulator, family, endTime=edge - 1, limit=999)
        history = await rows(simulator, family, "history-candles", endTime=edge - 400 * DAY, limit=200)
    assert (len(inside), outside, len(smaller), len(history)) == (1000, [], 999, 200)


async def test_a_recorded_wide_window_is_empty_with_700_rows_and_full_with_600() -> None:
    window: dict[str, str | int] = {
        "granularity": "1h",
        "startTime": 1730419200000,
        "endTime": 1734019200000,
    }
    async with simulator_at(parse_instant("2025-01-15T12:00Z")) as simulator:
        assert await rows(simulator, SPOT, "candles", **window, limit=700) == []
        assert len(await rows(simulator, SPOT, "candles", **window, limit=600)) == 600


async def test_contracts_begin_with_their_own_first_minute() -> None:
    listed = parse_instant("2019-07-10T11:49Z")
    async with simulator_at() as simulator:
        page = await rows(simulator, MIX, "history-candles", endTime=listed + 2 * MINUTE)
        before = await rows(simulator, MIX, "history-candles", endTime=listed)
    assert ([int(row[0]) for row in page], before) == ([listed, listed + MINUTE], [])


@pytest.mark.parametrize(
    ("family", "granularity", "opening"),
    [
        (SPOT, "1day", "2025-06-02T16:00Z"),
        (SPOT, "1Dutc", "2025-06-03"),
        (SPOT, "6h", "2025-06-03T10:00Z"),
        (SPOT, "6Hutc", "2025-06-03T12:00Z"),
        (SPOT, "1week", "2025-06-01T16:00Z"),
        (SPOT, "1Wutc", "2025-06-02"),
        (SPOT, "4h", "2025-06-03T12:00Z"),
        (MIX, "1D", "2025-06-02T16:00Z"),
        (MIX, "1Dutc", "2025-06-03"),
        (MIX, "12H", "2025-06-03T04:00Z"),
        (MIX, "1M", "2025-05-31T16:00Z"),
        (MIX, "1Mutc", "2025-06-01"),
        (MIX, "2H", "2025-06-03T12:00Z"),
    ],
)
async def test_long_candles_open_on_hong_kong_time_unless_they_say_utc(
    family: str, granularity: str, opening: str
) -> None:
    async with simulator_at() as simulator:
        page = await rows(simulator, family, granularity=granularity, limit=1)
    assert int(page[0][0]) == parse_instant(opening)


async def test_an_answer_of_contracts_spans_ninety_days_at_most() -> None:
    async with simulator_at(markets=sparse_markets()) as simulator:
        days = await rows(simulator, MIX, granularity="1Dutc", limit=1000)
        weeks = await rows(simulator, MIX, "history-candles", granularity="1Wutc", limit=200)
    assert (len(days), len(weeks)) == (90, 13)


@pytest.mark.parametrize(
    ("family", "granularity", "most"),
    [
        (bitget_families.SPOT, "1Dutc", 300),
        (bitget_families.SPOT, "1week", 100),
        (bitget_families.MIX, "4H", 540),
        (bitget_families.MIX, "1M", 4),
    ],
)
def test_an_answer_holds_fewer_of_the_long_candles(
    family: bitget_families.Family, granularity: str, most: int
) -> None:
    assert family.longest(family.grids[granularity].step) == most


@pytest.mark.parametrize(
    ("kind", "volumes"), [("mark", ["0", "0"]), ("index", ["0", "0"]), ("MARK", None), ("market", None)]
)
async def test_only_lower_case_asks_for_a_series_without_volumes(
    kind: str, volumes: list[str] | None
) -> None:
    async with simulator_at() as simulator:
        (row,) = await rows(simulator, MIX, endTime=NOON, limit=1, kLineType=kind)
        (traded,) = await rows(simulator, MIX, endTime=NOON, limit=1)
    assert row[5:] == (volumes or traded[5:])
