"""`/api/jobs`: the jobs that syncs are, one by one or as a list; watched as they run, and cancelled."""

from __future__ import annotations

from contextlib import aclosing

import msgspec

from backend.web.api import views
from backend.web.server import params
from backend.web.server.handler import ApiHandler

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000
QUIET_TICKS = 30
"""After so many half seconds without news a comment keeps the connection open."""


class JobsHandler(ApiHandler):
    async def get(self) -> None:
        values = self.query(("status", "limit"))
        limit = params.limit(values, LARGEST_LIMIT) or DEFAULT_LIMIT
        found = await self.service.jobs.newest(limit, params.status(values))
        self.answer({"success": True, "count": len(found), "jobs": [views.job(job) for job in found]})


class JobHandler(ApiHandler):
    async def get(self, job_id: str) -> None:
        self.query(())
        self.answer({"success": True, "job": views.job(await self.service.jobs.get(job_id))})

    async def delete(self, job_id: str) -> None:
        self.query(())
        self.answer({"success": True, "job": views.job(await self.service.jobs.cancel(job_id))})


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
                    msgspec.json.encode(views.job(job)),
                )
                quiet = quiet + 1 if line == told else 0
                if not quiet or quiet % QUIET_TICKS == 0:
                    self.write(b": still the same\n\n" if quiet else line)
                    await self.flush()
                told = line
        await self.finish()
