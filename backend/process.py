"""What this process is called among those that share a database, and which of them are surely dead."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from uuid import uuid4


def process_name() -> str:
    """A name that no other process has: "machine/namespace:pid:random"."""
    return f"{_here()}:{os.getpid()}:{uuid4().hex[:8]}"


def is_gone(name: str) -> bool:
    """Whether a process of another name is known to be dead: only those of this machine can be."""
    here, pid, _ = name.rsplit(":", 2)
    return here == _here() and (int(pid) == os.getpid() or not _runs(int(pid)))


def _here() -> str:
    """This machine, and on Linux the namespace in which its process numbers count."""
    namespace = ""
    with suppress(OSError):
        namespace = str(os.stat("/proc/self/ns/pid").st_ino)
    return f"{platform.node()}/{namespace}"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
