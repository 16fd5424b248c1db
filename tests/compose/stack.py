"""A checkout of this project and what its compose file starts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
OPEN_FILES = 64_000
"""What the compose file asks for."""
SETTINGS = {
    "MONGODB_ROOT_USERNAME": "root",
    "MONGODB_ROOT_PASSWORD": "dummy-root-password",
    "MONGODB_USERNAME": "market_data",
    "MONGODB_PASSWORD": "dummy-password",
}


class Stack:
    """Commands of compose in a fresh copy of what git knows. `stand_in`: the base image is one of ours."""

    def __init__(
        self, folder: Path, *, stand_in: bool, name: str = "check", mask: int = 0o022, port: int = 8888
    ) -> None:
        self.folder = folder
        self.name = name
        self.stand_in = stand_in
        self.url = f"http://127.0.0.1:{port}"
        self._settings: dict[str, str] = {}
        hard = getrlimit(RLIMIT_NOFILE)[1] if stand_in else RLIM_INFINITY
        self._bounded = {"OPEN_FILES": str(hard)} if 0 <= hard < OPEN_FILES else {}
        _check_out(folder, mask)
        self.write_env({})

    def write_env(self, changes: Mapping[str, str]) -> None:
        """The `.env` file of a user, single quotes around each value."""
        self._settings = {**SETTINGS, **self._bounded, **changes}
        text = "".join(f"{name}='{value}'\n" for name, value in self._settings.items())
        (self.folder / ".env").write_text(text)

    def compose(
        self, *arguments: str, check: bool = True, seconds: float = 900
    ) -> subprocess.CompletedProcess[str]:
        """`docker compose ...`, or the older command where that is all there is."""
        done = subprocess.run(
            [*_compose(), "-p", self.name, *arguments],
            cwd=self.folder,
            env={**os.environ, "COMPOSE_ANSI": "never"},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"compose {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done

    def build(self) -> None:
        """Build the service's image."""
        self.compose("build", *self._base(), "backend")

    def run_suite(self, *paths: str) -> str:
        """Run tests in the image of the compose profile `test`; what pytest said."""
        self.compose("--profile", "test", "build", *self._base(), "test")
        command = [
            "run",
            "--rm",
            "-T",
            "test",
            "python",
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *paths,
        ]
        return self.compose("--profile", "test", *command).stdout

    def up(self, *more: str) -> float:
        """Start it and wait until it is ready; how many seconds that took."""
        began = time.monotonic()
        self.compose("up", "-d", "--no-build", *more)
        self.wait(lambda: self.get("/health/ready")[0] == 200, "the service is ready")
        return time.monotonic() - began

    def down(self, *more: str) -> None:
        self.compose("--profile", "observability", "down", "--timeout", "20", *more)

    def remove(self) -> None:
        """Leave nothing."""
        self.down("--volumes", "--remove-orphans")

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Ask again and again until it is so."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:.0f} s: {what}")
            time.sleep(0.3)

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of an answer, 0 where nobody answers."""
        return self._ask(Request(self.url + path))

    def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        return self._ask(Request(self.url + path, json.dumps(body).encode(), method="POST"))

    def inspect(self, container: str, what: str) -> str:
        """A field of a container by the engine's own template."""
        return docker("inspect", "--format", what, container).strip()

    def container(self, service: str) -> str:
        """The id of the first container of a service."""
        return self.compose("ps", "-q", service).stdout.split()[0]

    def address(self, container: str) -> str:
        return self.inspect(container, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")

    def health(self, service: str) -> str:
        return self.inspect(self.container(service), "{{.State.Health.Status}}")

    def logs(self, *services: str) -> str:
        return self.compose("logs", "--no-color", "--tail=60", *services, check=False).stdout

    def _base(self) -> list[str]:
        return ["--build-arg", "PYTHON_IMAGE=stand-in/python:3.13"] if self.stand_in else []

    def _ask(self, request: Request) -> tuple[int, Any]:
        try:
            with urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")
        except (URLError, OSError, ValueError):
            return 0, None


def docker(*arguments: str, check: bool = True) -> str:
    """A command of the engine; what it printed."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=300, check=False)
    if check and done.returncode:
        raise AssertionError(f"docker {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def _compose() -> list[str]:
    newer = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    return ["docker", "compose"] if newer else ["docker-compose"]


def _check_out(folder: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        folder.mkdir(parents=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
    finally:
        os.umask(before)
