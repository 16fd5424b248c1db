"""The README's picture: a year of a series, a square a day, drawn from a ledger by the service itself.

The ledger is made up: listed in February, an outage of the exchange in June, two days that are missing in
September. Colours are those of the page, and read on light and on dark backgrounds.
"""

from __future__ import annotations

from datetime import UTC, datetime

from backend.clock import parse_time
from backend.core.coverage import Coverage, void_before_listing, void_without_data
from backend.core.coverage_map import coverage_map, letters
from backend.core.interval import INTERVALS
from backend.core.windows import DAY, HOUR, Window

SQUARE, GAP = 11, 2
STEP = SQUARE + GAP
LEFT, TOP = 4, 22
COLOURS = {"f": "#3b7dd8", "v": "#8a8f98", "p": "#d64541", "m": "#d64541", "-": "#d5d8dd"}
WORDS = {
    "f": "every minute is held",
    "v": "the exchange had an outage",
    "m": "minutes are missing",
    "-": "not listed yet",
}

BEGIN, LISTED, END = (parse_time(day) for day in ("2025-01-01", "2025-02-10", "2026-01-01"))
OUTAGE = Window(parse_time("2025-06-18T09:00Z"), parse_time("2025-06-19T15:00Z"))
MISSING = Window(parse_time("2025-09-22"), parse_time("2025-09-24"))


def coverage_picture() -> str:
    """The picture as SVG."""
    states = letters(coverage_map(_ledger(), INTERVALS["1d"], Window(BEGIN, END)))
    columns = (_weekday(BEGIN) + len(states) + 6) // 7
    width, height = LEFT * 2 + columns * STEP, TOP + 7 * STEP + 26
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" font-family="system-ui, sans-serif" font-size="11" fill="#8a8f98">',
            "<title>A year of a series: held, void and missing minutes, day by day</title>",
            *_months(),
            *(_day(number, state) for number, state in enumerate(states)),
            *_legend(TOP + 7 * STEP + 8),
            "</svg>\n",
        ]
    )


def _ledger() -> Coverage:
    held = [Window(LISTED, OUTAGE.start), Window(OUTAGE.end, MISSING.start), Window(MISSING.end, END)]
    voids = [void_before_listing(LISTED, END), void_without_data(OUTAGE, END)]
    return Coverage(BEGIN, until=END).with_held(held).with_voids(voids)


def _day(number: int, state: str) -> str:
    place = _weekday(BEGIN) + number
    x, y = LEFT + place // 7 * STEP, TOP + place % 7 * STEP
    return f'<rect x="{x}" y="{y}" width="{SQUARE}" height="{SQUARE}" rx="2" fill="{COLOURS[state]}"/>'


def _months() -> list[str]:
    days = range(BEGIN, END, DAY)
    firsts = [(number, _date(day)) for number, day in enumerate(days) if _date(day).day == 1]
    return [
        f'<text x="{LEFT + (_weekday(BEGIN) + number) // 7 * STEP}" y="14">{date:%b}</text>'
        for number, date in firsts
    ]


def _legend(top: int) -> list[str]:
    found, x = [], LEFT
    for state, words in WORDS.items():
        found.append(
            f'<rect x="{x}" y="{top}" width="{SQUARE}" height="{SQUARE}" rx="2" fill="{COLOURS[state]}"/>'
            f'<text x="{x + STEP + 3}" y="{top + 10}">{words}</text>'
        )
        x += STEP + 26 + 6 * len(words)
    return found


def _date(moment: int) -> datetime:
    return datetime.fromtimestamp(moment / 1000, UTC)


def _weekday(moment: int) -> int:
    return _date(moment + HOUR).weekday()
