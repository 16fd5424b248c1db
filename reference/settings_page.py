"""docs/reference/settings.md: every setting with its default and meaning."""

from __future__ import annotations

from backend.settings import SETTINGS
from reference.markdown import page, table

ABOUT = """\
The service reads its settings from the environment and from a file `.env` in the folder where it is started.
The environment wins. An empty value counts as unset. A value that makes no sense ends the start with a
sentence that names the variable. [`.env.example`](../../.env.example) has all of them to copy."""


def settings_page() -> str:
    rows = [(f"`{setting.name}`", setting.default, setting.about) for setting in SETTINGS]
    return page("Settings", ABOUT, table(("variable", "default", "meaning"), rows))
