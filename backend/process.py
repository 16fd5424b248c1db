"""What this process is called among those that share a database, and which of them are surely dead."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

BOOT = Path("/proc/sys/kernel/random/boot_id")
"""Another on each machine and after each start: https://man7.org/linux/man-pages/man4/random.4.html"""

NAMESPACE = Path("/proc/self/ns/pid")
"""In which process numbers count. Outside containers it has the same number on every machine."""


def process_name() -> str:
    """A name that no other process has: "machine/boot/namespace:pid:random"."""
    return f"{platform.node()}/{_here() or 'unknown'}:{os.getpid()}:{uuid4().hex[:8]}"


def is_gone(name: str) -> bool:
    """Whether a process of another name is known to be dead: only those that are numbered as we are can be.

    Two machines may have one host name, and two containers of one machine number their processes alike.
    """
    place, _, numbers = name.partition(":")
    pid = numbers.partition(":")[0]
    is_ours = bool(_here()) and place == f"{platform.node()}/{_here()}" and pid.isdecimal()
    return is_ours and (int(pid) == os.getpid() or not _runs(int(pid)))


def _here() -> str:
    """This machine since its start and the namespace of our number; empty where the system does not tell."""
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
