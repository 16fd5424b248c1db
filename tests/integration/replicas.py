"""A replica set of three real mongods, whose members can be killed and started again."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.store.embedded import find_mongod
from tests.integration.processes import PATIENCE, free_port

Client = MongoClient[dict[str, Any]]


class ReplicaSet:
    """Three members on loopback with quick elections."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ports = [free_port() for _ in range(3)]
        self._members: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def uri(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"mongodb://{hosts}/?replicaSet=rs0"

    def start(self) -> None:
        """Start all members and wait for a primary."""
        for port in self.ports:
            self.start_member(port)
        for port in self.ports:
            self._wait_for(port)
        members = [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(self.ports)]
        settings = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 300}
        with Client(f"mongodb://127.0.0.1:{self.ports[0]}/?directConnection=true") as client:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members, "settings": settings})
        self.primary()

    def _wait_for(self, port: int) -> None:
        """Wait until a member answers: one cannot begin with members that nobody reaches."""
        uri = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        with Client(uri, serverSelectionTimeoutMS=int(PATIENCE * 1000)) as client:
            client.admin.command("ping")

    def start_member(self, port: int) -> None:
        """Start one member on the files it has."""
        files = self._folder / str(port)
        files.mkdir(parents=True, exist_ok=True)
        self._members[port] = subprocess.Popen(
            [
                str(find_mongod(self._folder)),
                "--replSet=rs0",
                f"--dbpath={files}",
                f"--port={port}",
                "--bind_ip=127.0.0.1",
                "--nounixsocket",
                "--wiredTigerCacheSizeGB=0.25",
                f"--logpath={files}.log",
                "--logappend",
                "--setParameter=diagnosticDataCollectionEnabled=false",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def primary(self) -> int:
        """The port of the member that takes writes, once there is one."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for port in self.ports:
                if self._members[port].poll() is None and self._is_primary(port):
                    return port
        raise AssertionError("the replica set has no primary")

    def kill(self, port: int) -> None:
        """kill -9 of a member."""
        self._members[port].send_signal(signal.SIGKILL)
        self._members[port].wait()

    def stop(self) -> None:
        for process in self._members.values():
            process.kill()
            process.wait()

    def _is_primary(self, port: int) -> bool:
        uri = f"mongodb://127.0.0.1:{port}/?directConnection=true&serverSelectionTimeoutMS=300"
        with Client(uri) as client:
            try:
                return bool(client.admin.command("hello")["isWritablePrimary"])
            except PyMongoError:
                return False


@contextmanager
def running_replica_set(folder: Path) -> Iterator[ReplicaSet]:
    """A replica set that is gone at the end."""
    found = ReplicaSet(folder)
    try:
        found.start()
        yield found
    finally:
        found.stop()
