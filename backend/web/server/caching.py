"""Headers of cacheable answers: file names and entity tags. Pure."""

from __future__ import annotations

from hashlib import blake2b
from importlib.metadata import version
from urllib.parse import quote

from backend.core.windows import MINUTE, count_minutes
from backend.formats.reader_request import ReaderRequest
from backend.services.reading.validators import Validator

SHAPE = (1, version("pyarrow"))
"""Increase this whenever the answer to the same question about the same candles changes by a byte."""

FRAME = 1 << 16
"""Most bytes of a file besides its values."""

SHORTEST_MONTH = 28 * 1440 * MINUTE


def entity_tag(validator: Validator, asked: ReaderRequest, coding: str | None) -> str:
    """A strong entity tag: from the facts behind an answer, and from its format."""
    facts = (SHAPE, validator, asked.wanted, asked.format.name, asked.layout, asked.page, coding)
    return f'"{blake2b(repr((*facts, asked.descending)).encode(), digest_size=16).hexdigest()}"'


def largest_size(validator: Validator, asked: ReaderRequest) -> int:
    """The largest size of a Parquet or Feather file of the answer, in bytes."""
    layout, held = asked.layout, validator.held
    width = 32 if layout.time == "iso" or "timestamp" in layout.fields else 16
    span = held[-1].end - held[0].start if held else 0
    rows = min(count_minutes(held), span // (layout.interval.step or SHORTEST_MONTH) + 2)
    return FRAME + rows * len(layout.fields) * width


def disposition(file_name: str) -> str:
    """A `Content-Disposition` header; names beyond ASCII as RFC 6266 has them."""
    plain = file_name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name)}"
