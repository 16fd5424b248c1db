"""The name of this process among those that share a database, and which of them are certainly dead."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

BOOT = Path("/proc/sys/kernel/random/boot_id")
"""Different on each machine and after each start: https://man7.org/linux/man-pages/man4/random.4.html"""

NAMESPACE = Path("/proc/self/ns/pid")
"""In which process numbers count. Outside containers it has the same number on every machine."""


def process_name() -> str:
    """A name that no other process has: "machine/boot/namespace:pid:random"."""
    return f"{platform.node()}/{_here() or 'unknown'}:{os.getpid()}:{uuid4().hex[:8]}"


def is_gone(name: str) -> bool:
    """Whether the process with this name is certainly dead. Only processes of our own machine and namespace
    can be checked.

    Two machines may have one host name, and two containers of one machine number their processes alike.
    """
    place, _, numbers = name.partition(":")
    pid = numbers.partition(":")[0]
    is_ours = bool(_here()) and place == f"{platform.node()}/{_here()}" and pid.isdecimal()
    return is_ours and (int(pid) == os.getpid() or not _runs(int(pid)))


def _here() -> str:
    """This machine, its last start, and the namespace of our process id; empty if the system does not say."""
    with suppress(OSError):
        return f"{BOOT.read_text().strip()}/{NAMESPACE.stat().st_ino}"
    return ""


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
