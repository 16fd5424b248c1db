"""The sockets that tell accounts what happens: Bitget's (classic), BingX's and Extended's.

Sources: https://www.bitget.com/api-doc/common/websocket-intro, https://bingx-api.github.io/docs-v3 ("Listen
Key", "Account Data"), https://api.docs.extended.exchange ("Account updates"). What is told is the newest
state of the order that changed last.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from tests.simulator.answers import json_answer
from tests.simulator.clock import SimulatorClock
from tests.simulator.private.accounts import Account, Accounts, Asked
from tests.simulator.private.placing import Instead
from tests.simulator.private.rows import Order, Product
from tests.simulator.private.signatures import bitget_sign

BITGET = "/v2/ws/private"
EXTENDED = "/stream.extended.exchange/v1/account"
BINGX = {"/swap-market": (Product.USDT, Product.USDC), "/market": (Product.SPOT,)}
LISTEN_KEY = "/openApi/user/auth/userDataStream"
LISTEN_KEY_LIFE = 3_600_000
STEP = 0.01
"""Real seconds between two looks at the book."""
PING_EVERY = 0.05
"""Real seconds between two pings of BingX; a client that leaves `PINGS` of them unanswered is gone."""
PINGS = 100
LOGIN_WINDOW = 30
"""Seconds for which a login holds."""
BITGET_KINDS = {
    Product.USDT: "USDT-FUTURES",
    Product.USDC: "USDC-FUTURES",
    Product.COIN: "COIN-FUTURES",
    Product.SPOT: "SPOT",
}

Tell = Callable[[Order], dict[str, Any] | None]


def new_listen_key(asked: Asked) -> Any:
    """Give an account a key to its sockets, in an answer without an envelope."""
    key = uuid4().hex
    asked.account.listen_keys[key] = asked.now
    raise Instead(json_answer({"listenKey": key}))


@dataclass(slots=True)
class AccountSockets:
    """All open sockets of accounts. `deaf` has connections made that say nothing; `expire` ends the listen
    keys of all."""

    accounts: Accounts
    clock: SimulatorClock
    deaf: bool = False
    logins: int = 0
    pongs: int = 0
    _open: set[web.WebSocketResponse] = field(default_factory=set)

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._open)

    def serves(self, request: web.BaseRequest) -> bool:
        """Whether a request asks for a socket of an account."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return False
        return request.path in (BITGET, EXTENDED) or (request.path in BINGX and "listenKey" in request.query)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Stay with a connection until it ends."""
        if request.path == EXTENDED:
            account = self.accounts.get(request.headers.get("X-Api-Key", ""))
        else:
            account = None if request.path == BITGET else self._keyed(request.query["listenKey"])
        if request.path != BITGET and account is None:
            return web.Response(status=401)
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            if account is None:
                await self._bitget(socket)
            elif request.path == EXTENDED:
                await self._extended(socket, account)
            else:
                await self._bingx(socket, account, request)
        finally:
            self._open.discard(socket)
        return socket

    async def cut(self) -> None:
        """End all connections."""
        for socket in list(self._open):
            await socket.close()

    async def say(self, frame: str | bytes) -> None:
        """Send a frame to all."""
        for socket in list(self._open):
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))

    async def expire(self) -> None:
        """End the listen keys, and say so to those who have one."""
        said = gzip.compress(json.dumps({"e": "listenKeyExpired", "E": self.clock.now()}).encode())
        for account in self.accounts.values():
            account.listen_keys.clear()
        await self.say(said)

    def _keyed(self, key: str) -> Account | None:
        for account in self.accounts.values():
            if self.clock.now() - account.listen_keys.get(key, -LISTEN_KEY_LIFE) < LISTEN_KEY_LIFE:
                return account
        return None

    async def _bitget(self, socket: web.WebSocketResponse) -> None:
        account: Account | None = None
        channels: set[str] = set()
        telling: asyncio.Task[None] | None = None

        def told(order: Order) -> dict[str, Any] | None:
            kind = BITGET_KINDS[order.product]
            if kind not in channels:
                return None
            return {
                "action": "snapshot",
                "arg": {"instType": kind, "channel": "orders", "instId": "default"},
                "data": [{"orderId": str(order.number), "clientOid": order.client_id}],
                "ts": self.clock.now(),
            }

        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT or self.deaf:
                    continue
                if message.data == "ping":
                    await socket.send_str("pong")
                    continue
                said = json.loads(message.data)
                if said["op"] == "login":
                    account = self._logged_in(said["args"][0])
                    if account is None:
                        await socket.send_json({"event": "error", "code": "30005", "msg": "error"})
                        await socket.close()
                        return
                    self.logins += 1
                    await socket.send_json({"event": "login", "code": "0", "msg": ""})
                    telling = asyncio.create_task(self._tell(account, told, socket.send_json))
                elif account is None:
                    await socket.send_json({"event": "error", "code": "30004", "msg": "User needs to log in"})
                else:
                    for arg in said["args"]:
                        if arg["channel"] == "orders":
                            channels.add(arg["instType"])
                        await socket.send_json({"event": "subscribe", "arg": arg})
        finally:
            if telling is not None:
                telling.cancel()

    def _logged_in(self, said: dict[str, str]) -> Account | None:
        account = self.accounts.get(said["apiKey"])
        moment = said["timestamp"]
        if account is None or abs(int(moment) - self.clock.now() // 1000) > LOGIN_WINDOW * self.clock.speed:
            return None
        sign = bitget_sign(account.keys.secret, moment, "GET", "/user/verify")
        right = said["passphrase"] == account.keys.passphrase and said["sign"] == sign
        return account if right else None

    async def _bingx(self, socket: web.WebSocketResponse, account: Account, request: web.BaseRequest) -> None:
        products, subscribed = BINGX[request.path], request.path == "/swap-market"
        unanswered = 0

        def told(order: Order) -> dict[str, Any] | None:
            if order.product not in products or not subscribed:
                return None
            event = "executionReport" if order.product is Product.SPOT else "ORDER_TRADE_UPDATE"
            row = {"e": event, "E": self.clock.now(), "o": {"i": order.number, "c": order.client_id}}
            if order.product is Product.SPOT:
                return {"code": 0, "dataType": "spot.executionReport", "data": row}
            return row

        async def send(said: dict[str, Any]) -> None:
            await socket.send_bytes(gzip.compress(json.dumps(said).encode()))

        async def ping() -> None:
            nonlocal unanswered
            while unanswered < PINGS:
                await asyncio.sleep(PING_EVERY)
                if not self.deaf:
                    unanswered += 1
                    await socket.send_bytes(gzip.compress(b"Ping"))
            await socket.close()

        tasks = [asyncio.create_task(ping()), asyncio.create_task(self._tell(account, told, send))]
        try:
            async for message in socket:
                if message.data == "Pong":
                    unanswered = 0
                    self.pongs += 1
                elif message.type is WSMsgType.TEXT:
                    said = json.loads(message.data)
                    subscribed = subscribed or said["dataType"] == "spot.executionReport"
                    await send({"id": said["id"], "code": 0, "msg": "", "dataType": "", "data": None})
        finally:
            for task in tasks:
                task.cancel()

    async def _extended(self, socket: web.WebSocketResponse, account: Account) -> None:
        """First what there is, then each change."""
        seq = 0

        def frame(orders: list[dict[str, Any]]) -> dict[str, Any]:
            nonlocal seq
            seq += 1
            return {"type": "ORDER", "data": {"orders": orders}, "ts": self.clock.now(), "seq": seq}

        def told(order: Order) -> dict[str, Any] | None:
            row = {"id": order.number, "externalId": order.client_id}
            return frame([row]) if order.product is Product.USDC else None

        self.logins += 1
        if not self.deaf:
            await socket.send_json({"type": "BALANCE", "data": {}, "ts": self.clock.now(), "seq": 0})
        telling = asyncio.create_task(self._tell(account, told, socket.send_json))
        try:
            async for _ in socket:
                continue
        finally:
            telling.cancel()

    async def _tell(self, account: Account, told: Tell, send: Callable[[dict[str, Any]], Any]) -> None:
        """Tell each change of an order from now on; of changes between two looks only the last."""
        orders = account.book.orders
        known = orders.changes
        while True:
            await asyncio.sleep(STEP)
            if orders.changes == known or self.deaf:
                continue
            known = orders.changes
            if orders.latest is not None and (said := told(orders.latest)) is not None:
                await send(said)
