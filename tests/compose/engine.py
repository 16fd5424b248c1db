"""A Docker engine: one that answers already, or one of our own in namespaces that this process made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

IMAGES = ("mongo:8.0",)
START_SECONDS = 60
PULL_SECONDS = 600


def answers() -> bool:
    """Whether an engine is there for us."""
    return _succeeds(["docker", "info"], seconds=20)


def has_images() -> bool:
    """Whether the images that the compose file names are here, or can be pulled."""
    return all(
        _succeeds(["docker", "image", "inspect", image], 20)
        or _succeeds(["docker", "pull", "--quiet", image], PULL_SECONDS)
        for image in IMAGES
    )


def need_root_and(commands: Sequence[str]) -> None:
    """End with a sentence where something is missing."""
    missing = [command for command in commands if shutil.which(command) is None]
    if os.geteuid() != 0 or missing:
        sys.exit(
            "No Docker engine answers that can pull images. Start one, or run this as root on Debian with "
            "apt install docker.io docker-compose mmdebstrap nodejs npm iproute2 iptables"
            + (f" (missing: {', '.join(missing)})" if missing else "")
        )


@contextmanager
def own(folder: Path) -> Iterator[None]:
    """An engine that only this process and its children know; networks are those of our own namespace."""
    folder.mkdir(parents=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    socket = folder / "docker.sock"
    with (folder / "log").open("wb") as log:
        engine = subprocess.Popen(
            [
                "dockerd",
                f"--data-root={folder / 'data'}",
                f"--exec-root={folder / 'run'}",
                f"--pidfile={folder / 'pid'}",
                f"--host=unix://{socket}",
                "--bip=192.168.250.1/24",
            ],
            stdout=log,
            stderr=log,
        )
        os.environ["DOCKER_HOST"] = f"unix://{socket}"
        try:
            _wait(engine, folder / "log")
            yield
        finally:
            engine.terminate()
            engine.wait(60)


def _wait(engine: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if engine.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"dockerd did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.5)


def _succeeds(command: Sequence[str], seconds: float) -> bool:
    if shutil.which(command[0]) is None:
        return False
    try:
        return subprocess.run(command, capture_output=True, timeout=seconds, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
