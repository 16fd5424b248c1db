"""Whatever a venue answers to an account: it is read, or the answer is malformed. Nothing else is raised."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import ExchangeError, MalformedAnswer
from backend.exchanges.base import Answer
from backend.exchanges.bingx.account import ACCOUNT, BINGX_ACCOUNT
from backend.exchanges.bitget.account import BITGET_ACCOUNT, CLASSIC, UNIFIED
from backend.exchanges.private.venue import Call, Flavour
from backend.trading.rows import Product, Wanted
from tests import bingx_rows, bitget_rows
from tests.private import KEYS, shown

USDT, SPOT, COIN = Product.PERPETUAL_USDT, Product.SPOT, Product.PERPETUAL_COIN
ROWS: list[dict[str, Any]] = [
    row
    for rows in (bingx_rows, bitget_rows)
    for name, row in vars(rows).items()
    if name.isupper() and isinstance(row, dict)
]
LISTS = (
    *("entrustedList", "fillList", "bills", "list", "assets", "orders", "fills", "fill_history_orders"),
    *("balances", "apiInfos"),
)


def frames(row: Any) -> list[Any]:
    """The row, as venues put it into answers."""
    named = [{name: [row], "endId": "1", "cursor": "1"} for name in LISTS]
    return [row, [row], {"order": row}, {"commission": row}, *named]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["NaN", "Infinity", "-0", "1e999999", "9" * 90, KEYS.secret, "buy", "filled", "0"]),
)
VALUES = st.recursive(
    SCALARS, lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=8), some, max_size=3)
)


def calls(flavour: Flavour) -> list[Call[Any]]:
    """Every question to a kind of account."""
    wanted = [
        Wanted(product=product, start=1, end=2, symbol="X", order_id="1") for product in (USDT, SPOT, COIN)
    ]
    streams = (flavour.orders, flavour.fills, flavour.bills)
    return [
        *(mapping[one.product].ask(one) for mapping in streams for one in wanted if one.product in mapping),
        *flavour.balances.values(),
        *flavour.positions.values(),
        *(ask for product in (USDT, SPOT, COIN) for ask in _of(flavour, product)),
        flavour.key(KEYS),
        flavour.uid,
        flavour.probe,
    ]


def _of(flavour: Flavour, product: Product) -> list[Call[Any]]:
    return [flavour.open_orders(product, ""), flavour.order(product, "X", "1"), flavour.fees(product, "X")]


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """A right answer of which a field is another one, is missing or has a neighbour; or anything at all."""
    row = dict(draw(st.sampled_from(ROWS)))
    for name in draw(st.lists(st.sampled_from(sorted(row)), max_size=2)):
        row[name] = draw(VALUES)
    data = draw(st.one_of(st.sampled_from(frames(row)), VALUES))
    return json.dumps(draw(st.one_of(st.just({"code": 0, "data": data}), VALUES))).encode()


def complaint(call: Call[Any], body: bytes) -> str:
    """What is said about an answer that cannot be read; nothing about one that is."""
    try:
        call.parse(Answer(200, {}, body))
    except MalformedAnswer as error:
        return str(error)
    return ""


@pytest.mark.parametrize("flavour", [UNIFIED, CLASSIC, ACCOUNT], ids=lambda flavour: flavour.name)
@given(body=st.one_of(answers(), st.binary(max_size=40)))
def test_an_answer_is_read_or_malformed(flavour: Flavour, body: bytes) -> None:
    assert not shown("".join(complaint(call, body) for call in calls(flavour)))


def test_right_rows_are_read_in_their_frames() -> None:
    """So the answers of above begin with ones that are read."""
    bodies = [json.dumps({"code": 0, "data": data}).encode() for row in ROWS for data in frames(row)]
    asked = [call for flavour in (UNIFIED, CLASSIC, ACCOUNT) for call in calls(flavour)]
    read = {call.request.path for call in asked for body in bodies if complaint(call, body) == ""}
    assert {call.request.path for call in asked} - read == set()


@pytest.mark.parametrize("venue", [BITGET_ACCOUNT, BINGX_ACCOUNT], ids=lambda venue: venue.name)
@given(body=st.one_of(answers(), st.binary(max_size=40)), status=st.integers(200, 599))
def test_a_refusal_is_always_an_error_of_the_tree(venue: Any, body: bytes, status: int) -> None:
    error = venue.failure(KEYS)(Answer(status, {}, body))
    assert error is None or isinstance(error, ExchangeError)
    assert status == 200 or error is not None
    assert not shown(str(error))
