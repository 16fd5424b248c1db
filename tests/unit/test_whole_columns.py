"""What waits for a reader of columns: one file an answer, and a bound over all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import pytest

from backend.core.columns import columns_of
from backend.core.interval import ONE_MINUTE
from backend.errors import TooManyStreams
from backend.formats.layout import layout_for
from backend.formats.whole_columns import ColumnsEncoder, Waiting
from tests.fakes import BTC, candle, minute


def test_an_answer_takes_one_descriptor_and_gives_its_room_back() -> None:
    waiting = Waiting()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with closing(ColumnsEncoder(BTC, layout_for(ONE_MINUTE, fills=False, stamped=False), waiting)) as encoder:
        text = encoder.begin()
        for first in range(0, 30, 10):
            text += encoder.candles(columns_of([candle(minute(first + number)) for number in range(10)]))
        assert len(list(Path("/proc/self/fd").iterdir())) == before + 1
        assert waiting.bytes > 0
        text += b"".join(encoder.end(None))
    found = json.loads(text)
    assert found["open_time"] == [minute(number) for number in range(30)]
    assert found["close"] == [candle(minute(number)).close for number in range(30)]
    assert waiting.bytes == 0
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_all_answers_keep_together_is_bounded() -> None:
    waiting = Waiting(most=2_000)
    with closing(ColumnsEncoder(BTC, layout_for(ONE_MINUTE, fills=False, stamped=False), waiting)) as one:
        one.candles(columns_of([candle(minute(number)) for number in range(20)]))
        with (
            closing(ColumnsEncoder(BTC, layout_for(ONE_MINUTE, fills=False, stamped=False), waiting)) as two,
            pytest.raises(TooManyStreams),
        ):
            two.candles(columns_of([candle(minute(number)) for number in range(20)]))
    assert waiting.bytes == 0


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Have the system refuse what would make a file larger."""
    soft, hard = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        setrlimit(RLIMIT_FSIZE, (soft, hard))


def test_where_writing_fails_all_room_is_given_back() -> None:
    waiting = Waiting()
    encoder = ColumnsEncoder(BTC, layout_for(ONE_MINUTE, fills=False, stamped=False), waiting)
    many = columns_of([candle(minute(number)) for number in range(2_000)])
    with files_of_at_most(4_096), pytest.raises(OSError, match="File too large"), closing(encoder):
        encoder.candles(many)
    assert waiting.bytes == 0
