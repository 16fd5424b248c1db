"""One client's connection. It is closed if the client does not read its answer.

Handlers wait until the client has read what they wrote, so a connection holds one piece of an answer in
memory. A client that never reads would hold that piece, and the connection, for ever.
"""

from __future__ import annotations

import logging
import struct
from asyncio import Future, TimerHandle, get_running_loop
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError

log = logging.getLogger(__name__)

BUFFER = 1 << 20
RESET = struct.pack("ii", 1, 0)
"""The kernel drops unread data too, and the client sees that its answer is incomplete."""


@dataclass(frozen=True, slots=True)
class ClientTimes:
    """While data waits, a client must read `least` bytes, or everything, in each `seconds`."""

    seconds: float = 30.0
    least: int = 16 * 1024


class Connection(IOStream):
    """The socket of `accepted`. `head_too_large` is the answer to a head that is too long to read.

    A spare connection answers only requests for the service's health, and the kill switch.
    """

    def __init__(self, accepted: IOStream, patience: ClientTimes, head_too_large: bytes) -> None:
        super().__init__(accepted.socket, max_buffer_size=BUFFER)
        self._patience = patience
        self._head_too_large = head_too_large
        self._in_head = True
        self._taken = 0
        self._waiting = 0
        self._watch: TimerHandle | None = None
        self.is_spare = False

    @property
    def idle(self) -> bool:
        """Whether the client has no request under way."""
        return self._in_head and not self.closed()

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """Read the head of a request, which is all that is read like this."""
        self._in_head = True
        head = super().read_until_regex(regex, max_bytes)
        if isinstance(head, Future):
            head.add_done_callback(self._head_read)
        return head

    def write(self, data: bytes | memoryview) -> Future[None]:
        written = super().write(data)
        if not written.done():
            self._waiting += 1
            written.add_done_callback(self._written)
            if self._watch is None:
                self._watch_on()
        return written

    def write_to_fd(self, data: memoryview) -> int:
        try:
            taken = super().write_to_fd(data)
        finally:
            del data  # else the frame of an exception keeps the buffer from being changed
        self._taken += taken
        return taken

    def close(self, exc_info: Any = False) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if isinstance(exc_info, UnsatisfiableReadError) and self._in_head:
            self._in_head = False
            with suppress(StreamClosedError):
                super().write(self._head_too_large)
        super().close(exc_info)

    def _head_read(self, _head: Future[bytes]) -> None:
        self._in_head = False

    def _written(self, _written: Future[None]) -> None:
        self._waiting -= 1
        if not self._waiting and self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _watch_on(self) -> None:
        self._watch = get_running_loop().call_later(self._patience.seconds, self._look, self._taken)

    def _look(self, taken_before: int) -> None:
        if self._taken - taken_before >= self._patience.least:
            self._watch_on()
            return
        log.info("closing a connection because its client does not read")
        self.socket.setsockopt(SOL_SOCKET, SO_LINGER, RESET)
        self.close()
