"""The followed series. This adds and removes follows; the keepers of worker processes keep them complete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from backend.clock import Clock
from backend.core.follow import Follow, Standing, reach_of, standing
from backend.core.series import Series
from backend.errors import InvalidRequest, NotFollowed
from backend.services.ports import CoverageStore, FollowStore
from backend.services.syncing.markets import Markets

MOST_FOLLOWS = 5000
LEDGERS_AT_ONCE = 100


class Follows:
    """All may raise DatabaseUnavailable."""

    def __init__(
        self,
        *,
        store: FollowStore,
        coverage: CoverageStore,
        markets: Markets,
        clock: Clock,
        most: int = MOST_FOLLOWS,
    ) -> None:
        self._store = store
        self._coverage = coverage
        self._markets = markets
        self._clock = clock
        self._most = most
        self._coming: Counter[Series] = Counter()

    async def add(self, wanted: Sequence[Series], since: int | None) -> list[Standing]:
        """Follow all of `wanted`, or none: raises UnknownSymbol for a symbol that its exchange does not know.

        Following again is no error; it changes `since` where one is given.
        """
        for series in wanted:
            await self._markets.source(series).ensure_known(series.symbol)
        with self._coming_in(wanted):
            coming = set(self._coming)  # read before listing: what is no longer coming then is listed
            followed = {follow.series for follow in await self._store.all()}
            if len(followed | coming) > self._most:
                raise InvalidRequest(
                    f"{len(followed)} series are followed, the limit is {self._most}: unfollow some first",
                    code="too_many_follows",
                )
            for series in wanted:
                await self._store.add(Follow(series, since, created=self._clock.now()))
        return await self._standings([one for one in await self._store.all() if one.series in wanted])

    async def remove(self, series: Series) -> None:
        """Follow `series` no longer; what is stored stays. Raises NotFollowed."""
        if not await self._store.remove(series):
            raise NotFollowed(
                f"{series.symbol} ({series.exchange} {series.market}) is not followed: see GET /api/follow"
            )

    async def all(self) -> list[Standing]:
        """The state of every follow, by name. It uses the exchange's clock if that is known."""
        return await self._standings(await self._store.all())

    async def page(self, start: str, limit: int) -> tuple[list[Standing], str | None]:
        """The state of the first `limit` follows whose names are `start` or later; and the name of the next
        one, None after the last."""
        follows = await self._store.page(start, limit + 1)
        following = follows[limit].series.name if len(follows) > limit else None
        return await self._standings(follows[:limit]), following

    async def has(self, series: Series) -> bool:
        """Whether `series` is followed."""
        return await self._store.has(series)

    @contextmanager
    def _coming_in(self, wanted: Sequence[Series]) -> Iterator[None]:
        """Count what is being added, so that requests side by side do not all take the same room."""
        self._coming.update(wanted)
        try:
            yield
        finally:
            self._coming.subtract(wanted)
            self._coming += Counter()

    async def _standings(self, follows: Sequence[Follow]) -> list[Standing]:
        """Read a hundred ledgers at a time, so that other tasks can run between them."""
        standings = []
        for first in range(0, len(follows), LEDGERS_AT_ONCE):
            some = follows[first : first + LEDGERS_AT_ONCE]
            known = await self._coverage.load_all([follow.series for follow in some])
            standings += [
                standing(follow, reach_of(known[follow.series]), self._now(follow.series)) for follow in some
            ]
        return standings

    def _now(self, series: Series) -> int:
        return self._markets.known_now(series, self._clock)
