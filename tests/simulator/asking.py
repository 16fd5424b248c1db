"""A small client for tests: one question to a simulator, one reply, nothing left open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.simulator.server import Simulator


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it came over HTTP; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.text)


async def ask(
    simulator: Simulator,
    path: str,
    params: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Get a path with query parameters."""
    query = {name: str(value) for name, value in (params or {}).items()}
    async with (
        aiohttp.ClientSession() as session,
        session.get(simulator.url + path, params=query, headers=headers) as response,
    ):
        return await _reply(response)


async def post(simulator: Simulator, path: str, body: object) -> Reply:
    """Post a JSON body."""
    async with aiohttp.ClientSession() as session, session.post(simulator.url + path, json=body) as response:
        return await _reply(response)


async def klines(
    simulator: Simulator, symbol: str = "BTCUSDT", interval: str = "1m", **params: str | int
) -> list[Any]:
    """Return the rows of `GET /api/v3/klines`."""
    reply = await ask(simulator, "/api/v3/klines", {"symbol": symbol, "interval": interval, **params})
    assert reply.status == 200, reply.text
    rows: list[Any] = reply.json
    return rows


async def _reply(response: aiohttp.ClientResponse) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status, headers, await response.text())
