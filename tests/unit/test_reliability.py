"""`docs/design/reliability.md` names a test for all that it says, and each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/design/reliability.md").read_text()
ROWS = [
    line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| what"))
]
NAMED = sorted(set(re.findall(r"`(tests/\S+?\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("path", "name"), NAMED, ids="::".join)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    module = ast.parse((ROOT / path).read_text())
    tests = {node.name for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in tests


def test_every_line_of_the_tables_names_a_test() -> None:
    assert ROWS
    assert [row for row in ROWS if not re.search(r"\| `tests/\S+::test_\w+`[^|]*\|$", row)] == []
