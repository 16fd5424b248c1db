"""Sessions of people: for how long a key that was typed once counts, and what its cookies are signed with.

Nothing is kept of a session. Every process that knows the key can check its cookies, and none can any more
once the key has left `API_KEYS`.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import NamedTuple

from backend.access.keys import ApiKey

HOUR = 3_600_000
SESSION_MS = 12 * HOUR
KEPT_MS = 30 * 24 * HOUR
"""How long a session lasts, ms: at first, and where the browser is to remember it."""

ATTEMPTS_PER_MINUTE = 10
"""Keys that may be tried from one address."""

_PURPOSE = b"sessions of the page"


class Session(NamedTuple):
    """What a cookie proves: somebody sent `key` here. It counts before `until` (ms UTC)."""

    key: ApiKey
    until: int


def signing_secret(key: ApiKey) -> bytes:
    """What cookies of a key are signed with: a secret of its own, out of which nobody gets the digest."""
    return hmac.new(key.digest, _PURPOSE, sha256).digest()


def cookie_name(host: str) -> str:
    """The cookie's name at a `Host`: browsers send cookies of one port to all ports of a host."""
    _, colon, port = host.rpartition(":")
    return f"session_{port}" if colon and port.isascii() and port.isdigit() else "session"
