"""Headers of answers that are kept: what they are called, and how to know them again. Pure."""

from __future__ import annotations

from hashlib import blake2b
from urllib.parse import quote

from backend.services.validators import Validator
from backend.web.reading import Reading

SHAPE = 1
"""To be raised whenever an answer to the same question about the same candles changes."""


def entity_tag(validator: Validator, asked: Reading, coding: str | None) -> str:
    """A strong entity tag: the facts behind an answer, and how it is written."""
    facts = (SHAPE, validator, asked.wanted, asked.format.name, asked.layout, asked.page, coding)
    return f'"{blake2b(repr((*facts, asked.descending)).encode(), digest_size=16).hexdigest()}"'


def disposition(file_name: str) -> str:
    """A `Content-Disposition` header; names beyond ASCII as RFC 6266 has them."""
    plain = file_name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name)}"
