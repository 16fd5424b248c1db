"""`GET /api/processes`: the processes that share the database, and what each of them does."""

from __future__ import annotations

from backend.services.running.processes import ProcessState
from backend.web.api.service_shapes import Process, Processes
from backend.web.server.handler import ApiHandler


class ProcessesHandler(ApiHandler):
    async def get(self) -> None:
        self.query(())
        states = [_shape(one) for one in await self.service.running.processes.all()]
        self.answer(Processes(count=len(states), processes=states))


def _shape(state: ProcessState) -> Process:
    return Process(
        name=state.member.name,
        here=state.here,
        works=state.member.works,
        egress=state.member.egress,
        share=round(state.share, 4),
        jobs=state.jobs,
        follows=state.follows,
    )
