"""Clients of WebSockets: a well-behaved one, and one of raw frames that does as little as a test wants."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
PATIENCE = 60.0


class Frame(NamedTuple):
    kind: int
    payload: bytes

    @property
    def closing(self) -> tuple[int, str]:
        """The code and the reason of a closing frame."""
        assert self.kind == CLOSE
        return struct.unpack(">H", self.payload[:2])[0], self.payload[2:].decode()


class Socket:
    """A socket that answers pings and reads what comes."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self._over = False

    async def say(self, text: str) -> None:
        await self._connection.write_message(text)

    async def messages(self, count: int) -> list[dict[str, Any]]:
        """The next so many messages."""
        async with asyncio.timeout(PATIENCE):
            return [json.loads(await self._next() or "") for _ in range(count)]

    async def closing(self) -> tuple[int | None, str | None]:
        """How the service ends it, whatever it says before."""
        async with asyncio.timeout(PATIENCE):
            while not self._over:
                await self._next()
        return self._connection.close_code, self._connection.close_reason

    async def close(self) -> None:
        self._connection.close()
        await self.closing()

    async def _next(self) -> str | bytes | None:
        message = await self._connection.read_message()
        self._over = message is None
        return message


@asynccontextmanager
async def connected(
    client: AsyncHTTPServerClient, query: str, path: str = "/api/stream", **headers: str
) -> AsyncIterator[Socket]:
    """A well-behaved client."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    address = f"ws://127.0.0.1:{client.get_http_port()}{path}?{query}"
    socket = Socket(await websocket_connect(HTTPRequest(address, headers=named)))
    try:
        yield socket
    finally:
        await socket.close()


class RawSocket:
    """Frames as they are: nothing is answered by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def frame(self) -> Frame:
        async with asyncio.timeout(PATIENCE):
            head, size = await self.reader.readexactly(2)
            if size == 126:
                [size] = struct.unpack(">H", await self.reader.readexactly(2))
            return Frame(head & 0x0F, await self.reader.readexactly(size))

    async def last_frame(self) -> Frame:
        """The last frame of all that come."""
        frame = await self.frame()
        while frame.kind != CLOSE:
            frame = await self.frame()
        return frame

    def send(self, kind: int, payload: bytes) -> None:
        """Send a short frame; its mask is zero."""
        self.writer.write(struct.pack("BB", 0x80 | kind, 0x80 | len(payload)) + bytes(4) + payload)

    def announce(self, size: int) -> None:
        """Begin a text of so many bytes."""
        self.writer.write(struct.pack(">BBH", 0x80 | TEXT, 0x80 | 126, size))


@asynccontextmanager
async def raw_socket(port: int, query: str) -> AsyncIterator[RawSocket]:
    """A socket after its handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
    writer.write(f"GET /api/stream?{query} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert b" 101 " in head.splitlines()[0]
        yield RawSocket(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()
