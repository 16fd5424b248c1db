"""`GET /api/processes`: the processes that share the database, and what each of them does."""

from __future__ import annotations

from backend.services.running.processes import ProcessState
from backend.web.api.service_shapes import Process, Processes
from backend.web.server.handler import ApiHandler


class ProcessesHandler(ApiHandler):
    async def get(self) -> None:
        self.query(())
        found = [_shape(one) for one in await self.service.running.processes.all()]
        self.answer(Processes(count=len(found), processes=found))


def _shape(found: ProcessState) -> Process:
    return Process(
        name=found.member.name,
        here=found.here,
        works=found.member.works,
        egress=found.member.egress,
        share=round(found.share, 4),
        jobs=found.jobs,
        follows=found.follows,
    )
