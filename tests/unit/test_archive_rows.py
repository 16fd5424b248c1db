"""Kline files: what is read, and that every fault is named by file, line and reason."""

from __future__ import annotations

import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.archive_rows import COLUMNS, LONGEST_LINE, BadRow, candles_of
from backend.core.candles import Candle
from backend.core.windows import Window
from tests.archives import NAMES, line_of, text_of
from tests.fakes import candle, minute, minutes

ALL = Window(0, 10**14)
FILE = [candle(minute(number)) for number in range(5)]
RIGHT = line_of(FILE[0])


def with_cell(number: int, cell: str) -> str:
    """A right line with another text in one of its columns."""
    cells = RIGHT.split(",")
    cells[number] = cell
    return ",".join(cells)


def refusal(text: str | bytes, window: Window = ALL) -> str:
    """What is said of a file, which must name it."""
    with pytest.raises(BadRow) as caught:
        candles_of("f.csv", text.encode() if isinstance(text, str) else text, window)
    name, _, said = str(caught.value).partition(", ")
    assert name == "f.csv"
    return said


@pytest.mark.parametrize("unit", [1, 1000], ids=["ms", "us"])
@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_file_is_read_with_and_without_names_in_ms_and_us(unit: int, names: bool, newline: str) -> None:
    assert candles_of("f.csv", text_of(FILE, unit, names=names, newline=newline), ALL) == FILE


@pytest.mark.parametrize("end", ["", "\n\n", "\r\n \n"])
def test_a_file_may_end_in_empty_lines_or_none(end: str) -> None:
    assert candles_of("f.csv", (RIGHT + end).encode(), ALL) == FILE[:1]


def test_a_byte_order_mark_is_no_fault() -> None:
    assert candles_of("f.csv", b"\xef\xbb\xbf" + text_of(FILE, names=True), ALL) == FILE


def test_names_may_be_written_as_others_write_them() -> None:
    names = "Open time,Open,High,Low,Close,Volume,Close time,Quote asset volume,Number of trades,"
    names += "Taker buy base asset volume,Taker buy quote asset volume,Ignore"
    assert candles_of("f.csv", f"{names}\n{RIGHT}".encode(), ALL) == FILE[:1]


def test_a_file_of_prices_counts_samples_and_no_trades() -> None:
    one = FILE[0]
    samples = msgspec.structs.replace(one, volume=0.0, quote_volume=0.0, trades=60)
    price = Candle(one.open_time, one.open, one.high, one.low, one.close, 0.0)
    assert candles_of("f.csv", text_of([samples]), ALL, prices_only=True) == [price]


def test_holes_are_no_fault() -> None:
    kept = [FILE[0], FILE[3]]
    assert candles_of("f.csv", text_of(kept), ALL) == kept


@pytest.mark.parametrize("number", range(len(COLUMNS)))
@pytest.mark.parametrize(
    "cell", ["nan", "NaN", "inf", "-Infinity", "", "x", '"1"', "1e400", "true", "null", "[1]"]
)
def test_a_cell_that_is_no_number_is_named(number: int, cell: str) -> None:
    said = refusal(f"{RIGHT}\n{with_cell(number, cell)}")
    assert said.startswith(f"line 2: {COLUMNS[number].names[0]} is ")


@pytest.mark.parametrize("number", range(len(COLUMNS) - 1))
def test_a_negative_number_is_named(number: int) -> None:
    assert refusal(with_cell(number, "-1")).startswith(f"line 1: {COLUMNS[number].names[0]} is '-1'")


@pytest.mark.parametrize("number", [0, 6, 8])
def test_times_and_counts_are_whole(number: int) -> None:
    assert "should be a whole number" in refusal(with_cell(number, "1.5"))


@pytest.mark.parametrize("line", [RIGHT.rpartition(",")[0], RIGHT + ",0", "hello", "", "1,[2,3],4", "\0"])
def test_a_wrong_number_of_columns_is_counted(line: str) -> None:
    count = line.count(",") + 1
    assert refusal(f"{RIGHT}\n{line}\n{RIGHT}") == f"line 2: the line should have 12 columns and has {count}"


