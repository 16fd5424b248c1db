"""The symbols that a market lists: a copy answers at once, and is refreshed in the background.

The list is a hint. It has the spelling and the state of symbols. Only a candle request shows whether a symbol
has candles. So if our spelling is the venue's, no candle request waits for the list.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from backend.clock import Clock
from backend.core.series import Listing
from backend.errors import ExchangeError, ExchangeUnavailable

log = logging.getLogger(__name__)

LISTING_LASTS = 3600.0
NEW_LISTING_LASTS = 60.0
"""Lifetime of a copy, in seconds: normally, and when a requested symbol is not in it."""

LISTING_SECONDS = 20.0
"""Longest time of one reading, in seconds."""

RELISTING_PAUSE = 60.0
FIRST_LISTING_PAUSE = 2.0
"""Seconds to wait after a failed reading: with a copy, and without one.
"""


class Listings:
    """The copy of one market. At most one reading runs; all callers wait for the same one."""

    def __init__(self, read: Callable[[], Awaitable[Sequence[Listing]]], clock: Clock, exchange: str) -> None:
        self._read = read
        self._clock = clock
        self._exchange = exchange
        self._copy: Mapping[str, Listing] = {}
        self._read_at: float | None = None
        self._failure: ExchangeError | None = None
        self._again_at = 0.0
        self._reading: asyncio.Task[None] | None = None

    @property
    def is_missing(self) -> bool:
        """Whether the list was never read."""
        return self._read_at is None

    def known(self) -> Mapping[str, Listing]:
        """The copy, by our spelling; empty while there is none. An old copy is refreshed in the
        background."""
        if self._is_older_than(LISTING_LASTS):
            self._begin()
        return self._copy

    async def read(self, lasts: float = LISTING_LASTS) -> Mapping[str, Listing]:
        """The same, after a reading if the copy is older than `lasts` seconds.

        Where that fails the old copy does; without one it raises ExchangeError, also of a moment ago.
        """
        if self._is_older_than(lasts) and (reading := self._begin()):
            await asyncio.shield(reading)
        if self.is_missing and (failure := self._failure):
            raise type(failure)(str(failure), retry_after=failure.retry_after) from failure
        return self._copy

    async def stop(self) -> None:
        """Read no more."""
        self._again_at = float("inf")
        if reading := self._reading:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    def _is_older_than(self, lasts: float) -> bool:
        return self._read_at is None or self._clock.monotonic() - self._read_at > lasts

    def _begin(self) -> asyncio.Task[None] | None:
        """The running reading, or a new one; None for a while after a failed one."""
        if self._reading is None and self._clock.monotonic() >= self._again_at:
            self._reading = asyncio.create_task(self._read_anew())
        return self._reading

    async def _read_anew(self) -> None:
        try:
            async with asyncio.timeout(LISTING_SECONDS):
                listings = await self._read()
        except TimeoutError:
            self._failed(ExchangeUnavailable(f"{self._exchange} did not say in time what it lists"))
        except ExchangeError as error:
            self._failed(error)
        else:
            self._copy = {listing.symbol: listing for listing in listings}
            self._read_at = self._clock.monotonic()
        finally:
            self._reading = None

    def _failed(self, failure: ExchangeError) -> None:
        self._failure = failure
        self._again_at = self._clock.monotonic() + (
            FIRST_LISTING_PAUSE if self.is_missing else RELISTING_PAUSE
        )
        log.warning(
            "%s: the list of symbols could not be read, the old list stays in use: %s",
            self._exchange,
            failure,
        )
