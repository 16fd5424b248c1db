"""Batches of stored documents, however they are laid out: what is read equals what plain decoding says."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import bson
import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import example, given
from hypothesis import strategies as st

from backend.core.columns import candles_of
from backend.errors import DatabaseUnavailable
from backend.store.market.raw_batches import columns_in
from tests.fakes import minute

NEEDED = ("open", "high", "low", "close", "volume")
OPTIONAL = ("quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume")

Document = dict[str, Any]


def document(number: int, **fields: object) -> Document:
    """A candle as the service writes it, but for `fields`."""
    plain = {name: 100.5 + place + number for place, name in enumerate(NEEDED)}
    amounts = {name: 7.25 + place for place, name in enumerate(OPTIONAL)}
    return {"_id": Int64(minute(number)), **plain, **amounts, "trades": 7 + number, **fields}


whole = st.integers(0, 2**31 - 1)
numbers = (
    st.floats(0, 1e18)
    | whole
    | whole.map(Int64)
    | st.decimals(0, 1_000_000, places=8).map(lambda value: Decimal128(str(value)))
)
counts = whole | whole.map(Int64) | whole.map(float)
optional = {name: st.none() | (counts if name == "trades" else numbers) for name in OPTIONAL}
changed = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(NEEDED, numbers), **optional, "note": st.text() | numbers}
)


@st.composite
def batches(draw: st.DrawFn) -> list[Document]:
    """Documents as the service writes them, and with changed, missing, further or reordered fields."""
    found = []
    for number in range(draw(st.integers(0, 5))):
        one = document(number, **draw(st.just({}) | changed))
        for name in draw(st.just([]) | st.lists(st.sampled_from(OPTIONAL))):
            one.pop(name, None)
        names = draw(st.just(list(one)) | st.permutations(list(one)))
        found.append({name: one[name] for name in names})
    return found


def told(value: Any) -> float | None:
    """A number of a document, by way of text where it is decimal."""
    if value is None:
        return None
    return float(Decimal(str(value))) if isinstance(value, Decimal128) else float(value)


def plainly_decoded(batch: bytes) -> list[Mapping[str, float | None]]:
    """The fields of the candles in a batch, document by document."""
    names = ("_id", *NEEDED, *OPTIONAL)
    return [{name: told(found.get(name)) for name in names} for found in bson.decode_all(batch)]


def read(batch: bytes) -> list[Mapping[str, float | None]]:
    """The same by way of columns."""
    names = ("open_time", *NEEDED, *OPTIONAL)
    rows = candles_of(columns_in(batch))
    return [{name.replace("open_time", "_id"): told(getattr(row, name)) for name in names} for row in rows]


@given(batches())
@example([document(0), document(1, open=Int64(5))])
@example([document(0), document(1, trades=Int64(5)), document(2, volume=5)])
@example([document(0), {name: document(1)[name] for name in ("_id", "high", "open", "low", *NEEDED[3:])}])
@example([document(0), {"_id": Int64(minute(1)), **{name: document(1)[name] for name in reversed(NEEDED)}}])
def test_what_is_read_is_what_plain_decoding_says(documents: list[Document]) -> None:
    batch = b"".join(map(bson.encode, documents))
    assert read(batch) == plainly_decoded(batch)


@pytest.mark.parametrize("fields", [{"open": None}, {"close": "5"}, {"volume": [1.0]}, {"_id": "x" * 100}])
def test_a_document_that_is_no_candle_is_told_by_its_key(fields: Document) -> None:
    batch = bson.encode(document(0)) + bson.encode(document(1, **fields))
    key = "x" * 39 if "_id" in fields else str(minute(1))
    with pytest.raises(DatabaseUnavailable, match=f"{key}.* is not a candle"):
        columns_in(batch)
