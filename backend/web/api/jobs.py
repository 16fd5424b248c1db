"""`/api/jobs`: jobs, one by one or as a list: watch and cancel them."""

from __future__ import annotations

from contextlib import aclosing

import msgspec

from backend.core.job import OVER, Status
from backend.web.api import sync_shapes, sync_views
from backend.web.server.handler import ApiHandler
from backend.web.server.json_schema import choice
from backend.web.server.parameters import Parameter, invalid, whole

STATUSES: dict[str, Status] = {status: status for status in ("queued", "running", *OVER)}


def _status(name: str, value: object) -> Status:
    if str(value) not in STATUSES:
        raise invalid(name, f"one of {', '.join(STATUSES)}")
    return STATUSES[str(value)]


STATUS: Parameter[Status | None] = Parameter(
    "status", "Only those with this status", choice(STATUSES), _status, None
)
LIMIT = whole("limit", "Most entries in the answer", highest=1000, default=100)
LISTING = (STATUS, LIMIT)
QUIET_TICKS = 30
"""After so many half seconds without news a comment keeps the connection open."""


class JobsHandler(ApiHandler):
    async def get(self) -> None:
        values = self.query(LISTING)
        limit = values[LIMIT]
        jobs = await self.service.jobs.newest(limit, values[STATUS])
        self.answer(sync_shapes.JobsAnswer(count=len(jobs), jobs=[sync_views.job(job) for job in jobs]))


class JobHandler(ApiHandler):
    async def get(self, job_id: str) -> None:
        self.query(())
        self.answer(sync_shapes.JobAnswer(job=sync_views.job(await self.service.jobs.get(job_id))))

    async def delete(self, job_id: str) -> None:
        self.query(())
        self.answer(sync_shapes.JobAnswer(job=sync_views.job(await self.service.jobs.cancel(job_id))))


class JobEventsHandler(ApiHandler):
    """Server-sent events: `progress` while the job is not over, then its last status as the last event."""

    async def get(self, job_id: str) -> None:
        self.query(())
        await self.service.jobs.get(job_id)
        with self.rooms.events.place(self.client):
            await self._tell(job_id)

    async def _tell(self, job_id: str) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        told, quiet = b"", 0
        async with aclosing(self.service.jobs.watch(job_id)) as states:
            async for job in states:
                if self.gone.done():
                    return
                line = b"event: %b\ndata: %b\n\n" % (
                    job.status.encode() if job.over else b"progress",
                    msgspec.json.encode(sync_views.job(job)),
                )
                quiet = quiet + 1 if line == told else 0
                if not quiet or quiet % QUIET_TICKS == 0:
                    self.write(b": still the same\n\n" if quiet else line)
                    await self.flush()
                told = line
        await self.finish()
