"""The HTTP server. Its limits bound how long it waits for slow clients.

Tornado bounds the time of requests' heads and bodies. This bounds clients that do not read, very large heads,
and the number of connections.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import msgspec
from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.web import Application

from backend.web.server.client_connection import ClientTimes, Connection
from backend.web.server.guard import SECURITY_HEADERS
from backend.web.server.http_errors import HTTP_ERRORS, error_body

LARGEST_HEAD = 128 * 1024
"""A head up to this size (bytes) is read to its end, so that the answer can say what is too large."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`head_seconds` bounds the time until a request's head is complete, idleness before it included;
    `body_seconds` that of its body. At most `connections` are open at once, and `spare` more, on which only
    `/health` and what is below it is answered: who looks after the service gets in when it is full."""

    head_seconds: float = 75.0
    body_seconds: float = 30.0
    reader: ClientTimes = ClientTimes()
    connections: int = 800
    spare: int = 20


class Server(HTTPServer):
    """Handlers refuse large bodies themselves, in JSON, so it has no limit for those."""

    def initialize(self, application: Application, limits: Limits) -> None:  # type: ignore[override]
        super().initialize(
            application,
            max_body_size=2**63,
            max_header_size=LARGEST_HEAD,
            idle_connection_timeout=limits.head_seconds,
            body_timeout=limits.body_seconds,
        )
        self._limits = limits
        self._open: dict[Connection, None] = {}

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Serve a new connection. If there are too many, the connection that is idle longest is closed; if
        none is idle, the new one is spare. A connection that replaces a spare one is spare too."""
        connection = Connection(stream, self._limits.reader, HEAD_TOO_LARGE)
        if len(self._open) >= self._limits.connections:
            if idle := next((one for one in self._open if one.idle), None):
                connection.is_spare = idle.is_spare
                idle.close()
            elif len(self._open) < self._limits.connections + self._limits.spare:
                connection.is_spare = True
            else:
                connection.close()
                return
        self._open[connection] = None
        super().handle_stream(connection, address)

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        if isinstance(server_conn, HTTP1ServerConnection):
            self._open.pop(cast(Connection, server_conn.stream))


def _head_too_large() -> bytes:
    """A complete answer for a request that no handler can answer."""
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    body = msgspec.json.encode(error_body(*HTTP_ERRORS[status]))
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Content-Type: application/json; charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        "Connection: close\r\n"
    )
    security = "".join(f"{name}: {value}\r\n" for name, value in SECURITY_HEADERS)
    return f"{head}{security}\r\n".encode() + body


HEAD_TOO_LARGE = _head_too_large()
