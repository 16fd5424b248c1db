"""API keys: read once, kept as digests only, compared in constant time."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, TypeAlias, cast

Scope: TypeAlias = Literal["read", "write", "trade", "funds", "admin"]

SCOPES: tuple[Scope, ...] = ("read", "write", "trade", "funds", "admin")
TRADING_SCOPES: frozenset[Scope] = frozenset(("trade", "funds", "admin"))
"""Scopes that need a key: no setting gives them to everybody."""

SHORTEST, LONGEST = 16, 200
EXPECTED = (
    "give name:key:scopes, separated by commas, such as bot:KEY:read,admin:KEY:read+write. Names and keys "
    "must all be different. A name has 1 to 32 letters, digits, _ or -. A key has "
    f"{SHORTEST} to {LONGEST} visible ASCII characters without , and :"
)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_KEY = re.compile(rf"[!-+\--9;-~]{{{SHORTEST},{LONGEST}}}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`digest` is the SHA-256 of the key, which is kept nowhere."""

    name: str
    digest: bytes = field(repr=False)
    scopes: frozenset[Scope]


def read_keys(text: str) -> tuple[ApiKey, ...]:
    """Read `name:key:scopes` entries; ValueError has the number of the wrong entry, but not its text."""
    entries = text.split(",") if text else []
    keys = tuple(_read_key(entry.strip(), number) for number, entry in enumerate(entries, 1))
    if len({key.name for key in keys}) < len(keys) or len({key.digest for key in keys}) < len(keys):
        raise ValueError(f"a name or a key appears twice: {EXPECTED}")
    return keys


def digest_of(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def find_key(keys: Sequence[ApiKey], secret: str) -> ApiKey | None:
    """The key with this secret, in constant time: compares the digests of all keys."""
    digest = digest_of(secret)
    known = None
    for key in keys:
        if hmac.compare_digest(key.digest, digest):
            known = key
    return known


def _read_key(entry: str, number: int) -> ApiKey:
    name, _, rest = entry.partition(":")
    secret, _, scopes = rest.partition(":")
    granted = scopes.split("+")
    if not (_NAME.fullmatch(name) and _KEY.fullmatch(secret) and set(granted) <= set(SCOPES)):
        raise ValueError(f"entry {number} is not valid: {EXPECTED}")
    return ApiKey(name, digest_of(secret), frozenset(cast(list[Scope], granted)))
