"""Sessions of people: how long a typed key counts, and the secret that signs its cookies.

Nothing is stored for a session. Every process with the key can check its cookies. After the key has left
`API_KEYS`, no process can.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import NamedTuple

from backend.access.keys import ApiKey

HOUR = 3_600_000
SESSION_MS = 12 * HOUR
KEPT_MS = 30 * 24 * HOUR
"""Length of a session, ms: normally, and if the browser keeps it."""

ATTEMPTS_PER_MINUTE = 10
"""Most tries of keys from one address."""

_PURPOSE = b"sessions of the page"


class Session(NamedTuple):
    """The proof of a cookie: somebody sent `key` here. It is valid before `until` (ms UTC)."""

    key: ApiKey
    until: int


def signing_secret(key: ApiKey) -> bytes:
    """The secret that signs cookies of a key. Nobody can compute the digest from it."""
    return hmac.new(key.digest, _PURPOSE, sha256).digest()


def cookie_name(host: str) -> str:
    """The cookie's name for a `Host`. It contains the port, because browsers send cookies to all ports of a
    host."""
    _, colon, port = host.rpartition(":")
    return f"session_{port}" if colon and port.isascii() and port.isdigit() else "session"
