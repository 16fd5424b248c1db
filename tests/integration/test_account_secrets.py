"""No secret of an account is in a log line, an answer, the database or what commands print."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pty
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.fernet import Fernet

from backend.clock import SystemClock
from backend.store.mongo import Database
from tests.account_venue import ScriptedBitget, refused, scripted_bitget, told
from tests.integration.processes import PATIENCE, ROOT, RunningService, command, environment, free_port
from tests.private import KEYS
from tests.web.test_order_history import EMPTY

pytestmark = pytest.mark.timeout(600)
ADMIN = "dummy-admin-key-0123456789"
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
BODY = {
    "venue": "bitget",
    "mode": "live",
    "key": KEYS.key,
    "secret": KEYS.secret,
    "passphrase": KEYS.passphrase,
}
CONTRACT = {
    "symbol": "BTCUSDT",
    "minTradeNum": "0.001",
    "sizeMultiplier": "0.001",
    "priceEndStep": "1",
    "pricePlace": "1",
    "minTradeUSDT": "5",
}
ORDER = {"symbol": "BTCUSDT", "side": "sell", "size": "0.01", "reduce_only": True}
ECHO = f"invalid {KEYS.key} {KEYS.secret} {KEYS.passphrase}"


def forms() -> set[str]:
    """Every secret that is used here, as it is, in base64 and in hexadecimal digits."""
    plain = (KEYS.key, KEYS.secret, KEYS.passphrase, OLD, NEW, ADMIN)
    encoded = {base64.b64encode(one.encode()).decode().rstrip("=") for one in plain}
    return {*plain, *encoded, *(one.encode().hex() for one in plain)}


def shown(text: str) -> list[str]:
    return [form for form in forms() if form in text]


class Told:
    """A service with accounts, and all that it says to anybody."""

    def __init__(self, log: Path, settings: dict[str, str]) -> None:
        self.log, self.settings = log, settings
        self.said: list[str] = []
        self.service = RunningService(log, settings, port=free_port())

    async def call(self, path: str, body: object = None, method: str | None = None) -> tuple[int, Any]:
        """An answer, kept with its headers."""
        return await asyncio.to_thread(self._call, path, body, method)

    def _call(self, path: str, body: object, method: str | None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.service.port}{path}",
            data=data,
            method=method,
            headers={"X-Api-Key": ADMIN},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return self._kept(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return self._kept(error.code, error.headers, error.read())

    def _kept(self, status: int, headers: object, body: bytes) -> tuple[int, Any]:
        self.said += [str(headers), body.decode()]
        return status, json.loads(body)

    def run(self, *arguments: str, answers: list[str] | None = None, **settings: str) -> int:
        """A command, to whose questions `answers` are typed at a terminal."""
        if answers is None:
            process = command(*arguments, **self.settings | settings)
            self.said.append(process.communicate(timeout=PATIENCE)[0])
            return process.returncode
        master, slave = pty.openpty()
        typed = subprocess.Popen(
            [sys.executable, "-m", "backend", *arguments],
            cwd=ROOT,
            env=environment(**self.settings | settings),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        seen = b""
        waiting = list(zip((b"API key:", b"Secret:", b"Passphrase"), answers, strict=True))
        while True:
            try:
                seen += os.read(master, 4096)
            except OSError:
                break
            if waiting and waiting[0][0] in seen:
                os.write(master, waiting.pop(0)[1].encode() + b"\n")
        os.close(master)
        self.said.append(seen.decode())
        return typed.wait(PATIENCE)


@asynccontextmanager
async def told_service(
    tmp_path: Path, mongod_uri: str, database: Database
) -> AsyncIterator[tuple[Told, ScriptedBitget]]:
    async with scripted_bitget(SystemClock().now) as venue:
        venue.answers |= EMPTY
        names = (f"{one}_{mode}_ACCOUNT_URL" for one in ("BITGET", "BINGX") for mode in ("LIVE", "DEMO"))
        settings = {
            "MONGODB_URI": mongod_uri,
            "MONGODB_DATABASE": database.name,
            "API_KEYS": f"admin:{ADMIN}:read+write+trade+admin",
            "MASTER_KEYS": OLD,
            "LIVE_TRADING": "true",
            "LOG_LEVEL": "DEBUG",
            "LOG_FORMAT": "json",
            **dict.fromkeys(names, venue.url),
        }
        made = await asyncio.to_thread(Told, tmp_path / "log", settings)
        try:
            yield made, venue
        finally:
            await asyncio.to_thread(made.service.kill)


async def dump(database: Database) -> str:
    """The whole database as text."""
    return "".join(
        [str(await database[name].find().to_list(None)) for name in await database.list_collection_names()]
    )


async def test_no_secret_is_anywhere_but_sealed(tmp_path: Path, mongod_uri: str, database: Database) -> None:
    async with told_service(tmp_path, mongod_uri, database) as (service, venue):
        status, body = await service.call("/accounts", BODY)
        assert status == 201, body
        account = body["account"]["id"]
        wallet, info = "/api/v2/mix/account/accounts", "/api/v2/spot/account/info"
        healthy = venue.answers[wallet]
        for bad in (
            refused("40009", ECHO),
            refused("40018", ECHO),
            refused("40808", ECHO),
            refused("40008", ECHO),
            refused("40015", ECHO),
            refused(KEYS.secret, ECHO),
            ECHO.encode(),
            json.dumps({"code": "00000", "msg": ECHO, "data": {"secret": ECHO}}).encode(),
        ):
            venue.answers[wallet] = bad
            status, _ = await service.call("/account/balance/perpetual-usdt")
            assert status >= 400
        venue.answers[wallet] = refused("40037", ECHO)
        venue.answers["/api/v3/account/assets"] = refused("40037", ECHO)
        assert (await service.call("/accounts", BODY | {"mode": "demo"}))[0] == 502
        venue.answers["/api/v3/account/assets"] = refused("40084")
        venue.answers[wallet] = healthy
        venue.answers[info] = told({"userId": ECHO[:90], "ips": "", "authorities": [ECHO]})
        await service.call(f"/accounts/{account}/check", b"", "POST")
        for wrong in ({"key": [KEYS.key]}, {"secret": f"{KEYS.secret}\n"}, {KEYS.secret: 1}):
            assert (await service.call("/accounts", BODY | wrong))[0] == 400
        for text in (json.dumps(BODY)[:-1], f"[{json.dumps(BODY)}]"):
            assert (await service.call("/accounts", text.encode(), "POST"))[0] == 400
        assert (await service.call("/extract-orders", {"wait": 60}))[0] == 200
        assert (await service.call("/orders/history"))[0] == 200
        contracts, place = "/api/v2/mix/market/contracts", "/api/v2/mix/order/place-order"
        venue.answers[contracts] = told([CONTRACT])
        for bad in (
            *(refused("40009", ECHO), refused("40762", ECHO), refused("40725", ECHO), ECHO.encode()),
            told({"orderId": "17", "clientOid": ECHO[:60]}),
        ):
            venue.answers[place] = bad
            await service.call("/orders", ORDER)
        venue.answers["/api/v2/mix/account/set-leverage"] = refused("40725", ECHO)
        venue.answers["/api/v2/mix/account/account"] = refused("40725", ECHO)
        await service.call("/account/leverage", {"symbol": "BTCUSDT", "leverage": 5}, "PATCH")
        assert (await service.call("/intents"))[1]["count"] == 5
        assert (await service.call("/audit"))[0] == 200
        assert await asyncio.to_thread(service.run, "accounts", "list") == 0
        typed = [KEYS.key, KEYS.secret, KEYS.passphrase]
        arguments = ("accounts", "add", "bitget", "--mode", "demo")
        assert await asyncio.to_thread(lambda: service.run(*arguments, answers=typed)) == 0
        venue.answers[wallet] = refused("40009", ECHO)
        assert await asyncio.to_thread(lambda: service.run("accounts", "check", "nothing")) == 1
        service.service.process.send_signal(signal.SIGABRT)
        await asyncio.to_thread(service.service.process.wait, PATIENCE)
        log = service.log.read_text()
        assert f"account {account}" in log
        assert [shown(text) for text in service.said if shown(text)] == []
        assert shown(log) == []
        assert shown(await dump(database)) == []
        assert shown(f"so a text with {KEYS.secret} would be seen")


async def test_keys_are_sealed_anew_while_the_service_runs(
    tmp_path: Path, mongod_uri: str, database: Database
) -> None:
    async with told_service(tmp_path, mongod_uri, database) as (service, venue):
        assert (await service.call("/accounts", BODY))[0] == 201
        both = {"MASTER_KEYS": f"{NEW},{OLD}"}
        await asyncio.to_thread(service.service.stop)
        service.settings |= both
        service.service = await asyncio.to_thread(RunningService, service.log, service.settings)
        before = await database["accounts"].find_one({})
        assert (await service.call("/account/balance"))[0] == 200
        assert await asyncio.to_thread(lambda: service.run("rotate-keys")) == 0
        assert "1 account" in service.said[-1]
        after = await database["accounts"].find_one({})
        assert before is not None
        assert after is not None
        assert before["sealed_by"] != after["sealed_by"]
        assert (await service.call("/account/balance/spot"))[0] == 200
        assert await asyncio.to_thread(lambda: service.run("rotate-keys")) == 0
        assert "0 account" in service.said[-1]
        assert await asyncio.to_thread(lambda: service.run("rotate-keys", MASTER_KEYS=OLD)) == 1
        assert await asyncio.to_thread(lambda: service.run("new-master-key", MASTER_KEYS="")) == 0
        assert len(service.said[-1].split()[-1]) == 44
        assert venue.asked
        assert isinstance(venue.asked[0], web.Request)
        assert shown(service.log.read_text()) == []
