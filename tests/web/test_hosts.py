"""A page of a foreign site whose name leads to this machine (DNS rebinding) gets nothing, on any route."""

from __future__ import annotations

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.web import Application
from tornado.websocket import websocket_connect

from backend.access.hosts import read_names
from backend.access.policy import Access
from backend.services.service import Service
from backend.web.routes import make_application
from tests.web.client import error_code, send
from tests.web.walking import methods, routes

EVIL = {"Host": "evil.example", "Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def app(service: Service) -> Application:
    return make_application(service, access=Access(names=read_names("backend")))


async def test_no_route_answers_to_a_foreign_name(
    http_server_client: AsyncHTTPServerClient, app: Application
) -> None:
    for path, handler in routes(app):
        for method in [*methods(handler), "OPTIONS"]:
            answer = await http_server_client.fetch(
                path, method=method, headers=EVIL, allow_nonstandard_methods=True, raise_error=False
            )
            assert answer.code == 421, (method, path)


async def test_a_foreign_name_is_answered_in_one_sentence(http_server_client: AsyncHTTPServerClient) -> None:
    for path in ("/api/jobs", "/health", "/nothing"):
        reply = await send(http_server_client, path, headers=EVIL)
        assert (reply.status, error_code(reply)) == (421, "unknown_host")
        assert "evil.example" in reply.body["error"]["message"]
        assert "SERVER_NAMES" in reply.body["error"]["message"]


async def test_names_of_the_setting_are_answered(http_server_client: AsyncHTTPServerClient) -> None:
    for host in ("backend:8888", "localhost", "[::1]:8888"):
        assert (await send(http_server_client, "/health", headers={"Host": host})).status == 200


async def test_a_page_of_a_name_that_leads_here_opens_no_socket(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    url = f"ws://127.0.0.1:{http_server_client.get_http_port()}/api/stream?series=binance:spot:BTCUSDT"
    with pytest.raises(HTTPClientError) as caught:
        await websocket_connect(HTTPRequest(url, headers=EVIL))
    assert caught.value.code == 421
