"""Sizes are told also of series that somebody forgets while others are measured."""

from __future__ import annotations

from backend.core.series import Series
from backend.services.reading.sizes import Sizes
from tests.fakes import BTC, FakeClock, MemoryCandles, minute

ETH = Series("binance", "spot", "ETHUSDT")


class ForgetfulCandles(MemoryCandles):
    """While it measures, the sizes are told that no series is stored any more."""

    sizes: Sizes

    async def bytes_on_disk(self, series: Series) -> int:
        self.sizes.forget_all_but(())
        return len(series.symbol)


async def test_what_is_forgotten_meanwhile_is_told_all_the_same() -> None:
    candles = ForgetfulCandles()
    sizes = candles.sizes = Sizes(candles, FakeClock(minute(0)))
    assert (await sizes.of([BTC]))[BTC].bytes_on_disk == 7
    told = await sizes.of([BTC, ETH])
    assert [one.bytes_on_disk for one in told.values()] == [7, 7]
    assert list(told) == [BTC, ETH]
