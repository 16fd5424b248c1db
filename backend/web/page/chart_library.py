"""The chart library: a file of the package `litecharts`, used only if its bytes are the known ones.

The package's own code is never imported. Without the file the page works, less the chart.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

log = logging.getLogger(__name__)

PACKAGE = "litecharts"
FILE = "litecharts/js/lightweight-charts.js"
SHA256 = "756b0ba9f58930226d6b8b9d47ad310448ab85d799ea1f7c2c02304777c10b52"
"""Of lightweight-charts 5.1.0, the file `lightweight-charts.standalone.production.js` of its npm package."""


@lru_cache
def chart_library() -> bytes | None:
    """The library, None if it is not installed or is unknown; that is logged once."""
    library = _installed()
    if library is None:
        log.warning(
            "the package %s is not installed, so the page has no chart: install requirements.txt", PACKAGE
        )
    elif not is_known(library):
        log.warning(
            "the package %s has an unknown chart library, so the page has no chart: install requirements.txt",
            PACKAGE,
        )
        return None
    return library


def is_known(library: bytes) -> bool:
    """Whether these are the bytes that we have tried."""
    return sha256(library).hexdigest() == SHA256


def _installed() -> bytes | None:
    try:
        listed = files(PACKAGE) or []
    except PackageNotFoundError:
        return None
    place = next((Path(str(one.locate())) for one in listed if one.as_posix() == FILE), None)
    return place.read_bytes() if place and place.is_file() else None
