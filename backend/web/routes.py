"""All routes."""

from __future__ import annotations

from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import PathMatches
from tornado.web import Application, RequestHandler

from backend.access.policy import Access
from backend.clock import SystemClock
from backend.services.running.fleet import Role
from backend.services.service import Service
from backend.web.api.about import AboutHandler
from backend.web.api.coverage import CoverageHandler, MapHandler
from backend.web.api.data import DataHandler
from backend.web.api.docs import DocsHandler, OpenApiHandler
from backend.web.api.follow import FollowHandler
from backend.web.api.health import HealthHandler, LiveHandler, ReadyHandler
from backend.web.api.importing import ImportHandler
from backend.web.api.jobs import JobEventsHandler, JobHandler, JobsHandler
from backend.web.api.metrics import MetricsHandler
from backend.web.api.overview import OverviewHandler
from backend.web.api.processes import ProcessesHandler
from backend.web.api.quotes import OrderBookHandler, TickerHandler
from backend.web.api.removal import RemovalHandler
from backend.web.api.revisions import RevisionsHandler
from backend.web.api.series import SeriesHandler
from backend.web.api.session import SessionHandler
from backend.web.api.stats import StatsHandler
from backend.web.api.symbols import SymbolsHandler
from backend.web.api.sync import SyncHandler
from backend.web.api.verify import VerifyHandler
from backend.web.extended.extended_routes import extended_routes
from backend.web.page.handlers import PageHandler
from backend.web.server.files import Files
from backend.web.server.guard import Guard
from backend.web.server.handler import UnknownRoute, log_request
from backend.web.server.kept_answers import KeptAnswers
from backend.web.server.room import Rooms
from backend.web.server.server import Limits, Server
from backend.web.streams.changes import ChangesHandler, ChangesSocketHandler
from backend.web.streams.server_sent_events import StreamHandler
from backend.web.streams.websocket import SocketHandler, UpgradePath
from backend.web.trading.routes import trading_routes
from backend.web.venues import venue_routes
from backend.web.venues.udf import udf_routes

Route = tuple[str | PathMatches, type[RequestHandler], dict[str, Any]]


class Site(Application):
    """The routes, also below `base_path`: a reverse proxy may keep that path or cut it."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        base = self.settings["base_path"]
        if request.path.startswith(f"{base}/"):
            request.path = request.path.removeprefix(base)
        return super().find_handler(request, **kwargs)


def make_application(
    service: Service, role: Role = "all", access: Access | None = None, base_path: str = ""
) -> Application:
    """The API over `service`, open to all without `access`; of a worker only what says how it is.

    `base_path`, such as "/candles", is where clients find it.
    """
    given = {"service": service}
    watched: list[Route] = [
        (r"/health", HealthHandler, given),
        (r"/health/live", LiveHandler, given),
        (r"/health/ready", ReadyHandler, given),
        (r"/metrics", MetricsHandler, given),
    ]
    return Site(
        watched if role == "worker" else watched + _routes(given),
        default_handler_class=UnknownRoute,
        default_handler_args=given,
        log_function=log_request,
        guard=Guard(access or Access(), SystemClock()),
        rooms=Rooms(),
        cross_origin_protection=True,
        base_path=base_path,
        files=Files(),
        kept_answers=KeptAnswers(),
    )


def _routes(given: dict[str, Any]) -> list[Route]:
    return [
        (r"/api/sync", SyncHandler, given),
        (r"/api/jobs", JobsHandler, given),
        (r"/api/jobs/([^/]*)", JobHandler, given),
        (r"/api/jobs/([^/]*)/events", JobEventsHandler, given),
        (r"/api/follow", FollowHandler, given),
        (UpgradePath(r"/api/stream"), SocketHandler, given),
        (r"/api/stream", StreamHandler, given),
        (UpgradePath(r"/api/changes"), ChangesSocketHandler, given),
        (r"/api/changes", ChangesHandler, given),
        (r"/api/import", ImportHandler, given),
        (r"/api/verify", VerifyHandler, given),
        (r"/api/symbols", SymbolsHandler, given),
        (r"/api/series", SeriesHandler, given),
        (r"/api/series(?:/(.*))?", RemovalHandler, given),
        (r"/api/data(?:/(.*))?", DataHandler, given),
        (r"/api/coverage(?:/(.*))?", CoverageHandler, given),
        (r"/api/map(?:/(.*))?", MapHandler, given),
        (r"/api/overview", OverviewHandler, given),
        (r"/api/about", AboutHandler, given),
        (r"/api/session", SessionHandler, given),
        (r"/api/processes", ProcessesHandler, given),
        (r"/api/revisions(?:/(.*))?", RevisionsHandler, given),
        (r"/markets(?:/(.*))?/ticker", TickerHandler, given),
        (r"/markets(?:/(.*))?/orderbook", OrderBookHandler, given),
        (r"/api/stats(?:/(.*))?", StatsHandler, given),
        (r"/openapi\.json", OpenApiHandler, given),
        (r"/docs", DocsHandler, given),
        (r"/", PageHandler, given),
        (r"/ui", PageHandler, given),
        (r"/ui/(.*)", PageHandler, given),
        *trading_routes(given),
        *extended_routes(given["service"]),
        *venue_routes(given["service"]),
        *udf_routes(given["service"]),
    ]


def make_server(
    service: Service,
    role: Role,
    access: Access | None = None,
    limits: Limits | None = None,
    base_path: str = "",
) -> Server:
    """An HTTP server for the API."""
    return Server(make_application(service, role, access, base_path), limits or Limits())
