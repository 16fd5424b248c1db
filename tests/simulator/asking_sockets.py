"""A small client of the simulated sockets for tests: plain aiohttp, no venue's habits but gzip."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.simulator.clock import SimulatorClock
from tests.simulator.faults import Faults
from tests.simulator.server import Simulator
from tests.simulator.sockets.faults import SocketFaults
from tests.simulator.times import parse_instant

NOON = parse_instant("2025-06-03T12:00Z")
PATIENCE = 60.0
"""Real seconds that a frame may take."""


def at_noon(*, limits: bool = True, faults: SocketFaults | None = None, after: int = 30_000) -> Simulator:
    """Return a simulator whose clock stands still so many ms after noon, without heartbeats unless the faults
    have them."""
    clock = SimulatorClock(NOON + after, frozen=True)
    switched = Faults(sockets=faults or SocketFaults(heartbeat=None))
    return Simulator(clock=clock, faults=switched, limits=limits)


class SocketSession:
    """One socket's client."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, message: Any) -> None:
        """Send a text as it is, anything else as JSON."""
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def raw(self) -> aiohttp.WSMessage:
        """Return the next message, control frames included."""
        return await asyncio.wait_for(self.socket.receive(), PATIENCE)

    async def text(self) -> str:
        """Return the next message as text, unpacked where it is binary."""
        message = await self.raw()
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        return gzip.decompress(message.data).decode() if isinstance(message.data, bytes) else message.data

    async def hear(self) -> Any:
        """Return the next message as JSON."""
        return json.loads(await self.text())

    async def ask(self, message: Any) -> Any:
        """Send a message and return what comes next."""
        await self.say(message)
        return await self.hear()

    async def until(self, wanted: Callable[[Any], bool]) -> list[Any]:
        """Return the JSON messages up to the first wanted one."""
        heard = [await self.hear()]
        while not wanted(heard[-1]):
            heard.append(await self.hear())
        return heard

    async def ended(self) -> int | None:
        """Read to the end and return its close code, 1006 where there was none."""
        while True:
            message = await self.raw()
            if message.type in (
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSING,
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            ):
                return self.socket.close_code


@asynccontextmanager
async def talking(simulator: Simulator, path: str) -> AsyncIterator[SocketSession]:
    """A socket of the simulator, which answers no ping by itself."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(simulator.url + path, autoping=False) as socket,
    ):
        yield SocketSession(socket)
