"""Rows of accounts as documents: what was read from an answer comes back from the database as it was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import bson
import pytest

from backend.store.trading.rows import document_of, row_of
from backend.trading.money import exact
from backend.trading.rows import Bill, Fee, Fill, Product

MONEY: dict[str, Any] = {"product": Product.SPOT, "symbol": "BTCUSDT", "time": 1_767_225_600_000}


@pytest.mark.parametrize("number", [Decimal, exact], ids=["decimal", "exact"])
def test_a_number_comes_back_as_it_was_whatever_made_it(number: Any) -> None:
    bill = Bill(
        **MONEY, bill_id="1", coin="BTC", kind="buy", amount=number("-0.10"), fee=number("0"), balance=None
    )
    document = bson.decode(bson.encode(document_of("account", "1", bill)))
    assert row_of(Bill, document) == bill


@pytest.mark.parametrize("number", [Decimal, exact], ids=["decimal", "exact"])
def test_numbers_within_rows_of_rows_come_back_too(number: Any) -> None:
    long = number("1234567890.123456789012345678901234567890")
    fill = Fill(
        **MONEY,
        fill_id="1",
        order_id="2",
        side="buy",
        price=long,
        size=number("1e-8"),
        value=None,
        fees=(Fee("BGB", number("0.3")), Fee("BTC", long)),
        role="maker",
        realised=None,
    )
    document = bson.decode(bson.encode(document_of("account", "1", fill)))
    assert row_of(Fill, document) == fill
