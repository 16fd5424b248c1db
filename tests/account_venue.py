"""A venue that tells an account what a test wants it to tell, over HTTP; it does not check signatures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.bitget_rows import (
    MIX_ACCOUNT,
    MIX_ORDER,
    SPOT_ASSET,
    UNIFIED_ASSET,
)

Said = dict[str, Any]


def told(data: Any) -> Said:
    """A success of Bitget's."""
    return {"code": "00000", "msg": "success", "requestTime": 1767225600123, "data": data}


def refused(code: str, msg: str = "no") -> Said:
    """A refusal of Bitget's."""
    return {"code": code, "msg": msg, "requestTime": 1767225600123, "data": None}


INFO = {"userId": "714", "ips": "192.0.2.7", "authorities": ["coor", "stor"], "regisTime": "1700000000000"}


class ScriptedBitget:
    """Answers each path with what `answers` has for it: a body, or bytes; a list is used up to its last one.
    `asked` are the requests that came."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.url = ""
        self.asked: list[web.Request] = []
        self.answers: dict[str, Any] = {
            "/api/v3/account/assets": refused("40084", "classic account"),
            "/api/v2/spot/account/info": told(INFO),
            "/api/v3/account/info": told(
                {"userId": "714", "ips": "", "permType": "read-only", "permissions": ["uta_trade"]}
            ),
            "/api/v2/mix/account/accounts": told([MIX_ACCOUNT]),
            "/api/v2/spot/account/assets": told([SPOT_ASSET]),
            "/api/v2/common/trade-rate": told({"makerFeeRate": "0.0002", "takerFeeRate": "0.0006"}),
            "/api/v2/mix/position/all-position": told([]),
            "/api/v2/spot/trade/unfilled-orders": told([]),
        }
        self.wait_for: Callable[[], Awaitable[object]] | None = None
        """What is waited for before each answer."""
        self._now = now

    def become_unified(self) -> None:
        """Be a unified account from now on."""
        self.answers["/api/v3/account/assets"] = told({"accountEquity": "1", "assets": [UNIFIED_ASSET]})

    def paths(self) -> list[str]:
        """The paths that came, but for the clock's."""
        return [one.path for one in self.asked if one.path != "/api/v2/public/time"]

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        if self.wait_for is not None:
            await self.wait_for()
        if request.path == "/api/v2/public/time":
            return web.json_response(told({"serverTime": str(self._now())}))
        if request.path == "/api/v2/mix/order/orders-pending" and request.path not in self.answers:
            asked_for = request.query["productType"] == "USDT-FUTURES" and "idLessThan" not in request.query
            rows = [MIX_ORDER | {"status": "live"}] if asked_for else []
            return web.json_response(told({"entrustedList": rows, "endId": "1111" if rows else None}))
        said = self.answers[request.path]
        if isinstance(said, list):
            said = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(said, bytes):
            return web.Response(body=said)
        return web.Response(
            body=json.dumps(said).encode(),
            status=200 if said["code"] == "00000" else 400,
            content_type="application/json",
        )


@asynccontextmanager
async def scripted_bitget(now: Callable[[], int]) -> AsyncIterator[ScriptedBitget]:
    """The venue as a server on this machine, whose clock shows `now` (ms)."""
    venue = ScriptedBitget(now)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", venue.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server = site._server
    assert isinstance(server, asyncio.Server)
    venue.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield venue
    finally:
        await runner.cleanup()
