"""The processes that share the database, and what each of them does."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from backend.core.follow import keeper_of
from backend.services.ports import CoverageStore, FleetStore, FollowStore, JobStore, Member

MOST_JOBS = 1000


class ProcessState(NamedTuple):
    """`share` is its part of what its address may spend at exchanges. `jobs` counts those that it does now,
    `follows` those that it looks after."""

    member: Member
    here: bool
    share: float
    jobs: int
    follows: int


class Processes:
    """May raise DatabaseUnavailable. `name` is this process's own."""

    def __init__(
        self,
        *,
        name: str,
        fleet: FleetStore,
        jobs: JobStore,
        coverage: CoverageStore,
        follows: FollowStore,
    ) -> None:
        self._name = name
        self._fleet = fleet
        self._jobs = jobs
        self._coverage = coverage
        self._follows = follows

    async def all(self) -> list[ProcessState]:
        """All that are there, by name."""
        members = await self._fleet.present()
        keepers = [one.name for one in members if one.works]
        followed = await self._follows.all()
        kept = Counter(keeper_of(follow.series, keepers) for follow in followed)
        active = await self._jobs.active(MOST_JOBS)
        running = [one.request.series for one in active if one.status == "running"]
        done = Counter((await self._coverage.holders(running)).values())
        weights = {
            egress: sum(one.weight for one in members if one.egress == egress)
            for egress in {one.egress for one in members}
        }
        return [
            ProcessState(
                one,
                here=one.name == self._name,
                share=one.weight / weights[one.egress],
                jobs=done[one.name],
                follows=kept[one.name],
            )
            for one in members
        ]
