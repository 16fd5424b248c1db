"""Short ways to call the API in tests, through pytest-tornasync's client."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.httputil import HTTPHeaders

PATIENCE = 60.0
"""Seconds after which an answer is taken for one that never comes."""


class Reply(NamedTuple):
    status: int
    body: Any
    headers: HTTPHeaders


async def get(client: AsyncHTTPServerClient, path: str) -> Reply:
    return await send(client, path)


async def post(client: AsyncHTTPServerClient, path: str, body: object) -> Reply:
    return await send(client, path, method="POST", body=json.dumps(body))


async def send(client: AsyncHTTPServerClient, path: str, **options: Any) -> Reply:
    """Send any request; the answer must be JSON, whatever its status."""
    answer = await client.fetch(path, raise_error=False, **{"request_timeout": PATIENCE, **options})
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    return Reply(answer.code, json.loads(answer.body), answer.headers)


def error_code(reply: Reply) -> str:
    """The code of an error answer, after checking its shape: ours, or the envelope of Extended's routes."""
    if "status" in reply.body:
        assert (reply.body["status"], set(reply.body)) == ("error", {"status", "error"})
    else:
        assert reply.body["success"] is False
    assert set(reply.body["error"]) == {"code", "message"}
    code: str = reply.body["error"]["code"]
    return code
