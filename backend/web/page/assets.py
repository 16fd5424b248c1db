"""The files of the page, read once. Each address contains one hash over all files. So a browser may keep them
for ever, modules find each other by relative names, and no two versions mix.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import NamedTuple

from backend.web.page.chart_library import chart_library

SITE = Path(__file__).parent / "site"
SHELL = "index.html"
CHART = "lightweight-charts.js"
NO_MODULES = (CHART, "theme.js")
"""Files that browsers need not fetch early: only one screen needs the chart."""

MEDIA_TYPES = {
    ".js": "text/javascript; charset=UTF-8",
    ".css": "text/css; charset=UTF-8",
    ".svg": "image/svg+xml",
}


class Asset(NamedTuple):
    """A file in both forms: for clients that accept gzip, and for others."""

    media_type: str
    body: bytes
    compressed: bytes


class Assets(NamedTuple):
    """`mark` is the hash over all files with their names."""

    mark: str
    files: Mapping[str, Asset]


@lru_cache
def assets() -> Assets:
    """All files of the page."""
    files = {path.name: path.read_bytes() for path in sorted(SITE.iterdir()) if path.suffix in MEDIA_TYPES}
    if library := chart_library():
        files[CHART] = library
    parts = (f"{name} {sha256(body).hexdigest()}" for name, body in sorted(files.items()))
    mark = sha256("\n".join(parts).encode()).hexdigest()[:16]
    return Assets(mark, {name: _asset(name, body) for name, body in files.items()})


@lru_cache
def shell(base_path: str) -> bytes:
    """The page that every address of ours begins with; `base_path` stands before them."""
    site = assets()
    place = escape(f"{base_path}/ui/files/{site.mark}")
    modules = sorted(name for name in site.files if name.endswith(".js") and name not in NO_MODULES)
    preload = "\n".join(f'<link rel="modulepreload" href="{place}/{name}">' for name in modules)
    text = (SITE / SHELL).read_text()
    return text.replace("{files}", place).replace("{modules}", preload).encode()


def _asset(name: str, body: bytes) -> Asset:
    return Asset(MEDIA_TYPES[Path(name).suffix], body, gzip.compress(body, mtime=0))
