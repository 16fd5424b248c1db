"""A file of a public archive, and the way to the one text inside a zip."""

from __future__ import annotations

import zlib
from io import BytesIO
from struct import error as StructError
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from backend.core.windows import Window

LARGEST_TEXT = 64 * 1024 * 1024
"""Largest unzipped text, in bytes. A month of minutes has about six million."""

ENCRYPTED = 0x1


class ArchiveFile(NamedTuple):
    """A zip with the candles of `window`: `path` below the archive's base URL, `member` the text inside."""

    path: str
    member: str
    window: Window

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class BadZip(ValueError):
    """Not a zip with one text of a reasonable size; the message says why."""


def only_text(body: bytes, member: str | None = None) -> tuple[str, bytes]:
    """The name and the bytes of the one file in a zip. If `member` is given, the file must have that name."""
    try:
        with ZipFile(BytesIO(body)) as archive:
            file = _only_member(archive.infolist())
            if member is not None and file.filename != member:
                raise BadZip(f"it contains {file.filename[:100]!r} instead of {member}")
            with archive.open(file) as text:
                return file.filename, _bounded(text.read(LARGEST_TEXT + 1))
    except BadZip:
        raise
    except (
        *(BadZipFile, EOFError, zlib.error, StructError),
        *(ValueError, OSError, OverflowError, NotImplementedError),
    ) as error:
        raise BadZip(f"it cannot be unzipped: {error}") from error


def _only_member(members: list[ZipInfo]) -> ZipInfo:
    if len(members) != 1:
        raise BadZip(f"it contains {len(members)} files instead of one")
    (member,) = members
    if member.flag_bits & ENCRYPTED:
        raise BadZip("it is encrypted")
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BadZip(f"it has an unknown compression (number {member.compress_type})")
    if member.file_size > LARGEST_TEXT:
        raise BadZip(f"its text has over {LARGEST_TEXT} bytes")
    return member


def _bounded(text: bytes) -> bytes:
    if len(text) > LARGEST_TEXT:
        raise BadZip(f"its text has over {LARGEST_TEXT} bytes")
    return text
