"""Tables and pages in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def page(title: str, *parts: str) -> str:
    """A page that says that it is made."""
    made = "<!-- Made by `make docs` from the code: edit the code. -->"
    return "\n\n".join((made, f"# {title}", *filter(None, parts))) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(map(_line, (head, ["---"] * len(head), *rows)))


def _line(cells: Sequence[str]) -> str:
    return "".join(f"| {_cell(cell)} " if cell else "| " for cell in cells) + "|"


def _cell(text: str) -> str:
    """Text that cannot end its cell."""
    return text.replace("|", "\\|").replace("\n", " ")
