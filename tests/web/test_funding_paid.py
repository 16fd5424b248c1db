"""What positions paid, as the exchanges tell it: all of it once, whatever pages it comes in."""

from __future__ import annotations

import pytest

from backend.clock import parse_time
from backend.core.series import Series
from backend.core.windows import DAY, HOUR
from backend.services.service import Service
from tests.simulator.bitget_quotes import FUNDED, paid_at

START = parse_time("2024-01-01T00:00Z")


@pytest.mark.parametrize("exchange", ["bitget", "bingx"])
@pytest.mark.parametrize("days", [1, 100, 400])
async def test_all_that_was_paid_is_told_once(service: Service, exchange: str, days: int) -> None:
    """Bitget pages by number and knows no times; BingX cuts at 1,000 rows, and says now and then that there
    are none."""
    series = Series(exchange, "perpetual", "BTCUSDT")
    start, end = START + HOUR, START + days * DAY
    found = await service.reading.quotes.funding_paid(series, start, end)
    times = range(START + FUNDED, end, FUNDED)
    assert [(one.time, format(one.rate, "f")) for one in found] == [(time, paid_at(time)) for time in times]


@pytest.mark.parametrize("days", [1, 100])
async def test_extended_pays_each_hour(service: Service, days: int) -> None:
    series = Series("extended", "perpetual", "BTC-USD")
    start, end = START + 200 * DAY, START + (200 + days) * DAY
    found = await service.reading.quotes.funding_paid(series, start, end)
    times = range(start, end, HOUR)
    assert [(one.time, format(one.rate, "f")) for one in found] == [(time, paid_at(time)) for time in times]
    comes = (await service.reading.quotes.funding(series)).said
    assert comes is not None
    assert (comes.every, format(comes.rate, "f")) == (HOUR, "0.000013")


async def test_before_the_listing_nothing_was_paid(service: Service) -> None:
    series = Series("bingx", "perpetual", "BTCUSDT")
    assert list(await service.reading.quotes.funding_paid(series, 0, DAY)) == []


@pytest.mark.parametrize("series", [Series("bitget", "spot", "BTCUSDT"), Series("bingx", "spot", "BTCUSDT")])
async def test_on_spot_nothing_is_paid(service: Service, series: Series) -> None:
    assert list(await service.reading.quotes.funding_paid(series, START, START + DAY)) == []
