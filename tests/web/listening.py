"""Reads streams of server-sent events as they come, over a real connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pytest_tornasync.plugin import AsyncHTTPServerClient


class Ear:
    """Reads server-sent events."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self.last = ""
        self.heard: list[tuple[str, Any]] = []

    async def next(self) -> tuple[str, Any]:
        while True:
            lines = (await self._reader.readuntil(b"\n\n")).decode().strip().split("\n")
            if lines[0].startswith("id: "):
                self.last = lines[0][4:]
                event = lines[1].removeprefix("event: "), json.loads(lines[2].removeprefix("data: "))
                self.heard.append(event)
                return event

    async def until(self, wanted: Callable[[str, Any], bool]) -> Any:
        """What comes with the first event that is wanted."""
        async with asyncio.timeout(60):
            while True:
                name, data = await self.next()
                if wanted(name, data):
                    return data


@asynccontextmanager
async def listening(client: AsyncHTTPServerClient, path: str, last: str = "") -> AsyncIterator[Ear]:
    """A connection that reads the events of a path."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.get_http_port())
    header = f"Last-Event-ID: {last}\r\n" if last else ""
    writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n{header}\r\n".encode())
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        assert b" 200 " in head.splitlines()[0]
        yield Ear(reader)
    finally:
        writer.close()
        await writer.wait_closed()
