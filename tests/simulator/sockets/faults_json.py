"""The switches of sockets as a JSON object; symbols are lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tests.simulator.sockets.faults import SocketFaults

SYMBOLS = ("mute", "refuse")


def printable(faults: SocketFaults) -> dict[str, Any]:
    """Return the switches as JSON values."""
    return {name: sorted(value) if name in SYMBOLS else value for name, value in asdict(faults).items()}


def parsed(value: Mapping[str, Any]) -> SocketFaults:
    """Return the switches that are named, the others as they are by default; raise ValueError or TypeError
    for a wrong one."""
    for name, switch in value.items():
        if name.endswith("_rate") and not 0 <= float(switch) <= 1:
            raise ValueError(f"a rate is between 0 and 1, got {switch!r}")
    symbols = {name: frozenset(value[name]) for name in SYMBOLS if name in value}
    return SocketFaults(**{**value, **symbols})
