"""Simulated hours of top-ups through bad times, days by `make soak`: all candles right, and nothing grows."""

from __future__ import annotations

import os
from pathlib import Path

from tests.soaking import soak

SECONDS = float(os.environ.get("SOAK_SECONDS", "8"))
"""`make soak`: 600, which is four days of the simulated exchanges' time."""

SPEED = 600.0
MOST_GROWTH = {"resident": 16.0, "threads": 3, "descriptors": 6, "connections": 3, "tasks": 5}
"""MB, and counts; beyond what they were after the warm-up."""


def test_nothing_grows_and_every_candle_is_right(tmp_path: Path) -> None:
    found = soak(tmp_path, SECONDS, SPEED, seed=1)
    assert found.differences == []
    assert found.simulated_hours > SECONDS * SPEED / 3600
    assert found.syncs > found.failed_syncs
    assert found.reads
    growth = {name: found.growth(name) for name in MOST_GROWTH}
    assert {name for name, most in MOST_GROWTH.items() if growth[name] > most} == set(), found.samples
