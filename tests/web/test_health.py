"""GET /health, /health/live and /health/ready with a database that is there."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.web import Application

from backend.services.service import Service
from backend.settings import Settings
from backend.web.routes import make_application
from tests.web.client import error_code, get


async def test_with_a_database_the_service_is_healthy(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/health")
    assert reply.status == 200
    assert reply.body == {"status": "healthy", "service": "binance-backend", "database": "connected"}


async def test_it_takes_no_parameters(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/health?verbose=1")
    assert (reply.status, error_code(reply)) == (400, "unknown_parameter")


async def test_a_process_that_answers_is_alive(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/health/live")
    assert (reply.status, reply.body) == (200, {"status": "alive"})


async def test_with_a_database_and_a_worker_it_is_ready(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/health/ready")
    assert reply.status == 200
    assert reply.body == {"status": "ready", "database": "connected", "worker": "running", "troubles": []}


async def test_a_worker_that_stopped_makes_it_not_ready(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    await service.jobs.worker.stop(1)
    reply = await get(http_server_client, "/health/ready")
    assert reply.status == 503
    assert reply.body == {
        "status": "not_ready",
        "database": "connected",
        "worker": "stopped",
        "troubles": [],
    }


@pytest.mark.parametrize(
    ("path", "level"),
    [
        ("/health", logging.DEBUG),
        ("/health/ready", logging.DEBUG),
        ("/health/ready?verbose=1", logging.INFO),
        ("/api/jobs", logging.INFO),
    ],
)
async def test_a_health_request_that_goes_well_is_no_news(
    http_server_client: AsyncHTTPServerClient, caplog: pytest.LogCaptureFixture, path: str, level: int
) -> None:
    name = "backend.web.server.handler"
    with caplog.at_level(logging.DEBUG, name):
        await get(http_server_client, path)
    assert [record.levelno for record in caplog.records if record.name == name] == [level]


class TestApiAlone:
    """A process that leaves jobs to others."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, role="api")

    async def test_it_is_ready_without_a_worker(self, http_server_client: AsyncHTTPServerClient) -> None:
        reply = await get(http_server_client, "/health/ready")
        assert (reply.status, reply.body["worker"]) == (200, "none")


class TestWorkerAlone:
    """A process that does jobs only."""

    @pytest.fixture
    def app(self, service: Service) -> Application:
        return make_application(service, "worker")

    @pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/metrics"])
    async def test_it_tells_how_it_is(self, http_server_client: AsyncHTTPServerClient, path: str) -> None:
        answer = await http_server_client.fetch(path)
        assert answer.code == 200
