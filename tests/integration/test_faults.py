"""Bad days at the exchange: each ends minute for minute equal to what the exchange has."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backend.clock import parse_time
from backend.core.windows import HOUR, MINUTE, Window
from backend.services.service import Service
from backend.settings import Settings
from tests.conftest import NOW
from tests.integration.stored import SERIES, stored_rows
from tests.simulator import Faults, Forced, Simulator
from tests.syncing import sync

START = parse_time("2025-05-20T00:00:00Z")
END = NOW - NOW % MINUTE


def faults(**changes: object) -> Callable[[Faults], None]:
    def switch(found: Faults) -> None:
        for name, value in changes.items():
            assert hasattr(found, name)
            setattr(found, name, value)

    return switch


BAD_DAYS = {
    "a page cap of 800 instead of 1000": faults(page_cap=800),
    "a page cap of 7 in a narrow window": faults(page_cap=7),
    "a tenth of the answers are 5xx": faults(error_rate=0.1),
    "a tenth of the connections are reset": faults(reset_rate=0.1),
    "a tenth of the answers are garbage": faults(garbage_rate=0.1),
    "rows out of order, twice, and from elsewhere": faults(
        unordered_rate=0.5, duplicate_rate=0.5, outside_rate=0.5
    ),
    "a 429 with a second to wait": faults(forced=Forced(429, count=3, retry_after=1)),
    "an outage of 33 hours": faults(outages=[(START + 100 * HOUR, START + 133 * HOUR)]),
    "outages at the edges of pages": faults(
        outages=[
            (START, START + MINUTE),
            (START + 999 * MINUTE, START + 1001 * MINUTE),
            (END - MINUTE, END),
        ]
    ),
    "all at once": faults(
        page_cap=700,
        error_rate=0.05,
        reset_rate=0.05,
        garbage_rate=0.05,
        unordered_rate=0.2,
        duplicate_rate=0.2,
        outside_rate=0.2,
        outages=[(START + 5 * HOUR, START + 5 * HOUR + 3 * MINUTE)],
    ),
}


@pytest.mark.parametrize("bad_day", BAD_DAYS.values(), ids=BAD_DAYS.keys())
async def test_a_bad_day_ends_equal_to_what_the_exchange_has(
    service: Service, simulator: Simulator, settings: Settings, bad_day: Callable[[Faults], None]
) -> None:
    bad_day(simulator.faults)
    start = END - 60 * MINUTE if simulator.faults.page_cap == 7 else START
    result = await sync(service, SERIES, start=start)
    assert (result.missing, result.error) == ((), None)
    expected = simulator.history("BTCUSDT", start, END)
    assert stored_rows(settings.mongodb_uri, settings.mongodb_database) == expected
    absent = sum(absence.window.minutes for absence in result.absent)
    assert len(expected) + absent == Window(start, END).minutes


async def test_hanging_answers_are_given_up_and_asked_for_again(
    service: Service, simulator: Simulator, settings: Settings
) -> None:
    simulator.faults.hang_rate = 0.15
    simulator.faults.hang_seconds = 0.2
    result = await sync(service, SERIES, start=START)
    assert (result.missing, result.error) == ((), None)
    assert stored_rows(settings.mongodb_uri, settings.mongodb_database) == simulator.history(
        "BTCUSDT", START, END
    )


async def test_before_its_listing_a_symbol_is_not_asked_for_page_by_page(
    service: Service, simulator: Simulator
) -> None:
    start = parse_time("2017-08-01T00:00:00Z")
    result = await sync(service, SERIES, start=start, end=parse_time("2017-08-17T05:00:00Z"))
    assert (result.tally.new_records, result.missing, result.absent) == (60, (), ())
    asked = [record.path.rsplit("/", 1)[1] for record in simulator.requests]
    assert [path for path in asked if path != "exchangeInfo"] == ["time"] * 2 + ["klines"] * 3


async def test_a_ban_in_mid_sync_ends_it_with_what_came(service: Service, simulator: Simulator) -> None:
    await sync(service, SERIES, start=START, end=START + HOUR)
    simulator.faults.forced = Forced(418, count=1, retry_after=900)
    result = await sync(service, SERIES, start=START)
    assert result.error is not None
    assert (result.error.code, result.error.retry_after) == ("banned", 900)
    assert result.missing
    assert result.statistics.total_records >= 60