def test_a_line_that_only_looks_like_twelve_columns_is_refused() -> None:
    assert refusal(with_cell(3, '"1').replace(",0", ',0"')).startswith("line 1: low is")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([0, 1, 1], "line 3: open_time {1} is there twice"),
        ([0, 2, 1], "line 3: open_time {1} comes after a later one"),
        ([0, 7], "line 2: open_time {7} is not one of {0} to {4} ms, which may be here"),
        ([-1], "line 1: open_time {-1} is not one of {0} to {4} ms, which may be here"),
    ],
)
def test_a_line_out_of_place_is_named(lines: list[int], said: str) -> None:
    times = {f"{{{number}}}": str(minute(number)) for number in range(-1, 8)}
    for place, time in times.items():
        said = said.replace(place, time)
    assert refusal(text_of(candle(minute(number)) for number in lines), minutes(0, 5)) == said


@pytest.mark.parametrize("unit", [1, 1000], ids=["ms", "us"])
@pytest.mark.parametrize("offset", [1, 30_000, -1])
def test_a_row_off_the_minute_grid_is_named(unit: int, offset: int) -> None:
    stamp = str(minute(0) * unit + offset)
    assert refusal(with_cell(0, stamp)) == f"line 1: open_time {stamp} is not on a whole minute"


@pytest.mark.parametrize("unit", [1, 1000], ids=["ms", "us"])
def test_a_candle_of_another_length_is_named(unit: int) -> None:
    hour = line_of(FILE[0], unit).split(",")
    hour[6] = str(minute(60) * unit - 1)
    assert "is not the end of the minute" in refusal(",".join(hour))


@pytest.mark.parametrize(("number", "cell"), [(2, "0"), (3, "1e9"), (1, "1e9"), (4, "0")])
def test_prices_that_contradict_each_other_are_named(number: int, cell: str) -> None:
    assert refusal(with_cell(number, cell)) == "line 1: low, open, close and high contradict each other"


def test_a_line_as_long_as_can_be_is_taken_apart_and_a_longer_one_is_not() -> None:
    digits = RIGHT.split(",")[1].ljust(LONGEST_LINE - len(RIGHT) + len(RIGHT.split(",")[1]), "0")
    assert candles_of("f.csv", with_cell(1, digits).encode(), ALL) == FILE[:1]
    assert refusal(f"{RIGHT}\n{with_cell(1, digits + '0')}") == "line 2: the line has over 2048 bytes"


@pytest.mark.parametrize("piece", [",", "1,", "a,", '"",', "[", "9", "\0"])
def test_a_bad_line_of_megabytes_costs_what_is_told_of_it(piece: str) -> None:
    text = f"{RIGHT}\n".encode() + piece.encode() * (8_000_000 // len(piece))
    tracemalloc.start()
    try:
        assert refusal(text) == "line 2: the line has over 2048 bytes"
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", ["", "\n", NAMES, NAMES + "\n"])
def test_a_file_without_candles_is_refused(text: str) -> None:
    assert refusal(text) == "line 1: the file has no candle"


def test_columns_in_another_order_are_seen_by_their_names() -> None:
    swapped = NAMES.replace("high,low", "low,high")
    assert refusal(f"{swapped}\n{RIGHT}") == "line 1: column 3 is called 'low' instead of high"


def test_names_are_counted_too() -> None:
    assert "12 columns" in refusal(f"open_time,open\n{RIGHT}")


def test_names_in_the_middle_are_refused() -> None:
    assert refusal(f"{RIGHT}\n{NAMES}").startswith("line 2: open_time is 'open_time'")


@given(st.binary(max_size=200) | st.text(alphabet='0123456789,.[]"-en\n ', max_size=200).map(str.encode))
def test_noise_is_refused_in_a_sentence(noise: bytes) -> None:
    assert refusal(noise).startswith("line ")


@given(
    st.lists(st.integers(0, 500), min_size=1, unique=True).map(sorted),
    st.sampled_from([1, 1000]),
    st.booleans(),
)
def test_what_was_written_is_read(numbers: list[int], unit: int, names: bool) -> None:
    written: list[Candle] = [candle(minute(number)) for number in numbers]
    assert candles_of("f.csv", text_of(written, unit, names=names), ALL) == written
