"""Does anything grow when the service runs for long? `python -m benchmarks.soak`.

Simulated time runs 600 times as fast, so that an hour is 25 days: seven series of four exchanges are topped
up again and again while faults of the exchanges come and go and readers come, go and hang up. At the end
every series is compared minute for minute with its exchange's history.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.soaking import Sample, Soaked, soak

SECONDS, SPEED = 3600.0, 600.0


def report(found: Soaked) -> None:
    print(f"{found.simulated_hours:,.0f} simulated hours, {found.syncs:,} syncs in bad times", end="")
    print(f" ({found.failed_syncs:,} told to try again), {found.reads:,} reads")
    print("sample", *(f"{name:>12}" for name in Sample._fields))
    for number, sample in enumerate(found.samples, start=1):
        print(f"{number:6}", *(f"{value:12,.0f}" for value in sample))
    print("growth", *(f"{found.growth(name):+12,.0f}" for name in Sample._fields))
    for text in found.differences:
        print(text)
    print(f"differences from the exchanges' history: {len(found.differences)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="real seconds (default %(default)s)")
    parser.add_argument("--speed", type=float, default=SPEED, help="simulated seconds a second")
    parser.add_argument("--seed", type=int, default=1, help="seed of what happens at random")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="benchmark-") as folder:
        report(soak(Path(folder), options.seconds, options.speed, options.seed))
