"""X-Request-Id: in every answer, kept where it is sane, and never a way to forge anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.web.server.tracing import request_id

REQUESTS = {
    "an answer": ("GET", "/health/live", None),
    "an unknown route": ("GET", "/nothing", None),
    "a wrong method": ("DELETE", "/health", None),
    "no method at all": ("BREW", "/health", None),
    "a bad request": ("POST", "/api/sync", b"{"),
    "a body that is too large": ("POST", "/api/sync", b"x" * 100_000),
    "figures": ("GET", "/metrics", None),
}


@pytest.mark.parametrize("what", REQUESTS)
async def test_every_answer_names_its_request(http_server_client: AsyncHTTPServerClient, what: str) -> None:
    method, path, body = REQUESTS[what]
    answer = await http_server_client.fetch(
        path,
        method=method,
        body=body,
        headers={"X-Request-Id": "my-own.id_7"},
        raise_error=False,
        allow_nonstandard_methods=True,
    )
    assert answer.headers.get_list("X-Request-Id") == ["my-own.id_7"]


async def test_without_one_each_request_gets_its_own(http_server_client: AsyncHTTPServerClient) -> None:
    answers = [await http_server_client.fetch("/health/live") for _ in range(3)]
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 3


@given(st.text(max_size=100))
def test_only_a_sane_id_is_kept(given_id: str) -> None:
    kept = request_id({"X-Request-Id": given_id})
    assert kept.isascii()
    assert 1 <= len(kept) <= 64
    assert not set(kept) & set(" \t\r\n\"'\\{}[];:/<>&\x1b")


@given(st.text("abcXYZ019._-", min_size=1, max_size=64))
def test_a_sane_id_is_kept(given_id: str) -> None:
    assert request_id({"X-Request-Id": given_id}) == given_id
