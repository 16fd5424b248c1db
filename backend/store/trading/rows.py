"""Rows of accounts as documents: money is Decimal128, so that the database can add it up.

{"_id": "9f3b2c1d0a7e4d55/perpetual-usdt/1111", "account": "9f3b2c1d0a7e4d55", "product": "perpetual-usdt",
 "symbol": "BTCUSDT", "order": "1111", "time": 1750000000000, "updated": 1750000000001, "row": {..}}

`time` is when an order was created, a fill happened, a balance changed; the row is that of `trading/rows.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from bson.decimal128 import Decimal128

from backend.store.mongo import Document
from backend.trading.history import Kind, Row, time_of
from backend.trading.rows import Bill, Fill, Order

DIGITS = 34
"""Significant digits of a Decimal128; a longer number is kept as text."""

COLLECTIONS: Mapping[Kind, str] = MappingProxyType(
    {Kind.ORDERS: "account_orders", Kind.FILLS: "account_fills", Kind.BILLS: "account_bills"}
)
KINDS: Mapping[Kind, type[Row]] = MappingProxyType({Kind.ORDERS: Order, Kind.FILLS: Fill, Kind.BILLS: Bill})

Found = TypeVar("Found", bound=Row)
Said = TypeVar("Said")


def document_of(account: str, row_id: str, row: Row) -> Document:
    """A row of an account as it is stored."""
    return {
        "_id": f"{account}/{row.product}/{row_id}",
        "account": account,
        "product": row.product.value,
        "symbol": row.symbol,
        "order": "" if isinstance(row, Bill) else row.order_id,
        "time": time_of(row),
        "updated": row.updated if isinstance(row, Order) else row.time,
        "row": stored(row),
    }


def row_of(kind: type[Found], document: Document) -> Found:
    """The row of a document."""
    return restored(kind, document["row"])


def stored(value: Any) -> Any:
    """A value of plain types as it stands in a document: money is Decimal128."""
    return _stored(msgspec.to_builtins(value, builtin_types=(Decimal,), enc_hook=_plain))


def restored(kind: type[Said], document: Any) -> Said:
    """The value that was stored."""
    return msgspec.convert(_read(document), kind)


def _plain(value: object) -> Decimal:
    """A number that was read from a venue is of a narrower type."""
    if isinstance(value, Decimal):
        return Decimal(value)
    raise NotImplementedError(f"a row has no {type(value).__name__}")


def _stored(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _stored(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_stored(one) for one in value]
    if isinstance(value, Decimal):
        return Decimal128(value) if len(value.as_tuple().digits) <= DIGITS else format(value, "f")
    return value


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _read(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_read(one) for one in value]
    return value.to_decimal() if isinstance(value, Decimal128) else value
