"""`/api/session`: a key typed once becomes a cookie, which then is as good as the key for our own page."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application

from backend.access.keys import read_keys
from backend.access.origins import read_origins
from backend.access.policy import Access
from backend.access.sessions import ATTEMPTS_PER_MINUTE, Session, cookie_name
from backend.clock import SystemClock
from backend.services.service import Service
from backend.web.routes import make_application
from backend.web.server.sessions import Sessions
from backend.web.streams.websocket import SESSION_OVER
from tests.sockets import HANDSHAKE
from tests.web.client import Reply, error_code, send

READER, WRITER = "reader-0123456789", "writer-0123456789"
KEYS = read_keys(f"bot:{READER}:read,admin:{WRITER}:read+write")
CLOSED = Access(keys=KEYS, origins=read_origins("http://localhost:3000"))

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def access() -> Access:
    return CLOSED


@pytest.fixture
def app(service: Service, access: Access) -> Application:
    return make_application(service, access=access, base_path="/of/candles")


async def ask(
    client: AsyncHTTPServerClient, path: str, method: str = "GET", body: object = None, **headers: str
) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await send(
        client,
        path,
        method=method,
        headers=named,
        body=None if body is None else json.dumps(body),
        allow_nonstandard_methods=True,
    )


def own(client: AsyncHTTPServerClient) -> dict[str, str]:
    return {"Origin": f"http://127.0.0.1:{client.get_http_port()}"}


async def log_in(client: AsyncHTTPServerClient, key: str, **more: Any) -> Reply:
    return await ask(client, "/api/session", "POST", {"key": key, **more}, **own(client))


def cookie_of(reply: Reply) -> str:
    text: str = reply.headers["Set-Cookie"].partition(";")[0]
    return text


async def test_a_key_becomes_a_cookie_that_reads_and_writes_as_the_key_does(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    client = http_server_client
    assert error_code(await ask(client, "/api/jobs")) == "missing_key"
    for key, name, scopes, deleted in (
        (READER, "bot", ["read"], "missing_scope"),
        (WRITER, "admin", ["read", "write"], "unknown_job"),
    ):
        begun = await log_in(client, key)
        cookie = cookie_of(begun)
        told = (await ask(client, "/api/session", Cookie=cookie)).body
        assert begun.body == told
        assert (told["key"], told["scopes"]) == (name, scopes)
        assert told["until"] > "2025"
        assert (await ask(client, "/api/jobs", Cookie=cookie)).status == 200
        reply = await ask(client, "/api/jobs/x", "DELETE", Cookie=cookie, **own(client))
        assert error_code(reply) == deleted
        assert (await ask(client, "/api/about", Cookie=cookie)).body["key"] == name


async def test_the_cookie_is_for_this_service_alone_and_no_script_reads_it(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    client = http_server_client
    told = (await log_in(client, READER)).headers
    name, *attributes = [part.strip() for part in told["Set-Cookie"].split(";")]
    assert name.startswith(f"session_{client.get_http_port()}=")
    assert set(attributes) == {"HttpOnly", "Path=/of/candles", "SameSite=Strict"}
    assert told["Cache-Control"] == "no-store"
    kept = (await log_in(client, READER, keep=True)).headers["Set-Cookie"]
    assert "Max-Age=2592000" in kept
    encrypted = {"Origin": f"https://127.0.0.1:{client.get_http_port()}"}
    reply = await ask(client, "/api/session", "POST", {"key": READER}, **encrypted)
    assert "; Secure" in reply.headers["Set-Cookie"]


async def test_who_has_no_session_is_told_so_without_an_error(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    nobody: dict[str, Any] = {"success": True, "key": None, "scopes": [], "until": None}
    assert (await ask(http_server_client, "/api/session")).body == nobody
    made_up = f"session_{http_server_client.get_http_port()}=2|1:0|10:1750000000|4:name|4:MQ==|abc"
    assert (await ask(http_server_client, "/api/session", Cookie=made_up)).body == nobody
    with_key = await ask(http_server_client, "/api/session", X_Api_Key=READER)
    assert (with_key.body["key"], with_key.body["until"]) == ("bot", None)
    assert error_code(await ask(http_server_client, "/api/session", X_Api_Key="wrong")) == "invalid_key"


@pytest.mark.parametrize("access", [Access(), Access(keys=KEYS, public_read=True)])
async def test_what_needs_no_key_is_among_the_scopes(http_server_client: AsyncHTTPServerClient) -> None:
    assert "read" in (await ask(http_server_client, "/api/session")).body["scopes"]


async def test_a_key_in_a_header_wins(http_server_client: AsyncHTTPServerClient) -> None:
    cookie = cookie_of(await log_in(http_server_client, WRITER))
    reply = await ask(http_server_client, "/api/about", Cookie=cookie, X_Api_Key=READER)
    assert reply.body["key"] == "bot"
    reply = await ask(http_server_client, "/api/about", Cookie=cookie, X_Api_Key="wrong")
    assert error_code(reply) == "invalid_key"
    reply = await ask(http_server_client, "/api/jobs/x", "DELETE", Cookie=cookie, X_Api_Key=WRITER)
    assert error_code(reply) == "unknown_job"


FOREIGN: tuple[dict[str, str], ...] = (
    {},
    {"Origin": "http://localhost:3000"},
    {"Origin": "https://evil.example"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "none"},
    {"Sec_Fetch_Site": "same-site", "Origin": "http://localhost:3000"},
)


@pytest.mark.parametrize("headers", FOREIGN)
async def test_no_other_page_changes_anything_by_the_cookie(
    http_server_client: AsyncHTTPServerClient, headers: dict[str, str]
) -> None:
    """Nor does one that CORS_ORIGINS trusts: it has a key of its own."""
    cookie = cookie_of(await log_in(http_server_client, WRITER))
    for path, method in (("/api/jobs/x", "DELETE"), ("/api/sync", "POST"), ("/api/follow", "POST")):
        reply = await ask(http_server_client, path, method, {"symbol": "X"}, Cookie=cookie, **headers)
        assert error_code(reply) in ("foreign_origin", "missing_key"), path
    upgrade = {name.replace("-", "_"): value for name, value in HANDSHAKE.items()} | headers
    reply = await ask(http_server_client, "/api/stream?series=binance:spot:BTCUSDT", Cookie=cookie, **upgrade)
    assert error_code(reply) in ("foreign_origin", "missing_key")


async def test_no_other_page_begins_or_ends_a_session(http_server_client: AsyncHTTPServerClient) -> None:
    for method in ("POST", "DELETE"):
        for headers in FOREIGN[1:]:
            reply = await ask(http_server_client, "/api/session", method, {"key": READER}, **headers)
            assert error_code(reply) == "foreign_origin"
            assert "Set-Cookie" not in reply.headers


async def test_to_end_a_session_the_browser_is_told_to_forget_it(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await ask(http_server_client, "/api/session", "DELETE", **own(http_server_client))
    assert reply.body["key"] is None
    assert reply.headers["Set-Cookie"].startswith(f'session_{http_server_client.get_http_port()}="";')
    assert "expires=" in reply.headers["Set-Cookie"]


async def test_keys_that_are_tried_are_limited_by_address(http_server_client: AsyncHTTPServerClient) -> None:
    for number in range(ATTEMPTS_PER_MINUTE):
        reply = await log_in(http_server_client, f"guess-of-mine-{number}")
        assert (reply.status, error_code(reply)) == (401, "invalid_key")
    reply = await log_in(http_server_client, READER)
    assert (reply.status, error_code(reply)) == (429, "too_many_attempts")
    assert 1 <= int(reply.headers["Retry-After"]) <= 6


@pytest.mark.parametrize("body", [{}, {"key": ""}, {"key": 7}, {"key": None}, {"key": [READER]}])
async def test_what_is_no_key_is_none_of_ours(
    http_server_client: AsyncHTTPServerClient, body: object
) -> None:
    reply = await ask(http_server_client, "/api/session", "POST", body, **own(http_server_client))
    assert error_code(reply) == "invalid_key"


async def test_neither_key_nor_cookie_comes_into_the_log(
    http_server_client: AsyncHTTPServerClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        cookie = cookie_of(await log_in(http_server_client, READER))
        await log_in(http_server_client, "a-wrong-key-of-mine")
        await ask(http_server_client, "/api/jobs", Cookie=cookie)
        await ask(http_server_client, "/api/jobs", Cookie=f"{cookie[:-2]}00")
    assert len(caplog.records) >= 4
    for word in (READER, "a-wrong-key", cookie.partition("=")[2].strip('"')[-30:]):
        assert word not in caplog.text


async def short_session(client: AsyncHTTPServerClient) -> str:
    """The cookie of a session that ends in two seconds."""
    clock, host = SystemClock(), f"127.0.0.1:{client.get_http_port()}"
    start = RequestStartLine("GET", "/", "HTTP/1.1")
    request = HTTPServerRequest(start_line=start, headers=HTTPHeaders({"Host": host}))
    value = Sessions(KEYS, clock).signed(request, Session(KEYS[0], clock.now() + 2000))
    return f'{cookie_name(host)}="{value}"'


async def test_a_stream_ends_with_the_session_that_it_was_opened_by(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    port = http_server_client.get_http_port()
    for upgrade, begins in (({}, b" 200 "), (HANDSHAKE, b" 101 ")):
        head = b" 401 "
        while b" 401 " in head:  # where the machine took two seconds to ask
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            headers = {"Host": f"127.0.0.1:{port}", "Cookie": await short_session(http_server_client)}
            headers |= {"Sec-Fetch-Site": "same-origin", **upgrade}
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            version = "HTTP/1.1" if upgrade else "HTTP/1.0"
            writer.write(f"GET /api/changes {version}\r\n{lines}\r\n".encode())
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)).splitlines()[0]
            rest = await asyncio.wait_for(reader.read(), 60)
            writer.close()
            await writer.wait_closed()
        assert begins in head
        if upgrade:
            assert rest.endswith(SESSION_OVER.encode())
