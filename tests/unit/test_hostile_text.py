"""Texts from outside meet only patterns that take time in proportion to a text's length."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile import MEETS, PLACES

ROOT = Path(__file__).parents[2]


def patterns(path: Path) -> Iterator[str]:
    """What each pattern of a file is called: the name that it is given, or the function that uses it."""
    for node in ast.parse(path.read_text()).body:
        for call in ast.walk(node):
            if (
                isinstance(call, ast.Call)
                and ast.unparse(call.func).startswith("re.")
                and _makes_pattern(call)
            ):
                name = (
                    node.targets[0] if isinstance(node, ast.Assign) else ast.Name(getattr(node, "name", ""))
                )
                yield f"{path.relative_to(ROOT)}:{ast.unparse(name)}"


def _makes_pattern(call: ast.Call) -> bool:
    return ast.unparse(call.func) != "re.escape"


def test_every_pattern_is_in_the_table() -> None:
    found = {name for path in (ROOT / "backend").rglob("*.py") for name in patterns(path)}
    assert found == MEETS.keys()
    assert set(MEETS.values()) <= PLACES.keys()


@pytest.mark.long
def test_long_hostile_texts_cost_next_to_nothing() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.hostile"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout.splitlines()[-1:]} took too long, or: {done.stderr}"
