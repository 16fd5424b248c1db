"""`GET /health`: is the service of use right now?"""

from __future__ import annotations

from http import HTTPStatus

from backend.web.base import ApiHandler

SERVICE = "binance-backend"


class HealthHandler(ApiHandler):
    async def get(self) -> None:
        self.query(())
        if await self.service.database_answers():
            self.answer({"status": "healthy", "service": SERVICE, "database": "connected"})
        else:
            self.answer(
                {"status": "unhealthy", "service": SERVICE, "database": "disconnected"},
                HTTPStatus.SERVICE_UNAVAILABLE,
            )
