"""Which of some processes does something: each of them names the same one, and nobody has to be asked.

Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b


def chosen(name: str, among: Iterable[str]) -> str | None:
    """One of `among`, None where there are none. Names spread over all of them. If one of them comes or goes,
    only its own names move."""
    return max(among, key=lambda one: digest(f"{one} {name}"), default=None)


def digest(text: str) -> int:
    """A number of 64 bits, the same in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
