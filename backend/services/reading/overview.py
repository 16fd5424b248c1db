"""All facts of an overview for each series that is stored, followed or both."""

from __future__ import annotations

from typing import NamedTuple

from backend.clock import Clock
from backend.core.follow import Standing, standing
from backend.core.statistics import Statistics
from backend.core.strip import Strip
from backend.services.ports import FollowStore
from backend.services.reading.catalogue import Catalogue
from backend.services.syncing.markets import Markets


class Row(NamedTuple):
    """`standing` is None where the series is not followed."""

    statistics: Statistics
    bytes_on_disk: int
    strip: Strip
    standing: Standing | None


class Overview:
    """May raise DatabaseUnavailable."""

    def __init__(self, catalogue: Catalogue, follows: FollowStore, markets: Markets, clock: Clock) -> None:
        self._catalogue = catalogue
        self._follows = follows
        self._markets = markets
        self._clock = clock

    async def page(self, start: str, limit: int) -> tuple[list[Row], str | None]:
        """The first `limit` series whose names are `start` or later, by name; and the name of the next one,
        None after the last."""
        marks = await self._catalogue.marks()
        follows = {one.series: one for one in await self._follows.page(start, limit + 1)}
        later = {one for one in marks if one.name >= start} | follows.keys()
        named = sorted(later, key=lambda one: one.name)
        rows = []
        for series, (known, size) in (await self._catalogue.known(named[:limit], marks)).items():
            follow = follows.get(series)
            now = self._markets.known_now(series, self._clock)
            state = standing(follow, known.reach, now) if follow else None
            rows.append(Row(known.statistics, size.bytes_on_disk, known.strip, state))
        return rows, named[limit].name if len(named) > limit else None
