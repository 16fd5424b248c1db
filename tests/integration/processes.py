"""The service as a process of its own: started, killed and asked over HTTP as a user would."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import cycle
from pathlib import Path
from random import sample
from tempfile import gettempdir
from typing import IO, Any

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = cycle(sample(range(20_000 + 500 * WORKER, 20_500 + 500 * WORKER), 500))
"""This worker's own, below those that the system gives away."""

CLAIMS: dict[int, IO[bytes]] = {}
"""The ports that this process claimed, each by a file that stays locked as long as the process lives."""


def free_port() -> int:
    """A port that nobody listens at; neither the system nor another run takes it before its use."""
    return next(port for port in PORTS if _is_ours(port) and _is_free(port))


def _is_ours(port: int) -> bool:
    """Whether this process holds the port's claim, or takes it now. Two runs never share a port."""
    if port in CLAIMS:
        return True
    folder = Path(gettempdir()) / "market-data-test-ports"
    folder.mkdir(exist_ok=True)
    claim = (folder / str(port)).open("wb")
    try:
        flock(claim, LOCK_EX | LOCK_NB)
    except OSError:
        claim.close()
        return False
    CLAIMS[port] = claim
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


def until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Poll until `condition` holds; fail with `what` after a long while."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited {patience:.0f} s for: {what}"
        time.sleep(0.02)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without any setting of the service, and with those given."""
    from backend.settings import SETTINGS

    names = {setting.name for setting in SETTINGS}
    return {name: value for name, value in os.environ.items() if name not in names} | settings


def command(*arguments: str, **settings: str) -> subprocess.Popen[str]:
    """Run `python -m backend ...`."""
    return subprocess.Popen(
        [sys.executable, "-m", "backend", *arguments],
        cwd=ROOT,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class RunningService:
    """`python -m backend serve` on a free port, or on one that a killed one had."""

    def __init__(
        self, log: Path, settings: Mapping[str, str], answers_at: str = "/health", port: int | None = None
    ) -> None:
        self.port = port or free_port()
        self.database = settings.get("MONGODB_DATABASE", "")
        self._answers_at = answers_at
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "backend", "serve"],
            cwd=ROOT,
            env=environment(**settings, SERVER_PORT=str(self.port), SERVER_ADDRESS="127.0.0.1"),
            stdout=self._log,
            stderr=self._log,
        )
        until(self._answers, "the service to answer")

    def call(
        self, path: str, body: object = None, seconds: float = PATIENCE, method: str | None = None
    ) -> tuple[int, Any]:
        """GET, or POST with a JSON body, or another method; the status and the JSON that came back."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()

    def stop(self) -> int:
        """SIGTERM, as a supervisor does; the exit status."""
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        self._log.close()
        return status

    def _answers(self) -> bool:
        assert self.process.poll() is None, "the service ended while it should start"
        try:
            return self.call(self._answers_at, seconds=2)[0] == 200
        except OSError:
            return False


@contextmanager
def running_service(log: Path, answers_at: str = "/health", **settings: str) -> Iterator[RunningService]:
    """A service that is stopped at the end, whatever happened; begun when `answers_at` answers 200."""
    service = RunningService(log, settings, answers_at)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()


@contextmanager
def running_simulator(*arguments: str) -> Iterator[str]:
    """`python -m tests.simulator` on a free port; gives its base URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.simulator", "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def requests_seen(url: str) -> int:
    """How many requests a simulator process has answered."""
    with urllib.request.urlopen(f"{url}/_sim/requests", timeout=5) as answer:
        total: int = json.load(answer)["total"]
        return total


def children(pid: int) -> list[int]:
    """The process ids of the direct children of `pid`."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def is_alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
