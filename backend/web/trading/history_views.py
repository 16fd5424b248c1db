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


def completeness(completeness: Completeness) -> shapes.Completeness:
    return shapes.Completeness(
        complete=completeness.is_complete,
        read_at=moment(completeness.read),
        streams=[stream(name, stands) for name, stands in completeness.streams],
        proof=None if completeness.proof is None else proof(completeness.proof, completeness.proved or 0),
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
        filled_only=spans(stands.filled_only),
        pending=list(stands.pending),
    )


def spans(windows: Iterable[Window]) -> list[shapes.Span]:
    return [shapes.Span(start=iso(window.start), end=iso(window.end)) for window in windows]


def proof(proof: Proof, proved: int) -> shapes.ProofShape:
    return shapes.ProofShape(
        holds=proof.holds,
        checked={check.value: number for check, number in proof.checked.items()},
        differing=proof.found,
        differences=[difference(one) for one in proof.differences],
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


def row(row: Row) -> Shape:
    """An order, a fill or a bill."""
    if isinstance(row, Order):
        return order(row)
    return fill(row) if isinstance(row, Fill) else bill(row)


def fill(fill: Fill) -> shapes.FillRow:
    return shapes.FillRow(
        product=fill.product,
        symbol=fill.symbol,
        fill_id=fill.fill_id,
        order_id=fill.order_id,
        side=fill.side,
        price=plain(fill.price),
        size=plain(fill.size),
        value=money(fill.value),
        fees=fees(fill.fees),
        role=fill.role,
        realised=money(fill.realised),
        time=iso(fill.time),
    )


def bill(bill: Bill) -> shapes.BillRow:
    return shapes.BillRow(
        product=bill.product,
        bill_id=bill.bill_id,
        symbol=bill.symbol,
        coin=bill.coin,
        kind=bill.kind,
        amount=plain(bill.amount),
        fee=money(bill.fee),
        balance=money(bill.balance),
        time=iso(bill.time),
    )


def extraction(extraction: Extraction, now: int) -> shapes.ExtractionShape:
    left = extraction.seconds_left(now)
    return shapes.ExtractionShape(
        id=extraction.id,
        account=extraction.account,
        products=list(extraction.products),
        since=moment(extraction.since),
        status=extraction.status,
        stage=extraction.stage,
        created=iso(extraction.created),
        started=moment(extraction.started),
        finished=moment(extraction.finished),
        windows_done=extraction.done,
        windows_total=extraction.total,
        seconds_left=None if left is None else round(left, 1),
        new_rows=extraction.rows,
        requests=extraction.requests,
        symbols=list(extraction.found_symbols),
        error=None
        if extraction.failure is None
        else Failure(code=extraction.failure.code, message=extraction.failure.message),
    )
