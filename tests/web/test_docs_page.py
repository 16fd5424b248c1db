"""`GET /openapi.json` and `GET /docs` over HTTP."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256

from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.services.service import Service
from backend.web.api.docs import rendered


async def test_the_document_names_the_markets_that_there_are(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    answer = await http_server_client.fetch("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    found = json.loads(answer.body)
    assert found["openapi"].startswith("3.1.")
    (exchange,) = [
        one for one in found["paths"]["/api/symbols"]["get"]["parameters"] if one["name"] == "exchange"
    ]
    assert set(exchange["schema"]["enum"]) == {name for name, _ in service.markets.names()}


async def test_the_page_may_use_nothing_but_its_own_style(http_server_client: AsyncHTTPServerClient) -> None:
    answer = await http_server_client.fetch("/docs")
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    style = answer.body.partition(b"<style>")[2].partition(b"</style>")[0]
    allowed = f"style-src 'sha256-{b64encode(sha256(style).digest()).decode()}'"
    (policy,) = answer.headers.get_list("Content-Security-Policy")
    assert set(policy.split("; ")) >= {"default-src 'none'", allowed, "frame-ancestors 'none'"}


def test_the_page_is_made_once() -> None:
    names = (("binance", "spot"), ("bitget", "perpetual"))
    assert rendered(names) is rendered(tuple(names))


async def test_neither_takes_parameters(http_server_client: AsyncHTTPServerClient) -> None:
    for path in ("/openapi.json?a=1", "/docs?a=1"):
        answer = await http_server_client.fetch(path, raise_error=False)
        assert answer.code == 400
        assert json.loads(answer.body)["error"]["code"] == "unknown_parameter"
