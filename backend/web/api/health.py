"""`GET /health`, `/health/live` and `/health/ready`: for people, and for orchestrators."""

from __future__ import annotations

from http import HTTPStatus

from backend.web.server.handler import ApiHandler

SERVICE = "binance-backend"


class HealthHandler(ApiHandler):
    """Is the service of use right now?"""

    async def get(self) -> None:
        self.query(())
        if await self.service.running.database_answers():
            self.answer({"status": "healthy", "service": SERVICE, "database": "connected"})
        else:
            self.answer(
                {"status": "unhealthy", "service": SERVICE, "database": "disconnected"},
                HTTPStatus.SERVICE_UNAVAILABLE,
            )


class LiveHandler(ApiHandler):
    """Does the process answer? If not, a new one is needed."""

    def get(self) -> None:
        self.query(())
        self.answer({"status": "alive"})


class ReadyHandler(ApiHandler):
    """Can it do its work? Until then, requests belong elsewhere."""

    async def get(self) -> None:
        self.query(())
        trouble, worker = await self.service.running.database_trouble(), self.service.jobs.worker.condition
        troubles = [trouble] if trouble else self.service.running.loops.troubles()
        ready = not troubles and worker != "stopped"
        self.answer(
            {
                "status": "ready" if ready else "not_ready",
                "database": "disconnected" if trouble else "connected",
                "worker": worker,
                "troubles": troubles,
            },
            HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
        )
