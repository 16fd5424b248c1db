"""How follows stand, as a table and as lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

from rich.console import Console

from backend.cli.follow_table import line, shown, table
from backend.core.follow import Follow, Standing
from backend.core.job import Failure
from backend.core.series import Series
from tests.fakes import BTC, START, minute

FOLLOW = Follow(
    BTC, START, START, new_candles=1500, healed=2, source="socket", reconnects=1, checked=minute(10)
)
LIVE = Standing(FOLLOW, "live", minute(9), 4321)
FAILING = Standing(
    replace(FOLLOW, series=Series("bingx", "perpetual", "ETHUSDT"), failure=Failure("x", "[away]")),
    "failing",
    None,
    None,
)


def drawn(found: Sequence[Standing], room: int = 50, remark: str = "") -> str:
    """The table as a terminal of the usual width shows it."""
    console = Console(file=StringIO(), width=80)
    console.print(table(found, room, remark))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def told(*looks: tuple[Sequence[Standing], str]) -> list[str]:
    """The lines that looks one after the other bring where there is no terminal."""
    console = Console(file=StringIO(), width=40)
    with shown(console) as show:
        for found, remark in looks:
            show(found, remark)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_a_line_tells_how_a_follow_stands() -> None:
    assert line(LIVE) == (
        "binance:spot:BTCUSDT live, last minute 2025-06-01 00:09, lag 0:00:04, socket, "
        "1,500 new, 2 healed, 1 reconnects"
    )


def test_a_follow_without_candles_tells_no_lag_but_what_went_wrong() -> None:
    assert line(FAILING) == (
        "bingx:perpetual:ETHUSDT failing, socket, 1,500 new, 2 healed, 1 reconnects, [away]"
    )


def test_the_table_has_a_row_for_each() -> None:
    heading, first, second, problem = drawn([LIVE, FAILING]).splitlines()
    assert heading.split() == ["series", "state", "last", "(UTC)", "lag", "source", "new", "healed", "lost"]
    assert first.split() == [
        *("binance:spot:BTCUSDT", "live", "06-01", "00:09", "0:00:04", "socket", "1,500", "2", "1")
    ]
    assert second.split() == ["bingx:perpetual:ETHUSDT", "failing", "socket", "1,500", "2", "1"]
    assert problem.strip() == "bingx:perpetual:ETHUSDT: [away]"


def test_where_there_is_no_room_for_all_those_with_trouble_are_shown() -> None:
    shown_here = drawn([LIVE, LIVE, FAILING], room=1)
    assert "bingx:perpetual:ETHUSDT" in shown_here
    assert "BTCUSDT" not in shown_here
    assert "and 2 more" in shown_here


def test_a_remark_stands_below_the_table() -> None:
    assert drawn([LIVE], remark="The database is away").splitlines()[-1].strip() == "The database is away"


def test_only_changes_are_told_and_a_lag_that_grows_is_none() -> None:
    later = LIVE._replace(lag=9000, follow=replace(FOLLOW, checked=minute(11)))
    behind = later._replace(state="behind")
    assert told(([LIVE, FAILING], ""), ([later, FAILING], ""), ([behind, FAILING], "")) == [
        line(LIVE),
        line(FAILING),
        line(behind),
    ]


def test_a_series_that_is_followed_no_more_is_told_once() -> None:
    assert told(([LIVE], ""), ([], ""), ([], "")) == [
        line(LIVE),
        "binance:spot:BTCUSDT is not followed any more",
    ]


def test_a_remark_is_told_once_until_it_is_over() -> None:
    looks = [([LIVE], text) for text in ("", "away", "away", "", "away")]
    assert told(*looks) == [line(LIVE), "away", "away"]
