"""Zips: the one text inside, and refusal of whatever is not such a zip."""

from __future__ import annotations

from zipfile import ZIP_BZIP2, ZIP_LZMA, ZIP_STORED

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.archive_file import LARGEST_TEXT, BadZip, only_text
from tests.archives import zipped

TEXT = b"1,2,3\n" * 100
WHOLE = zipped({"a.csv": TEXT})


def test_the_one_text_is_unzipped() -> None:
    assert only_text(WHOLE) == only_text(zipped({"a.csv": TEXT}, ZIP_STORED), "a.csv") == ("a.csv", TEXT)


def test_a_text_of_another_name_is_refused() -> None:
    with pytest.raises(BadZip, match=r"'a\.csv' instead of b\.csv"):
        only_text(WHOLE, "b.csv")


@pytest.mark.parametrize("members", [{}, {"a.csv": TEXT, "b.csv": TEXT}])
def test_a_zip_holds_one_file(members: dict[str, bytes]) -> None:
    with pytest.raises(BadZip, match=f"{len(members)} files instead of one"):
        only_text(zipped(members))


@pytest.mark.parametrize("method", [ZIP_BZIP2, ZIP_LZMA])
def test_a_rare_compression_is_refused(method: int) -> None:
    with pytest.raises(BadZip, match="unknown compression"):
        only_text(zipped({"a.csv": TEXT}, method))


def test_an_encrypted_zip_is_refused() -> None:
    directory = WHOLE.rindex(b"PK\x01\x02")
    flags = directory + 8
    with pytest.raises(BadZip, match="encrypted"):
        only_text(WHOLE[:flags] + b"\x01" + WHOLE[flags + 1 :])


def test_a_bomb_is_refused_by_what_it_says() -> None:
    with pytest.raises(BadZip, match="over"):
        only_text(zipped({"a.csv": b"\0" * (LARGEST_TEXT + 1)}))


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_says() -> None:
    body = zipped({"a.csv": b"\0" * (LARGEST_TEXT + 1)})
    size = body.rindex(b"PK\x01\x02") + 24
    with pytest.raises(BadZip, match="cannot be unzipped"):
        only_text(body[:size] + (100).to_bytes(4, "little") + body[size + 4 :])


@pytest.mark.parametrize(
    "body",
    [b"", b"PK", b"<html>", WHOLE[:-1], WHOLE[:50], WHOLE[30:]],
    ids=["nothing", "two letters", "a page", "its last byte is gone", "its end is gone", "its head is gone"],
)
def test_what_is_no_zip_is_refused(body: bytes) -> None:
    with pytest.raises(BadZip):
        only_text(body)


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=4))
def test_a_damaged_zip_gives_the_right_text_or_a_refusal(place: int, noise: bytes) -> None:
    damaged = WHOLE[:place] + noise + WHOLE[place + len(noise) :]
    try:
        _, text = only_text(damaged)
    except BadZip:
        return
    assert text == TEXT
