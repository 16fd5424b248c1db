"""Reads which part of a file a request wants. Pure.
https://www.rfc-editor.org/rfc/rfc9110#name-range-requests"""

from __future__ import annotations

import re

_ONE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.ASCII)


def part(header: str, size: int) -> range | None:
    """The bytes that a `Range` header wants of `size`; an empty range if it is beyond the end.

    None means the whole file: for several ranges, and for an unreadable header, which HTTP allows to ignore.
    """
    match = _ONE.fullmatch(header)
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return range(max(0, size - int(suffix)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def content_range(wanted: range, size: int) -> str:
    """What a `Content-Range` header says of a part, or of what lies beyond the end."""
    return f"bytes {wanted.start}-{wanted.stop - 1}/{size}" if wanted else f"bytes */{size}"
