"""`GET /metrics`: counters since the start and current values, for Prometheus."""

from __future__ import annotations

from backend.telemetry.metrics import CONTENT_TYPE
from backend.web.server.handler import ApiHandler


class MetricsHandler(ApiHandler):
    async def get(self) -> None:
        self.query(())
        picture = await self.service.running.monitor.picture()
        self.set_header("Content-Type", CONTENT_TYPE)
        self.finish(self.service.running.metrics.exposition(picture))
