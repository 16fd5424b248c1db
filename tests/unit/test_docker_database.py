"""What the database's container does before MongoDB's own entrypoint runs. No Docker is needed."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "docker" / "mongodb"
ENTRYPOINT = """#!/bin/sh
echo "$@"
"""


@pytest.fixture
def container(tmp_path: Path) -> Path:
    """A folder with what the image has: a place for data, one for scripts of a first start, an entrypoint."""
    for name in ("data", "scripts", "bin"):
        (tmp_path / name).mkdir()
    entrypoint = tmp_path / "bin" / "docker-entrypoint.sh"
    entrypoint.write_text(ENTRYPOINT)
    entrypoint.chmod(0o755)
    return tmp_path


def start(container: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start it; what its entrypoint was given is what it prints."""
    found = {
        "PATH": f"{container / 'bin'}:{os.environ['PATH']}",
        "DATA": str(container / "data"),
        "FIRST_SCRIPTS": str(container / "scripts"),
        "SETUP": str(SETUP),
        "MONGO_INITDB_ROOT_USERNAME": "root",
        "MONGODB_USERNAME": "market_data",
    }
    command = ["bash", str(SETUP / "start.sh")]
    return subprocess.run(command, env=found | environment, capture_output=True, text=True, check=False)


def finish_first_start(container: Path) -> None:
    """What the entrypoint does with the scripts: the data files are there, the last script runs."""
    (container / "data" / "WiredTiger").touch()
    subprocess.run(["bash", str(container / "scripts" / "20-finished.sh")], check=True)


def test_a_first_start_makes_the_services_user_from_a_script_that_everybody_may_read(container: Path) -> None:
    assert start(container).stdout == "mongod\n"
    script = container / "scripts" / "10-service-user.js"
    assert script.read_text() == (SETUP / "service-user.js").read_text()
    assert stat.S_IMODE(script.stat().st_mode) == 0o444


def test_one_name_for_both_users_is_refused_before_anything_is_made(container: Path) -> None:
    refused = start(container, MONGODB_USERNAME="root")
    assert refused.returncode == 1
    assert "MONGODB_USERNAME and MONGODB_ROOT_USERNAME are both 'root'" in refused.stderr
    assert not [*(container / "data").iterdir(), *(container / "scripts").iterdir()]


def test_a_script_that_cannot_be_had_is_told(container: Path) -> None:
    refused = start(container, SETUP=str(container / "bin"))
    assert refused.returncode == 1
    assert "service-user.js cannot be read" in refused.stderr


def test_a_first_start_that_was_cut_off_begins_anew(container: Path) -> None:
    start(container)
    (container / "data" / "WiredTiger").touch()
    again = start(container)
    assert again.stdout == "mongod\n"
    assert "begins anew" in again.stderr
    assert not (container / "data" / "WiredTiger").exists()


def test_a_database_whose_first_start_was_finished_is_left_alone(container: Path) -> None:
    start(container)
    finish_first_start(container)
    again = start(container)
    assert again.stderr == ""
    assert [path.name for path in (container / "data").iterdir()] == ["WiredTiger"]


def test_a_database_of_before_these_scripts_is_left_alone(container: Path) -> None:
    (container / "data" / "WiredTiger").touch()
    assert start(container).stderr == ""
    assert start(container).stderr == ""
    assert [path.name for path in (container / "data").iterdir()] == ["WiredTiger"]


def test_the_cache_is_as_large_as_the_setting_says(container: Path) -> None:
    assert start(container, MONGODB_CACHE_GB="1.5").stdout == "mongod --wiredTigerCacheSizeGB 1.5\n"
