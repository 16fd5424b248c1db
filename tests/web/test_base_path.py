"""The service below a path of a reverse proxy."""

from __future__ import annotations

import json
import re

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.web import Application

from backend.access.keys import read_keys
from backend.access.policy import Access
from backend.services.service import Service
from backend.web.routes import make_application
from tests.web.client import error_code, get, post, send
from tests.web.walking import ENDLESS, methods, routes

BASE = "/of/candles"


@pytest.fixture
def access() -> Access:
    """Tests that want other access parametrize this by name."""
    return Access()


@pytest.fixture
def app(service: Service, access: Access) -> Application:
    return make_application(service, access=access, base_path=BASE)


@pytest.mark.parametrize("access", [Access(), Access(keys=read_keys("bot:reader-0123456789:read"))])
async def test_every_route_answers_with_the_path_and_without_it(
    http_server_client: AsyncHTTPServerClient, app: Application
) -> None:
    for path, handler in routes(app):
        for method in {*methods(handler), "HEAD", "PATCH"} - ({"GET"} if path in ENDLESS else set()):
            with_it, without = [
                await http_server_client.fetch(
                    start + path, method=method, allow_nonstandard_methods=True, raise_error=False
                )
                for start in (BASE, "")
            ]
            assert with_it.code == without.code, (method, path)
            assert with_it.headers.get("Allow") == without.headers.get("Allow")


@pytest.mark.parametrize("path", [BASE, f"{BASE}health", f"{BASE}{BASE}/health", "/of/health"])
async def test_what_lies_beside_is_no_route(http_server_client: AsyncHTTPServerClient, path: str) -> None:
    reply = await get(http_server_client, path)
    assert (reply.status, error_code(reply)) == (404, "unknown_route")


async def test_addresses_that_we_name_have_the_path(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await post(http_server_client, f"{BASE}/api/sync", {"symbol": "BTCUSDT", "wait": False})
    assert reply.headers["Location"] == f"{BASE}/api/jobs/{reply.body['job']['id']}"
    assert (await get(http_server_client, reply.headers["Location"])).status == 200
    described = await http_server_client.fetch(f"{BASE}/openapi.json")
    assert json.loads(described.body)["servers"] == [{"url": BASE}]
    page = (await http_server_client.fetch(f"{BASE}/docs")).body.decode()
    assert set(re.findall(r'href="(/[^"]*)"', page)) == {f"{BASE}/openapi.json"}


async def test_figures_name_routes_without_the_path(http_server_client: AsyncHTTPServerClient) -> None:
    await send(http_server_client, f"{BASE}/api/jobs")
    figures = (await http_server_client.fetch("/metrics")).body.decode()
    assert 'route="/api/jobs"' in figures
    assert BASE not in figures
