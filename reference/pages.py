"""All pages, by their path in the repository."""

from __future__ import annotations

from pathlib import Path

from reference.api_page import api_page
from reference.coverage_picture import coverage_picture
from reference.dotenv_example import dotenv_example
from reference.errors_page import errors_page
from reference.settings_page import settings_page

ROOT = Path(__file__).parents[1]


def pages() -> dict[str, str]:
    return {
        ".env.example": dotenv_example(),
        "docs/coverage.svg": coverage_picture(),
        "docs/reference/api.md": api_page(),
        "docs/reference/errors.md": errors_page(),
        "docs/reference/settings.md": settings_page(),
    }
