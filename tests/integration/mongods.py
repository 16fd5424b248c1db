"""Real mongods with switches that the embedded one has not: authentication, failures on demand."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.store.embedded import find_mongod
from tests.integration.processes import PATIENCE, free_port

OUT_OF_DISK_SPACE = 14031


class Mongod:
    """A server on loopback, which can be told to fail (`configureFailPoint`), frozen and thawed."""

    def __init__(self, folder: Path, *options: str, asked_by: str = "", port: int | None = None) -> None:
        self.port = port or free_port()
        self.uri = f"mongodb://127.0.0.1:{self.port}/?directConnection=true{asked_by}"
        self._process = subprocess.Popen(
            [
                str(find_mongod(folder)),
                f"--dbpath={folder}",
                f"--port={self.port}",
                "--bind_ip=127.0.0.1",
                "--nounixsocket",
                "--wiredTigerCacheSizeGB=0.25",
                f"--logpath={folder / 'log'}",
                "--setParameter=diagnosticDataCollectionEnabled=false",
                "--setParameter=enableTestCommands=1",
                *options,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()

    def run(self, command: str, value: object, **more: Any) -> None:
        """A command on the admin database."""
        with MongoClient[dict[str, Any]](self.uri) as client:
            client.admin.command(command, value, **more)

    def fail(self, commands: Sequence[str], **how: object) -> None:
        """From now on let these commands fail, or wait, as `how` says."""
        data: Mapping[str, object] = {"failCommands": list(commands), **how}
        self.run("configureFailPoint", "failCommand", mode="alwaysOn", data=data)

    def recover(self) -> None:
        """Let every command do again what it should."""
        self.run("configureFailPoint", "failCommand", mode="off")

    def freeze(self) -> None:
        """Answer nobody, without closing any connection."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, also to one that is dead."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self.thaw()
        self._process.terminate()
        self._process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with MongoClient[dict[str, Any]](self.uri, serverSelectionTimeoutMS=300) as client:
                try:
                    client.admin.command("ping")
                    return
                except PyMongoError:
                    continue
        raise AssertionError("mongod did not start")


@contextmanager
def running_mongod(
    folder: Path, *options: str, asked_by: str = "", port: int | None = None
) -> Iterator[Mongod]:
    """A mongod that is gone at the end; `asked_by` is what its URI needs besides, such as "&tls=true"."""
    mongod = Mongod(folder, *options, asked_by=asked_by, port=port)
    try:
        yield mongod
    finally:
        mongod.stop()
