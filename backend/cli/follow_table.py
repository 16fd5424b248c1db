"""The state of follows for people: a table on a terminal, drawn again each second; elsewhere a line for each
change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from backend.clock import iso
from backend.core.follow import Standing, State
from backend.core.series import Series, series_text

Show = Callable[[Sequence[Standing], str], None]
"""Takes the state of all follows, and a remark about all of them; "" for none."""

TEXTS = ("series", "state", "last (UTC)")
NUMBERS = ("lag", "source", "new", "healed", "lost")
STYLES: dict[State, str] = {
    "waiting": "yellow",
    "live": "green",
    "behind": "yellow",
    "failing": "red",
    "ended": "dim",
}
MOST_PROBLEMS = 3
FRAME = 3 + MOST_PROBLEMS
"""Lines of a terminal without rows: the heading, the problems, the remark and the cursor's line."""


@contextmanager
def shown(console: Console) -> Iterator[Show]:
    """A function that shows the state of follows at each call, while the block runs."""
    if not console.is_terminal:
        yield _Changes(partial(console.print, markup=False, highlight=False, soft_wrap=True)).show
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda follows, remark: live.update(
            table(follows, console.height - FRAME, remark), refresh=True
        )


def table(follows: Sequence[Standing], room: int, remark: str) -> Group:
    """One row for each follow, and the problems below. If there is no `room` for all, live ones are left
    out."""
    rows = (
        follows
        if len(follows) <= room
        else sorted(follows, key=lambda one: one.state == "live")[: max(room, 1)]
    )
    drawn = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in TEXTS:
        drawn.add_column(name, no_wrap=True)
    for name in NUMBERS:
        drawn.add_column(name, no_wrap=True, justify="right")
    for one in rows:
        name, state, last_minute, *numbers = _cells(one)
        drawn.add_row(Text(name), Text(state, STYLES[one.state]), last_minute[5:], *numbers)
    problems = [f"{series_text(one.follow.series)}: {_problem(one)}" for one in rows if _problem(one)]
    more = [f"and {len(follows) - len(rows):,} more"] if len(rows) < len(follows) else []
    below = [*problems[:MOST_PROBLEMS], *more, *([remark] if remark else [])]
    return Group(drawn, *(Text(text) for text in below))


def line(one: Standing) -> str:
    """The state of a follow in one line."""
    series, state, last_minute, lag, source, new, healed, lost = _cells(one)
    told = [f"{series} {state}"]
    if last_minute:
        told.append(f"last minute {last_minute}, lag {lag}")
    told += [source, f"{new} new", f"{healed} healed", f"{lost} reconnects"]
    return ", ".join([*told, *filter(None, [_problem(one)])])


def _cells(one: Standing) -> tuple[str, ...]:
    follow = one.follow
    return (
        series_text(follow.series),
        one.state,
        "" if one.last_minute is None else iso(one.last_minute)[:16].replace("T", " "),
        "" if one.lag is None else str(timedelta(seconds=one.lag // 1000)),
        follow.source,
        f"{follow.new_candles:,}",
        f"{follow.healed:,}",
        f"{follow.reconnects:,}",
    )


def _problem(one: Standing) -> str:
    return one.follow.failure.message if one.follow.failure else ""


class _Changes:
    """Prints a line for each changed series and for each new remark. A growing lag is not a change."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told: dict[Series, Standing] = {}
        self._remark = ""

    def show(self, follows: Sequence[Standing], remark: str) -> None:
        """Fits `Show`."""
        now = {one.follow.series: one for one in follows}
        for series in self._told.keys() - now.keys():
            self._say(f"{series_text(series)} is not followed any more")
        for series, one in now.items():
            if series not in self._told or _news(one) != _news(self._told[series]):
                self._say(line(one))
        if remark and remark != self._remark:
            self._say(remark)
        self._told, self._remark = now, remark


def _news(one: Standing) -> tuple[str, ...]:
    return *_cells(one._replace(lag=None)), _problem(one)
