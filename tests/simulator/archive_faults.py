"""What may be wrong with files of the public archive, and what its documents leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.simulator.times import HOUR, Window

SINCE_2025 = 1_735_689_600_000


@dataclass(frozen=True, slots=True)
class ArchiveFaults:
    """Switches of the archive. Files are named by any part of their names; "" names all.

    `wrong_checksum` files have another's checksum, `absent` ones answer 404, `corrupt` ones end in the middle
    with a checksum that fits, `bad_row` ones have a price "nan" in the middle, `failing` ones answer 503.
    `left_out` are windows (ms UTC) that all files lack while the API has them. `takes` is how long after its
    end (ms) a day's file is published; a month's waits for the month's first Monday as well. `named` are the
    market kinds whose files begin with the names of the columns. Spot files that begin at `microseconds_from`
    (ms UTC) or later have times in µs.
    """

    wrong_checksum: Sequence[str] = ()
    absent: Sequence[str] = ()
    corrupt: Sequence[str] = ()
    bad_row: Sequence[str] = ()
    failing: Sequence[str] = ()
    left_out: Sequence[Window] = ()
    takes: int = 8 * HOUR
    named: Sequence[str] = ("perpetual",)
    microseconds_from: int = SINCE_2025


def strikes(names: Sequence[str], name: str) -> bool:
    """Whether a fault is switched on for a file."""
    return any(part in name for part in names)
