"""A proxy for tests: HTTP CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928, 1929) on one port.

Whatever is asked for leads to one port of this machine, so that names that nobody can resolve are exchanges.
"""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from ssl import SSLContext
from typing import Self

USER, PASSWORD = "traveller", "dummy/p@ss"

VERSION, SUB_VERSION = 5, 1
BY_PASSWORD, NOTHING_DOES = 2, 0xFF
NAME = 3
UNREACHABLE = 4


class Proxy:
    """`passed` lists what it was asked to connect to, `refused` counts who gave no or wrong credentials.

    `tls` makes it the exchange's TLS as well: what comes through the tunnel is decrypted before it goes on.
    `own_tls` is the proxy's own. It may be `silent` from the start; `broken` it reaches nothing.
    """

    def __init__(
        self,
        target: int,
        *,
        tls: SSLContext | None = None,
        own_tls: SSLContext | None = None,
        silent: bool = False,
    ) -> None:
        self.passed: list[str] = []
        self.refused = 0
        self.port = 0
        self.broken = False
        self._target = target
        self._tls = tls
        self._own_tls = own_tls
        self._silent = silent
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def url(self, scheme: str, user: str = f"{USER}:dummy%2Fp%40ss@") -> str:
        return f"{scheme}://{user}127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._own_tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._silent:
            await reader.read()
            return
        [first] = await reader.readexactly(1)
        opened = self._socks5 if first == VERSION else self._connect
        if not await opened(reader, writer):
            return
        if self._tls is not None:
            await writer.start_tls(self._tls)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        finally:
            inner_writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """The rest of `CONNECT host:port HTTP/1.1` and its headers; whether the tunnel is open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if f"Proxy-Authorization: Basic {expected}" not in head:
            self.refused += 1
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return False
        if self.broken:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return False
        self.passed.append(head[0].split()[1])
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return True

    async def _socks5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        asks = BY_PASSWORD in methods
        writer.write(bytes([VERSION, BY_PASSWORD if asks else NOTHING_DOES]))
        if not asks or not await _knows_password(reader, writer):
            self.refused += 1
            return False
        kind = (await reader.readexactly(4))[3]
        assert kind == NAME, "names are resolved by the proxy"
        name = await reader.readexactly((await reader.readexactly(1))[0])
        port = int.from_bytes(await reader.readexactly(2))
        writer.write(bytes([VERSION, UNREACHABLE if self.broken else 0, 0, 1, 0, 0, 0, 0, 0, 0]))
        if not self.broken:
            self.passed.append(f"{name.decode()}:{port}")
        return not self.broken


async def _knows_password(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    _, length = await reader.readexactly(2)
    user = await reader.readexactly(length)
    password = await reader.readexactly((await reader.readexactly(1))[0])
    right = (user.decode(), password.decode()) == (USER, PASSWORD)
    writer.write(bytes([SUB_VERSION, 0 if right else 1]))
    return right


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(1 << 16):
        writer.write(piece)
        await writer.drain()
    writer.close()
