"""Images that stand in for the published ones, made of Debian's, PyPI's and npm's packages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".compose-check"
"""Where packages and root file systems are kept for the next time."""

PYTHON = "stand-in/python:3.13"
MONGO = "mongo:8.0"
SUITE = "trixie"
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "linux_x86_64", "any")


def prepare() -> None:
    """Fetch the packages and make the root file systems, unless they are there."""
    KEPT.mkdir(exist_ok=True)
    _wheels()
    if not (KEPT / "python.tar").exists():
        _python()
    if not (KEPT / "mongo.tar").exists():
        _mongo()


def load() -> None:
    """Give them to the engine, under the names that the Dockerfile and the compose file use."""
    for name, image in (("python", PYTHON), ("mongo", MONGO)):
        change = 'ENTRYPOINT ["docker-entrypoint.sh"]' if name == "mongo" else 'CMD ["python"]'
        _run(["docker", "import", "--change", change, KEPT / f"{name}.tar", image])


def _wheels() -> None:
    folder = KEPT / "wheels"
    folder.mkdir(exist_ok=True)
    platforms = [f"--platform={platform}" for platform in PLATFORMS]
    for requirements in ("requirements.txt", "requirements-dev.txt"):
        command = [sys.executable, "-m", "pip", "download", "--quiet", f"--dest={folder}", *platforms]
        _run([*command, "--python-version=3.13", "--only-binary=:all:", "-r", ROOT / requirements])


def _python() -> None:
    """`python` and `pip` as in the published image; packages come from a folder: a build has no network."""
    _root_file_system(
        "python.tar",
        ["python3", "python3-pip", "ca-certificates", "libcurl4t64", "git", "make"],
        [
            f"copy-in {KEPT / 'wheels'} /",
            "chroot $1 ln -s /usr/bin/python3 /usr/local/bin/python",
            "rm $1/usr/lib/python3.13/EXTERNALLY-MANAGED",
            "printf '[global]\\nno-index = true\\nfind-links = /wheels\\n' > $1/etc/pip.conf",
            "rm -f $1/etc/apt/sources.list $1/etc/apt/sources.list.d/*",
        ],
    )


def _mongo() -> None:
    """The tests' own mongod, and mongosh."""
    shell = KEPT / "mongosh"
    _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", shell, "mongosh@2"])
    command = (
        "from pathlib import Path; from backend.store.embedded import find_mongod; print(find_mongod(Path()))"
    )
    found = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    _root_file_system(
        "mongo.tar",
        ["nodejs", "libcurl4t64", "ca-certificates"],
        [
            f"copy-in {shell} /opt",
            "chroot $1 ln -s /opt/mongosh/node_modules/.bin/mongosh /usr/local/bin/mongosh",
            f"upload {found.stdout.strip()} /usr/local/bin/mongod",
            f"upload {Path(__file__).with_name('mongodb-entrypoint.sh')} /usr/local/bin/docker-entrypoint.sh",
            "chmod 755 $1/usr/local/bin/mongod $1/usr/local/bin/docker-entrypoint.sh",
            "chroot $1 useradd --system --home-dir /data mongodb",
            "mkdir -p $1/data/db $1/data/configdb $1/docker-entrypoint-initdb.d",
        ],
    )


def _root_file_system(name: str, packages: Sequence[str], hooks: Sequence[str]) -> None:
    half = KEPT / f"half-{name}"
    _run(
        [
            *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}"),
            *(f"--customize-hook={hook}" for hook in hooks),
            *(SUITE, half),
        ]
    )
    half.rename(KEPT / name)


def _run(command: Sequence[str | Path]) -> None:
    subprocess.run(command, check=True, timeout=1200)
