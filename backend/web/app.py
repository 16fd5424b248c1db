"""All routes."""

from __future__ import annotations

from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from backend.services.fleet import Role
from backend.services.service import Service
from backend.web.base import UnknownRoute, log_request
from backend.web.coverage import CoverageHandler
from backend.web.data import DataHandler
from backend.web.events import StreamHandler
from backend.web.follow import FollowHandler
from backend.web.health import HealthHandler, LiveHandler, ReadyHandler
from backend.web.jobs import JobEventsHandler, JobHandler, JobsHandler
from backend.web.metrics import MetricsHandler
from backend.web.revisions import RevisionsHandler
from backend.web.series import SeriesHandler
from backend.web.stats import StatsHandler
from backend.web.symbols import SymbolsHandler
from backend.web.sync import SyncHandler
from backend.web.udf import udf_routes
from backend.web.venues import venue_routes
from backend.web.verify import VerifyHandler

Route = tuple[str, type[RequestHandler], dict[str, Any]]

HEADER_SECONDS = 75.0
"""How long an idle or dawdling connection is kept."""


def make_application(service: Service, role: Role = "all") -> Application:
    """The API over `service`; of a worker only what says how it is."""
    given = {"service": service}
    watched: list[Route] = [
        (r"/health", HealthHandler, given),
        (r"/health/live", LiveHandler, given),
        (r"/health/ready", ReadyHandler, given),
        (r"/metrics", MetricsHandler, given),
    ]
    return Application(
        watched if role == "worker" else watched + _routes(given),
        default_handler_class=UnknownRoute,
        default_handler_args=given,
        log_function=log_request,
    )


def _routes(given: dict[str, Any]) -> list[Route]:
    return [
        (r"/api/sync", SyncHandler, given),
        (r"/api/jobs", JobsHandler, given),
        (r"/api/jobs/([^/]*)", JobHandler, given),
        (r"/api/jobs/([^/]*)/events", JobEventsHandler, given),
        (r"/api/follow", FollowHandler, given),
        (r"/api/stream", StreamHandler, given),
        (r"/api/verify", VerifyHandler, given),
        (r"/api/symbols", SymbolsHandler, given),
        (r"/api/series", SeriesHandler, given),
        (r"/api/data(?:/(.*))?", DataHandler, given),
        (r"/api/coverage(?:/(.*))?", CoverageHandler, given),
        (r"/api/revisions(?:/(.*))?", RevisionsHandler, given),
        (r"/api/stats(?:/(.*))?", StatsHandler, given),
        *venue_routes(given["service"]),
        *udf_routes(given["service"]),
    ]


def make_server(service: Service, role: Role) -> HTTPServer:
    """An HTTP server for the API. Handlers refuse large bodies themselves, in JSON, so it has no limit."""
    return HTTPServer(
        make_application(service, role),
        max_body_size=2**63,
        max_header_size=16 * 1024,
        idle_connection_timeout=HEADER_SECONDS,
        body_timeout=HEADER_SECONDS,
    )
