"""`make mutate`: put each fault of the table into a copy of the code, and see that a test fails.

The checkout is never touched. A fault whose place is not there exactly once, and tests that fail without any
fault, fail loudly. `python -m tests.mutations PART` takes the mutations whose path holds PART.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from tests.mutations.table import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]
COPIED = (
    "backend",
    "tests",
    "reference",
    "docs",
    "pyproject.toml",
    "README.md",
    "docker-compose.yml",
    "Makefile",
)
SIDE_BY_SIDE = 3
SECONDS = 300
"""For one fault: a mutation that makes a test hang is noticed, too."""

LONGEST_SAID = 4000
"""Characters of what pytest said, from the end."""

PASSED, FAILED = 0, 1
"""Of pytest's exit codes the others are no test's word: nothing found, broken files, interrupted."""


def main(part: str = "") -> int:
    """0 if each mutation is noticed."""
    chosen = [one for one in MUTATIONS if part in one.path]
    if misplaced := [one for one in chosen if _text(one).count(one.old) != 1]:
        for one in misplaced:
            print(f"{one.path}: {one.old!r} does not stand there exactly once: mend the table")
        return 1
    with TemporaryDirectory(prefix="mutations-") as folder, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(SIDE_BY_SIDE):
            copies.put(_copied(Path(folder) / str(number)))
        files = sorted({name for one in chosen for name in one.tests})
        unsound = [said for said in pool.map(partial(_run, copies), files) if said]
        if unsound:
            print("these fail without any mutation:", *unsound, sep="\n")
            return 1
        noticed = list(pool.map(partial(_try, copies), chosen))
    survivors = [one for one, is_noticed in zip(chosen, noticed, strict=True) if not is_noticed]
    for one in survivors:
        print(f"SURVIVED {one.path}: {one.old!r} -> {one.new!r}, in spite of {', '.join(one.tests)}")
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutations are noticed")
    return 1 if survivors else 0


def _text(one: Mutation) -> str:
    return (ROOT / "backend" / one.path).read_text()


def _copied(folder: Path) -> Path:
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


@contextmanager
def _one_of(copies: SimpleQueue[Path]) -> Iterator[Path]:
    copy = copies.get()
    try:
        yield copy
    finally:
        copies.put(copy)


def _run(copies: SimpleQueue[Path], name: str) -> str:
    """What pytest says of tests that fail, nothing of those that pass."""
    with _one_of(copies) as copy:
        code, said = _tested(copy, [name])
        return "" if code == PASSED else f"{name}:\n{said[-LONGEST_SAID:]}"


def _try(copies: SimpleQueue[Path], one: Mutation) -> bool:
    """Whether a test fails, not a file that cannot be read."""
    text = _text(one)
    mutated = text.replace(one.old, one.new)
    compile(mutated, one.path, "exec")
    with _one_of(copies) as copy:
        path = copy / "backend" / one.path
        path.write_text(mutated)
        try:
            return _tested(copy, one.tests)[0] == FAILED
        finally:
            path.write_text(text)


def _tested(copy: Path, names: Sequence[str]) -> tuple[int, str]:
    """pytest's exit code, and what it said."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "--hypothesis-profile=thorough",
    ]
    try:
        done = subprocess.run(
            [*command, *(f"tests/{name}" for name in names)],
            cwd=copy,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return FAILED, f"it took over {SECONDS} seconds"
    return done.returncode, done.stdout


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
