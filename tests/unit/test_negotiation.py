"""What `Accept` and `Accept-Encoding` headers mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.web.server.compression import compressor
from backend.web.server.negotiation import accepted_coding, accepted_format


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", None),
        ("identity", None),
        ("br", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0.5, gzip", "gzip"),
        ("zstd;q=0, gzip;q=0.1", "gzip"),
        ("gzip;q=0", None),
        ("*", "zstd"),
        ("*;q=0.5, zstd;q=0", "gzip"),
        ("*;q=0", None),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=2", None),
        ("gzip;q=", None),
    ],
)
def test_the_coding_that_is_liked_best_is_chosen(header: str, coding: str | None) -> None:
    assert accepted_coding(header) == coding


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("image/png", "json"),
        ("text/csv", "csv"),
        ("Text/CSV; charset=utf-8", "csv"),
        ("application/json;q=0.9, application/vnd.apache.arrow.stream", "arrow"),
        ("application/vnd.apache.arrow.file", "feather"),
        ("text/csv;q=0", "json"),
    ],
)
def test_the_format_that_is_liked_best_is_chosen(header: str, name: str) -> None:
    assert accepted_format(header).name == name


@given(st.text(max_size=40))
def test_any_header_is_understood_or_passed_over(header: str) -> None:
    assert accepted_coding(header) in ("zstd", "gzip", None)
    assert accepted_format(header).name


def test_without_a_coding_bytes_stay_as_they_are() -> None:
    plain = compressor(None)
    assert plain.compress(b"candles") + plain.flush() == b"candles"
