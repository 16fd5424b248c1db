"""What a process takes from the machine, as Linux tells it under /proc."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

RESET_PEAK = "5"
"""https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html"""


class Vitals(NamedTuple):
    """Memory in MB (2**20 bytes), now and at most; threads and open file descriptors, sockets included."""

    resident: float
    peak: float
    threads: int
    descriptors: int


def vitals_of(pid: int) -> Vitals:
    """The vitals of a running process. Raises OSError when there is none."""
    process = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return Vitals(
        resident=_megabytes(status["VmRSS"]),
        peak=_megabytes(status["VmHWM"]),
        threads=int(status["Threads"]),
        descriptors=sum(1 for _ in (process / "fd").iterdir()),
    )


def processor_seconds(pid: int) -> float:
    """The processor time that a running process has taken, for itself and the system on its behalf."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def forget_peak(pid: int) -> None:
    """Let the peak count from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK)


def _megabytes(text: str) -> float:
    return int(text.split()[0]) / 1024
