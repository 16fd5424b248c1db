"""Which bytes of a file a request wants."""

from __future__ import annotations

import pytest

from backend.web.server.ranges import content_range, part


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=2-5", range(2, 6)),
        ("bytes=2-", range(2, 100)),
        ("bytes=90-999", range(90, 100)),
        ("bytes=-8", range(92, 100)),
        ("bytes=-999", range(100)),
        ("bytes= 2-5 ", range(2, 6)),
    ],
)
def test_one_range_is_a_part(header: str, wanted: range) -> None:
    assert part(header, 100) == wanted
    assert content_range(wanted, 100) == f"bytes {wanted.start}-{wanted.stop - 1}/100"


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999999999999999999-"])
def test_what_lies_beyond_the_end_is_empty(header: str) -> None:
    wanted = part(header, 100)
    assert wanted is not None
    assert len(wanted) == 0
    assert content_range(wanted, 100) == "bytes */100"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes=0-1,5-6",
        "rows=0-1",
        "bytes=5-2",
        "bytes=-",
        "bytes=a-b",
        "bytes=+1-2",
        "bytes=1",
        "bytes=٣-",
        f"bytes={'9' * 5000}-",
    ],
)
def test_several_ranges_or_none_stand_for_the_whole(header: str) -> None:
    assert part(header, 100) is None
