"""Which files of Binance's archive are taken for which missing minutes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import parse_time
from backend.core.archive_file import ArchiveFile
from backend.core.windows import (
    HOUR,
    MINUTE,
    WEEK,
    Spans,
    Window,
    count_minutes,
    intersect,
    normalise,
    subtract,
)
from backend.exchanges.binance.archive import (
    DAY,
    DAY_TAKES,
    MONTH_TAKES,
    belongs_to,
    checksum_of,
    file_of,
    files_for,
    named,
)

NOW = parse_time("2026-08-20T10:00Z")
DIGEST = "0123456789abcdef" * 4


def span(start: str, end: str) -> Window:
    return Window(parse_time(start), parse_time(end))


def names(*missing: Window, now: int = NOW) -> list[str]:
    return [file.name for file in files_for("spot", "BTCUSDT", missing, now)]


def test_a_file_is_where_the_archive_documents_it() -> None:
    assert file_of("spot", "BTCUSDT", span("2024-06-01", "2024-07-01")) == ArchiveFile(
        "data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-06.zip",
        "BTCUSDT-1m-2024-06.csv",
        span("2024-06-01", "2024-07-01"),
    )
    assert file_of("perpetual", "ETHUSDT", span("2024-02-29", "2024-03-01")) == ArchiveFile(
        "data/futures/um/daily/klines/ETHUSDT/1m/ETHUSDT-1m-2024-02-29.zip",
        "ETHUSDT-1m-2024-02-29.csv",
        span("2024-02-29", "2024-03-01"),
    )


@pytest.mark.parametrize(
    ("market", "rows"), [("perpetual-mark", "markPriceKlines"), ("perpetual-index", "indexPriceKlines")]
)
def test_prices_have_folders_of_their_own(market: str, rows: str) -> None:
    file = file_of(market, "BTCUSDT", span("2024-06-01", "2024-07-01"))
    assert file.path == f"data/futures/um/monthly/{rows}/BTCUSDT/1m/BTCUSDT-1m-2024-06.zip"


def test_whole_months_are_taken_as_months_and_the_rest_by_days() -> None:
    assert names(span("2026-04-29T12:00Z", "2026-07-03T00:01Z")) == [
        "BTCUSDT-1m-2026-04-30.zip",
        "BTCUSDT-1m-2026-05.zip",
        "BTCUSDT-1m-2026-06.zip",
        "BTCUSDT-1m-2026-07-01.zip",
        "BTCUSDT-1m-2026-07-02.zip",
    ]


def test_december_is_followed_by_january() -> None:
    assert names(span("2024-11-30", "2025-02-01")) == [
        "BTCUSDT-1m-2024-11-30.zip",
        "BTCUSDT-1m-2024-12.zip",
        "BTCUSDT-1m-2025-01.zip",
    ]


def test_a_month_that_is_just_over_is_taken_by_days() -> None:
    found = names(span("2026-07-01", "2026-08-05"), now=parse_time("2026-08-05T20:00Z"))
    assert found[0] == "BTCUSDT-1m-2026-07-01.zip"
    assert len(found) == 35


def test_a_day_that_is_just_over_is_left_to_the_api() -> None:
    assert names(span("2026-08-01", "2026-08-20T10:00Z"))[-1] == "BTCUSDT-1m-2026-08-18.zip"
    assert names(span("2026-08-01", "2026-08-20"), now=NOW + 3 * HOUR)[-1] == "BTCUSDT-1m-2026-08-19.zip"


def test_a_week_is_left_to_the_api_and_a_minute_more_is_not() -> None:
    start = parse_time("2026-06-01")
    assert names(Window(start, start + WEEK)) == []
    assert len(names(Window(start, start + WEEK + MINUTE))) == 7


def test_many_holes_that_are_no_whole_days_are_left_to_the_api() -> None:
    holes = [span(f"2026-06-{day:02}T00:01Z", f"2026-06-{day + 1:02}T00:00Z") for day in range(1, 29)]
    assert names(*holes) == []


moments = st.integers(parse_time("2023-11-15") // MINUTE, parse_time("2024-03-15") // MINUTE)
windows = st.tuples(moments, moments).map(lambda ends: Window(min(ends) * MINUTE, max(ends) * MINUTE))
many_spans = st.lists(windows, max_size=6).map(normalise)
nows = st.integers(parse_time("2024-01-01"), parse_time("2024-04-01"))


@given(many_spans, nows)
def test_files_are_missing_published_and_apart(missing: Spans, now: int) -> None:
    files = files_for("spot", "BTCUSDT", missing, now)
    for file in files:
        takes = DAY_TAKES if file.window.end - file.window.start == DAY else MONTH_TAKES
        assert intersect(missing, file.window) == (file.window,)
        assert file.window.end + takes <= now
        assert named(file.member.removesuffix(".csv")) == ("BTCUSDT", file.window)
    assert all(earlier.window.end <= later.window.start for earlier, later in pairwise(files))
    assert not files or count_minutes(missing) * MINUTE > WEEK


@given(many_spans, nows)
def test_no_published_day_is_left_and_no_month_is_taken_by_days(missing: Spans, now: int) -> None:
    taken = normalise(file.window for file in files_for("spot", "BTCUSDT", missing, now))
    if count_minutes(missing) * MINUTE <= WEEK:
        return
    for day in range(parse_time("2023-11-15"), parse_time("2024-03-15"), DAY):
        window = Window(day, day + DAY)
        is_due = intersect(missing, window) == (window,) and window.end + DAY_TAKES <= now
        assert (subtract((window,), taken) == ()) == is_due
    months = {file.window for file in files_for("spot", "BTCUSDT", missing, now)}
    for start, end in pairwise(["2023-12-01", "2024-01-01", "2024-02-01", "2024-03-01"]):
        month = span(start, end)
        is_whole = intersect(missing, month) == (month,) and month.end + MONTH_TAKES <= now
        assert (month in months) == is_whole


@pytest.mark.parametrize("text", [f"{DIGEST}  f.zip\n", f"{DIGEST.upper()} *f.zip", f"{DIGEST}\tf.zip\r\n"])
def test_a_checksum_is_read(text: str) -> None:
    assert checksum_of(text.encode(), "f.zip") == DIGEST


@pytest.mark.parametrize(
    "text",
    ["", DIGEST, f"{DIGEST}  g.zip", f"{DIGEST[1:]}  f.zip", f"x{DIGEST[1:]}  f.zip", "<html>", "\xff"],
)
def test_what_is_no_checksum_of_the_file_is_none(text: str) -> None:
    assert checksum_of(text.encode("latin-1"), "f.zip") is None


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("BTCUSDT-1m-2024-02", ("BTCUSDT", span("2024-02-01", "2024-03-01"))),
        ("BTCUSDT-1m-2024-02-29", ("BTCUSDT", span("2024-02-29", "2024-03-01"))),
        ("BTC-USDT-1m-2024-12", ("BTC-USDT", span("2024-12-01", "2025-01-01"))),
        ("BTCUSDT-1h-2024-02", None),
        ("BTCUSDT-1m-2024-13", None),
        ("BTCUSDT-1m-2023-02-29", None),
        ("BTCUSDT-1m-9999-12", None),
        ("BTCUSDT-1m-0001-01", None),
        ("BTCUSDT", None),
        ("", None),
    ],
)
def test_a_name_tells_symbol_and_window(stem: str, expected: tuple[str, Window] | None) -> None:
    assert named(stem) == expected


@pytest.mark.parametrize(
    ("url", "belongs"),
    [
        ("https://api.binance.com", True),
        ("https://api3.binance.com", True),
        ("https://api-gcp.binance.com", True),
        ("https://data-api.binance.vision", True),
        ("https://fapi.binance.com", True),
        ("https://testnet.binance.vision", False),
        ("https://demo-api.binance.com", False),
        ("https://demo-fapi.binance.com", False),
        ("https://testnet.binancefuture.com", False),
        ("http://127.0.0.1:9000", False),
        ("https://api.binance.com.example.org", False),
    ],
)
def test_the_archive_belongs_to_binance_itself(url: str, belongs: bool) -> None:
    assert belongs_to(url) == belongs
