"""docs/reference/settings.md: every setting with its default and meaning."""

from __future__ import annotations

from backend.settings import SETTINGS
from reference.markdown import page, table

ABOUT = """\
The service reads its settings from the environment and from a file `.env` in the folder where it starts. A
variable of the environment replaces one in the file. An empty value counts as unset. If a value is wrong,
the service does not start, and a sentence names the variable. To begin, copy
[`.env.example`](../../.env.example): it has all of them."""


def settings_page() -> str:
    rows = [(f"`{setting.name}`", setting.default, setting.about) for setting in SETTINGS]
    return page("Settings", ABOUT, table(("variable", "default", "meaning"), rows))
