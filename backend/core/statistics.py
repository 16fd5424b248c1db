"""How much of a series there is, from its ledger."""

from __future__ import annotations

from dataclasses import dataclass

from backend.core.coverage import Coverage
from backend.core.series import Series
from backend.core.windows import MINUTE, count_minutes


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is stored of a series; first and last are open times in ms, None when nothing is stored.

    `expected_records` is the number of requested minutes that the exchange should have: stored and missing
    ones. `void_records` is the number that it does not have.
    """

    series: Series
    total_records: int
    first_record: int | None
    last_record: int | None
    expected_records: int
    missing_records: int
    void_records: int


def statistics_of(series: Series, coverage: Coverage) -> Statistics:
    """Read from the ledger, so that the cost does not grow with what is stored."""
    held, expected = coverage.held, coverage.expected
    missing = count_minutes(coverage.lacking(coverage.expected))
    void = coverage.count_absent(expected)
    return Statistics(
        series,
        total_records=held.count(),
        first_record=held.start if held else None,
        last_record=held.end - MINUTE if held else None,
        expected_records=expected.minutes - void,
        missing_records=missing,
        void_records=void,
    )
