"""Who is let in over HTTP: keys and scopes on every route, networks, rates, origins, sizes."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.web import Application

from backend.access.keys import read_keys
from backend.access.networks import read_networks
from backend.access.origins import read_origins
from backend.access.policy import SESSION_ROUTE, Access, is_open, is_webhook
from backend.cli.commands import warn_if_open
from backend.services.service import Service
from backend.settings import load_settings
from backend.web.routes import make_application
from backend.web.server.handler import ApiHandler
from backend.web.server.http_errors import LARGEST_HEADERS, LONGEST_URI
from tests.web.client import Reply, error_code, get, send
from tests.web.walking import methods, routes

READER, WRITER = "reader-0123456789", "writer-0123456789"
KEYS = read_keys(f"bot:{READER}:read,admin:{WRITER}:read+write")
CLOSED = Access(keys=KEYS)
PAGE = "https://charts.example.com"
LOOPBACK = read_networks("127.0.0.0/8")

pytestmark = pytest.mark.usefixtures("app")
"""Named, so that tests can parametrize what is behind it."""


@pytest.fixture
def access() -> Access:
    """Tests that want other access parametrize this by name."""
    return CLOSED


@pytest.fixture
def app(service: Service, access: Access) -> Application:
    return make_application(service, access=access)


async def ask(client: AsyncHTTPServerClient, path: str, method: str = "GET", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await send(client, path, method=method, headers=named, allow_nonstandard_methods=True)


# Keys


def test_every_route_is_guarded_because_its_handler_is_one_of_ours(app: Application) -> None:
    found = dict(routes(app))
    assert len(found) > 10
    assert all(issubclass(handler, ApiHandler) for handler in found.values())


async def test_without_a_key_every_route_but_the_open_ones_is_401(
    http_server_client: AsyncHTTPServerClient, app: Application
) -> None:
    for path, handler in routes(app):
        for method in methods(handler):
            if path == SESSION_ROUTE or is_webhook(path):
                continue  # tests/web/test_session.py, tests/web/test_alarms.py
            if is_open(path):
                assert (await http_server_client.fetch(path, method=method)).code == 200, path
            else:
                reply = await ask(http_server_client, path, method)
                assert (reply.status, error_code(reply)) == (401, "missing_key"), (method, path)
                assert reply.headers["WWW-Authenticate"] == 'Bearer realm="market data"'


@pytest.mark.parametrize(
    ("access", "key", "name", "scopes"),
    [
        (CLOSED, READER, "bot", ["read"]),
        (CLOSED, WRITER, "admin", ["read", "write"]),
        (Access(keys=KEYS, public_read=True), "", None, ["read"]),
        (Access(), "", None, ["read", "write"]),
    ],
)
async def test_about_tells_what_a_key_may_do(
    http_server_client: AsyncHTTPServerClient, key: str, name: str | None, scopes: list[str]
) -> None:
    body = (await ask(http_server_client, "/api/about", **({"X_Api_Key": key} if key else {}))).body
    assert (body["key"], body["scopes"]) == (name, scopes)
    assert {"exchange": "binance", "market": "spot", "imported": True, "pushed": False} in body["markets"]


async def test_a_key_that_may_only_read_changes_nothing_on_any_route(
    http_server_client: AsyncHTTPServerClient, app: Application
) -> None:
    writing = [
        (path, method)
        for path, handler in routes(app)
        for method in methods(handler)
        if method not in ("GET", "HEAD") and path != SESSION_ROUTE and not is_webhook(path)
    ]
    assert ("/api/sync", "POST") in writing
    assert ("/api/jobs/x", "DELETE") in writing
    for path, method in writing:
        reply = await ask(http_server_client, path, method, X_Api_Key=READER)
        assert (reply.status, error_code(reply)) == (403, "missing_scope"), (method, path)
        assert 'error="insufficient_scope"' in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["/u", "/api/nothing", "/health/", "/HEALTH", "//health", "/health%2f"])
async def test_what_is_no_route_is_not_told_apart_without_a_key(
    http_server_client: AsyncHTTPServerClient, path: str
) -> None:
    assert (await ask(http_server_client, path)).status == 401
    assert error_code(await ask(http_server_client, path, X_Api_Key=READER)) == "unknown_route"


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Api_Key": READER},
        {"Authorization": f"Bearer {READER}"},
        {"Authorization": f"bearer   {READER}"},
        {"X_Api_Key": WRITER, "Authorization": "Basic abc"},
    ],
)
async def test_a_key_is_taken_from_either_header(
    http_server_client: AsyncHTTPServerClient, headers: dict[str, str]
) -> None:
    assert (await ask(http_server_client, "/api/jobs", **headers)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Api_Key": READER[:-1]},
        {"X_Api_Key": f"{READER},{READER}"},
        {"X_Api_Key": "wrong", "Authorization": f"Bearer {READER}"},
        {"Authorization": READER},
        {"Authorization": f"Basic {READER}"},
        {"Authorization": "Bearer wrong"},
    ],
)
@pytest.mark.parametrize("access", [CLOSED, Access(keys=KEYS, public_read=True)])
async def test_a_wrong_key_is_401_even_where_none_is_needed(
    http_server_client: AsyncHTTPServerClient, headers: dict[str, str]
) -> None:
    reply = await ask(http_server_client, "/api/jobs", **headers)
    assert (reply.status, error_code(reply)) == (401, "invalid_key")
    assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]


async def test_a_key_in_the_address_counts_for_nothing(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await ask(http_server_client, f"/api/jobs?X-Api-Key={READER}&api_key={READER}")
    assert error_code(reply) == "missing_key"


async def test_a_key_with_write_may_write(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await ask(http_server_client, "/api/jobs/nothing", "DELETE", X_Api_Key=WRITER)
    assert error_code(reply) == "unknown_job"


@pytest.mark.parametrize("access", [Access(keys=KEYS, public_read=True)])
async def test_reading_may_be_public_while_writing_is_not(http_server_client: AsyncHTTPServerClient) -> None:
    assert (await ask(http_server_client, "/api/jobs")).status == 200
    assert error_code(await ask(http_server_client, "/api/sync", "POST")) == "missing_key"


async def test_answers_that_needed_a_key_are_not_for_shared_caches(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await ask(http_server_client, "/api/jobs", X_Api_Key=READER)
    assert reply.headers["Cache-Control"] == "private"


async def test_no_key_right_or_wrong_comes_into_the_log(
    http_server_client: AsyncHTTPServerClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for key in (READER, WRITER, "a-wrong-key-of-mine"):
            await ask(http_server_client, "/api/jobs", X_Api_Key=key)
            await ask(http_server_client, "/api/nothing", "POST", Authorization=f"Bearer {key}")
    assert len(caplog.records) >= 6
    assert not re.search(f"{READER}|{WRITER}|a-wrong-key", caplog.text)


@pytest.mark.parametrize(
    ("settings_of", "levels"),
    [
        ({}, []),
        ({"SERVER_ADDRESS": "::1"}, []),
        ({"SERVER_ADDRESS": "0.0.0.0"}, ["WARNING"]),
        ({"SERVER_ADDRESS": "0.0.0.0", "PUBLISHED_ADDRESS": "127.0.0.1"}, []),
        ({"SERVER_ADDRESS": "0.0.0.0", "PUBLISHED_ADDRESS": "0.0.0.0"}, ["WARNING"]),
        ({"SERVER_ADDRESS": "192.168.31.11", "ALLOWED_NETWORKS": "192.168.31.0/24"}, ["WARNING"]),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, ["WARNING"]),
        ({"SERVER_ADDRESS": "0.0.0.0", "API_KEYS": f"bot:{READER}:read"}, []),
    ],
)
def test_a_service_that_is_open_to_others_says_so(
    settings_of: dict[str, str], levels: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        warn_if_open(load_settings(settings_of))
    assert [record.levelname for record in caplog.records] == levels


# Networks


@pytest.mark.parametrize("access", [Access(networks=read_networks("192.168.31.0/24"))])
async def test_requests_from_other_networks_are_403(http_server_client: AsyncHTTPServerClient) -> None:
    for header in ("", "192.168.31.7"):
        reply = await ask(http_server_client, "/api/jobs", X_Forwarded_For=header)
        assert (reply.status, error_code(reply)) == (403, "address_not_allowed")
    assert (await get(http_server_client, "/health")).status == 200


@pytest.mark.parametrize("access", [Access(networks=read_networks("192.168.31.0/24"), proxies=LOOPBACK)])
async def test_behind_a_trusted_proxy_the_clients_own_address_counts(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    assert (await ask(http_server_client, "/api/jobs", X_Forwarded_For="192.168.31.7")).status == 200
    for made_up in ("10.0.0.1", "192.168.31.7, 10.0.0.1", "192.168.31.7, 10.0.0.1, 127.0.0.1"):
        reply = await ask(http_server_client, "/api/jobs", X_Forwarded_For=made_up)
        assert error_code(reply) == "address_not_allowed"


# Rates


@pytest.mark.parametrize("access", [Access(requests_per_minute=3, proxies=LOOPBACK)])
async def test_beyond_the_rate_requests_are_429_with_retry_after(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    replies = [await ask(http_server_client, "/api/jobs") for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    assert error_code(replies[-1]) == "too_many_requests"
    assert 1 <= int(replies[-1].headers["Retry-After"]) <= 20
    assert (await ask(http_server_client, "/api/jobs", X_Forwarded_For="10.0.0.7")).status == 200
    assert (await ask(http_server_client, "/health")).status == 200


@pytest.mark.parametrize("access", [Access(keys=KEYS, requests_per_minute=2)])
async def test_each_key_has_its_own_rate_and_guessing_is_limited_too(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    async def codes(key: str) -> list[int]:
        return [(await ask(http_server_client, "/api/jobs", X_Api_Key=key)).status for _ in range(3)]

    assert await codes("wrong") == [401, 401, 429]
    assert await codes(READER) == [200, 200, 429]
    assert await codes(WRITER) == [200, 200, 429]
    assert (await ask(http_server_client, "/api/jobs")).status == 429


@pytest.mark.parametrize("access", [Access(keys=KEYS, requests_per_minute=2)])
async def test_the_description_needs_no_key_but_counts_as_a_request(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    for path in ("/docs", "/openapi.json"):
        assert (await http_server_client.fetch(path)).code == 200
    assert error_code(await ask(http_server_client, "/docs")) == "too_many_requests"


# Web pages


SOME_ORIGINS = Access(keys=KEYS, origins=read_origins(f"{PAGE}, http://localhost:3000"))
PREFLIGHT = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "x-api-key"}


async def preflight(client: AsyncHTTPServerClient, path: str, origin: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in PREFLIGHT.items()}
    return await client.fetch(
        path, method="OPTIONS", headers={"Origin": origin, **headers}, raise_error=False
    )


@pytest.mark.parametrize("access", [SOME_ORIGINS])
async def test_a_browser_is_told_what_a_page_may_do_without_a_key(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    answer = await preflight(http_server_client, "/api/sync", PAGE)
    assert (answer.code, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert {"X-Api-Key", "Authorization"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("access", [SOME_ORIGINS])
async def test_a_browser_is_told_nothing_for_a_foreign_page(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    for origin in ("https://evil.example", "null", PAGE + ".evil.example"):
        answer = await preflight(http_server_client, "/api/sync", origin)
        assert answer.code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("access", [CLOSED, Access()])
async def test_without_origins_there_is_no_preflight(http_server_client: AsyncHTTPServerClient) -> None:
    answer = await preflight(http_server_client, "/api/sync", PAGE)
    assert answer.code in (401, 405)
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("access", [SOME_ORIGINS])
async def test_an_options_request_that_is_no_preflight_needs_a_key(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    assert (await ask(http_server_client, "/api/jobs", "OPTIONS", Origin=PAGE)).status == 401
    assert (await ask(http_server_client, "/api/jobs", "OPTIONS", X_Api_Key=READER)).status == 405


@pytest.mark.parametrize("access", [SOME_ORIGINS])
async def test_a_page_may_read_answers_and_errors(http_server_client: AsyncHTTPServerClient) -> None:
    for key, status in ((READER, 200), ("wrong", 401)):
        reply = await ask(http_server_client, "/api/jobs", Origin=PAGE, X_Api_Key=key)
        assert reply.status == status
        assert reply.headers["Access-Control-Allow-Origin"] == PAGE
        assert "Origin" in reply.headers.get_list("Vary")
    reply = await ask(http_server_client, "/api/jobs", Origin="https://evil.example", X_Api_Key=READER)
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert "Origin" in reply.headers.get_list("Vary")


@pytest.mark.parametrize("access", [Access(origins=read_origins("*"))])
async def test_all_pages_may_be_let_in(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await ask(http_server_client, "/api/jobs", Origin="https://anybody.example")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in reply.headers
    reply = await ask(http_server_client, "/api/jobs/x", "DELETE", Origin="https://anybody.example")
    assert error_code(reply) == "unknown_job"


@pytest.mark.parametrize("access", [Access(), Access(origins=read_origins(PAGE))])
async def test_a_page_of_another_origin_changes_nothing(http_server_client: AsyncHTTPServerClient) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        reply = await ask(http_server_client, "/api/jobs/x", "DELETE", **headers)
        assert (reply.status, error_code(reply)) == (403, "foreign_origin")


@pytest.mark.parametrize("access", [Access()])
async def test_a_page_of_the_services_own_changes_what_it_likes(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    own = f"http://127.0.0.1:{http_server_client.get_http_port()}"
    reply = await ask(http_server_client, "/api/jobs/x", "DELETE", Origin=own, Host=own[7:])
    assert error_code(reply) == "unknown_job"


# What every answer says, and what no request may exceed


async def test_every_answer_has_the_security_headers(http_server_client: AsyncHTTPServerClient) -> None:
    for path in ("/health", "/api/jobs", "/api/nothing", "/api/data/BTC$", f"/{'x' * 9000}"):
        reply = await ask(http_server_client, path, X_Api_Key=READER)
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert "Server" not in reply.headers


@pytest.mark.parametrize("path", ["/api/nothing", "/api/data/BTC$", "/api/jobs/x"])
async def test_errors_are_not_kept_by_caches(http_server_client: AsyncHTTPServerClient, path: str) -> None:
    assert (await ask(http_server_client, path, X_Api_Key=READER)).headers["Cache-Control"] == "no-store"
    assert (await ask(http_server_client, path)).headers["Cache-Control"] == "no-store"


async def test_an_address_that_is_too_long_is_414(http_server_client: AsyncHTTPServerClient) -> None:
    for size in (LONGEST_URI + 1, 60_000):
        reply = await ask(http_server_client, "/" + "x" * (size - 1), X_Api_Key=READER)
        assert (reply.status, error_code(reply)) == (414, "uri_too_long")
    reply = await ask(http_server_client, "/" + "x" * (LONGEST_URI - 1), X_Api_Key=READER)
    assert error_code(reply) == "unknown_route"


async def test_headers_that_are_too_large_are_431(http_server_client: AsyncHTTPServerClient) -> None:
    for size in (LARGEST_HEADERS, 60_000):
        reply = await ask(http_server_client, "/api/jobs", X_Api_Key=READER, X_More="x" * size)
        assert (reply.status, error_code(reply)) == (431, "headers_too_large")
    reply = await ask(http_server_client, "/api/jobs", X_Api_Key=READER, X_More="x" * (LARGEST_HEADERS - 500))
    assert reply.status == 200


async def test_a_long_address_fills_no_log(
    http_server_client: AsyncHTTPServerClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await ask(http_server_client, "/" + "x" * 60_000)
        await asyncio.sleep(0)
    assert max(len(record.getMessage()) for record in caplog.records) < 1000
