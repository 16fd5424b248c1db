"""`GET /health`, `/health/live` and `/health/ready`: for people, and for orchestrators."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from backend.web.api import service_shapes
from backend.web.server.handler import ApiHandler

SERVICE = "binance-backend"


class HealthHandler(ApiHandler):
    """Is the service of use right now?"""

    async def get(self) -> None:
        self.query(())
        if await self.service.running.database_answers():
            self.answer(service_shapes.Healthy("healthy", SERVICE, "connected"))
        else:
            body = service_shapes.Unhealthy("unhealthy", SERVICE, "disconnected")
            self.answer(body, HTTPStatus.SERVICE_UNAVAILABLE)


class LiveHandler(ApiHandler):
    """Does the process answer? If not, a new one is needed."""

    def get(self) -> None:
        self.query(())
        self.answer(service_shapes.Alive("alive"))


class ReadyHandler(ApiHandler):
    """Can it do its work? Until then, requests belong elsewhere."""

    async def get(self) -> None:
        self.query(())
        trouble, worker = await self.service.running.database_trouble(), self.service.jobs.worker.condition
        troubles = [trouble] if trouble else self.service.running.loops.troubles()
        if not troubles and worker != "stopped":
            self.answer(service_shapes.Ready("ready", "connected", worker, troubles))
        else:
            database: Literal["connected", "disconnected"] = "disconnected" if trouble else "connected"
            body = service_shapes.NotReady("not_ready", database, worker, troubles)
            self.answer(body, HTTPStatus.SERVICE_UNAVAILABLE)
