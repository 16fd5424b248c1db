"""Names of the service: the valid `Host` headers.

A foreign site can let its own name point to this machine (DNS rebinding). The browser then thinks that the
service is that site. But it still sends the site's name as `Host`. Addresses have no such name.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

LOOPBACK = "localhost"

_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,31}")
_HOST = re.compile(r"\[([0-9a-f:.]{2,45})\](?::[0-9]{1,5})?|([a-z0-9._-]{1,254})(?::[0-9]{1,5})?")


def read_names(text: str) -> frozenset[str]:
    """Read names, separated by commas; ValueError says what is expected."""
    names = frozenset(name for item in text.split(",") if (name := item.strip().lower()))
    if not all(_NAME.fullmatch(name) for name in names):
        raise ValueError(
            "give names such as candles.example.com or backend without ports, separated by commas"
        )
    return names


def is_ours(host: str, names: frozenset[str]) -> bool:
    """Whether a `Host` header, at any port, is one of `names`, of this machine's loopback, or an address."""
    match = _HOST.fullmatch(host.lower())
    if match is None:
        return False
    if match[1]:
        return _is_address(match[1])
    name = match[2].removesuffix(".")
    return name == LOOPBACK or name.endswith(f".{LOOPBACK}") or name in names or _is_address(name)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
