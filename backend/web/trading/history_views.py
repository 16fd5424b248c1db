"""The JSON of answers about histories. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backend.clock import iso
from backend.core.windows import Window
from backend.services.history.histories import Completeness
from backend.trading.extraction import Extraction
from backend.trading.history import Kind, Row, Standing, StreamName
from backend.trading.money import plain
from backend.trading.proof import Check, Difference, Proof
from backend.trading.rows import Bill, Fill, Order
from backend.web.api.common_shapes import Failure, Shape
from backend.web.trading import history_shapes as shapes
from backend.web.trading.account_shapes import OrderRow
from backend.web.trading.account_views import fees, moment, money, order

STREAM_OF = {
    Check.ORDER_OF_FILLS: Kind.ORDERS,
    Check.FILLS_OF_ORDER: Kind.FILLS,
    Check.BALANCE_CHAIN: Kind.BILLS,
    Check.FEES: Kind.BILLS,
}
"""The history in which a row is missing, most likely."""


def completeness(found: Completeness) -> shapes.Completeness:
    return shapes.Completeness(
        complete=found.is_complete,
        read_at=moment(found.read),
        streams=[stream(name, stands) for name, stands in found.streams],
        proof=None if found.proof is None else proof(found.proof, found.proved or 0),
    )


def stream(name: StreamName, stands: Standing) -> shapes.StreamStanding:
    return shapes.StreamStanding(
        stream=name.text,
        kind=name.kind,
        product=name.product,
        symbol=name.symbol or None,
        complete=stands.is_complete,
        first=iso(stands.first),
        until=iso(stands.until),
        held=spans(stands.held),
        lost=[
            shapes.LostSpan(start=iso(lost.window.start), end=iso(lost.window.end), reason=lost.reason)
            for lost in stands.lost
        ],
        missing=spans(stands.missing),
        unproven=spans(stands.unproven),
        pending=list(stands.pending),
    )


def spans(windows: Iterable[Window]) -> list[shapes.Span]:
    return [shapes.Span(start=iso(window.start), end=iso(window.end)) for window in windows]


def proof(found: Proof, proved: int) -> shapes.ProofShape:
    return shapes.ProofShape(
        holds=found.holds,
        checked={check.value: number for check, number in found.checked.items()},
        differing=found.found,
        differences=[difference(one) for one in found.differences],
        proved_at=iso(proved),
    )


def difference(one: Difference) -> shapes.FactDiffers:
    return shapes.FactDiffers(
        check=one.check,
        stream=StreamName(STREAM_OF[one.check], one.product).text,
        symbol=one.symbol,
        coin=one.coin,
        id=one.id,
        time=iso(one.time),
        expected=plain(one.expected),
        found=plain(one.found),
        message=one.sentence,
    )


SHAPES: Mapping[Kind, type[Shape]] = {
    Kind.ORDERS: OrderRow,
    Kind.FILLS: shapes.FillRow,
    Kind.BILLS: shapes.BillRow,
}
"""The shape of a row of each history."""


def row(found: Row) -> Shape:
    """An order, a fill or a bill."""
    if isinstance(found, Order):
        return order(found)
    return fill(found) if isinstance(found, Fill) else bill(found)


def fill(found: Fill) -> shapes.FillRow:
    return shapes.FillRow(
        product=found.product,
        symbol=found.symbol,
        fill_id=found.fill_id,
        order_id=found.order_id,
        side=found.side,
        price=plain(found.price),
        size=plain(found.size),
        value=money(found.value),
        fees=fees(found.fees),
        role=found.role,
        realised=money(found.realised),
        time=iso(found.time),
    )


def bill(found: Bill) -> shapes.BillRow:
    return shapes.BillRow(
        product=found.product,
        bill_id=found.bill_id,
        symbol=found.symbol,
        coin=found.coin,
        kind=found.kind,
        amount=plain(found.amount),
        fee=money(found.fee),
        balance=money(found.balance),
        time=iso(found.time),
    )


def extraction(found: Extraction, now: int) -> shapes.ExtractionShape:
    left = found.seconds_left(now)
    return shapes.ExtractionShape(
        id=found.id,
        account=found.account,
        products=list(found.products),
        since=moment(found.since),
        status=found.status,
        stage=found.stage,
        created=iso(found.created),
        started=moment(found.started),
        finished=moment(found.finished),
        windows_done=found.done,
        windows_total=found.total,
        seconds_left=None if left is None else round(left, 1),
        new_rows=found.rows,
        requests=found.requests,
        symbols=list(found.found_symbols),
        error=None
        if found.failure is None
        else Failure(code=found.failure.code, message=found.failure.message),
    )
