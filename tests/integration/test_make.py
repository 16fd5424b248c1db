"""What `make` leaves and what it does again, in a copy of the checkout with a small stand-in for `.venv`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEFT_OUT = (
    *(".git", ".venv*", "data", "build", "htmlcov", ".coverage*", ".hypothesis", ".compose-check"),
    *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", "node_modules"),
)
PROGRAMS = {
    "python": "",
    "ruff": "-m ruff",
    "mkdocs": "-m mkdocs",
    "mypy": "-m mypy backend/errors.py",
}
"""What the stand-in has; types of one file, since it is not them that this is about."""

FEW = "SUITE=.venv/bin/python -m pytest --cov=backend tests/unit/test_plan.py"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    copy = tmp_path / "checkout"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return copy


@pytest.fixture
def installed(checkout: Path) -> Path:
    """The checkout after everything was installed."""
    programs = checkout / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, arguments in PROGRAMS.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
        program.chmod(0o755)
    for stamp in (".runtime", ".dev"):
        (checkout / ".venv" / stamp).touch()
    return checkout


def make(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_clean_leaves_nothing_of_what_make_made(checkout: Path, request: pytest.FixtureRequest) -> None:
    before = files(checkout)
    request.getfixturevalue("installed")
    make(checkout, "docs", "check", "coverage", FEW)
    made = {path.partition("/")[0] for path in files(checkout) - before}
    assert {"build", "htmlcov", ".coverage", ".mypy_cache", ".ruff_cache", ".pytest_cache", "backend"} <= made
    make(checkout, "clean")
    assert files(checkout) == before


def test_what_is_installed_is_not_installed_again(installed: Path) -> None:
    said = make(installed, "-n", "test")
    assert "-m pytest" in said
    assert "pip install" not in said


@pytest.mark.parametrize("changed", ["requirements.txt", "requirements-embedded.txt", "requirements-dev.txt"])
def test_changed_requirements_are_installed(installed: Path, changed: str) -> None:
    newer = (installed / ".venv" / ".dev").stat().st_mtime + 10
    os.utime(installed / changed, (newer, newer))
    assert "pip install" in make(installed, "-n", "test")
