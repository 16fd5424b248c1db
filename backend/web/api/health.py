"""`GET /health`, `/health/live` and `/health/ready`: for people, and for orchestrators."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from backend.services.streaming.change_log import Health
from backend.web.api import service_shapes
from backend.web.server.handler import ApiHandler

SERVICE = "binance-backend"


class HealthHandler(ApiHandler):
    """Does the service work right now?"""

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
        answer = ready(await self.service.running.health())
        status = HTTPStatus.OK if answer.status == "ready" else HTTPStatus.SERVICE_UNAVAILABLE
        self.answer(answer, status)


def ready(health: Health) -> service_shapes.Ready | service_shapes.NotReady:
    """How a process is in JSON."""
    troubles = list(health.troubles)
    if not troubles and health.worker != "stopped":
        return service_shapes.Ready("ready", "connected", health.worker, troubles)
    database: Literal["connected", "disconnected"] = (
        "disconnected" if health.database_trouble else "connected"
    )
    return service_shapes.NotReady("not_ready", database, health.worker, troubles)
