"""`GET /health`, `/health/live` and `/health/ready`: for people, and for orchestrators."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from backend.web.api import shapes
from backend.web.server.handler import ApiHandler

SERVICE = "binance-backend"


class HealthHandler(ApiHandler):
    """Is the service of use right now?"""

    async def get(self) -> None:
        self.query(())
        if await self.service.running.database_answers():
            self.answer(shapes.Healthy("healthy", SERVICE, "connected"))
        else:
            body = shapes.Unhealthy("unhealthy", SERVICE, "disconnected")
            self.answer(body, HTTPStatus.SERVICE_UNAVAILABLE)


class LiveHandler(ApiHandler):
    """Does the process answer? If not, a new one is needed."""

    def get(self) -> None:
        self.query(())
        self.answer(shapes.Alive("alive"))


class ReadyHandler(ApiHandler):
    """Can it do its work? Until then, requests belong elsewhere."""

    async def get(self) -> None:
        self.query(())
        trouble, worker = await self.service.running.database_trouble(), self.service.jobs.worker.condition
        troubles = [trouble] if trouble else self.service.running.loops.troubles()
        if not troubles and worker != "stopped":
            self.answer(shapes.Ready("ready", "connected", worker, troubles))
        else:
            database: Literal["connected", "disconnected"] = "disconnected" if trouble else "connected"
            body = shapes.NotReady("not_ready", database, worker, troubles)
            self.answer(body, HTTPStatus.SERVICE_UNAVAILABLE)
