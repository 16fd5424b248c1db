"""Settings of this process's memory."""

from __future__ import annotations

import ctypes
import gc

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names in glibc's malloc.h: https://man7.org/linux/man-pages/man3/mallopt.3.html"""

LARGEST_REUSED = 8 << 20
MOST_KEPT = 64 << 20


def calm_garbage_collector() -> None:
    """Run the garbage collector seldom: with thousands of short-lived rows a second it would be the largest
    cost."""
    gc.set_threshold(50_000, 20, 100)


def keep_freed_memory() -> None:
    """Make glibc reuse the memory of batches. With another C library this does nothing.

    By default glibc returns every large piece and asks for it again, which takes a sixth of the time of a
    large read.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(M_MMAP_THRESHOLD, LARGEST_REUSED)
        mallopt(M_TRIM_THRESHOLD, MOST_KEPT)
