"""The JSON of answers about orders that the service places. Pure."""

from __future__ import annotations

from backend.clock import iso
from backend.services.orders.ports import AuditRecord
from backend.trading.intents import Intent
from backend.trading.money import plain
from backend.trading.tickets import Ticket
from backend.trading.trigger import TriggerOrder
from backend.trading.twap import Twap
from backend.web.trading import account_views
from backend.web.trading import order_shapes as shapes
from backend.web.trading.account_views import money


def ticket(ticket: Ticket) -> shapes.Ticket:
    return shapes.Ticket(
        product=ticket.product,
        symbol=ticket.symbol,
        side=ticket.side,
        size=money(ticket.size),
        quote_size=money(ticket.quote_size),
        price=money(ticket.price),
        force=ticket.force,
        position=ticket.held,
        reduce_only=ticket.reduce_only,
        take_profit=money(ticket.take_profit),
        stop_loss=money(ticket.stop_loss),
        margin_mode=ticket.margin_mode,
    )


def intent(intent: Intent) -> shapes.Intent:
    return shapes.Intent(
        id=intent.id,
        account=intent.account,
        venue=intent.venue,
        mode=intent.mode,
        state=intent.state,
        reason=intent.reason,
        order_id=intent.order_id,
        ticket=ticket(intent.ticket),
        value=None if intent.value is None else plain(intent.value),
        caller=intent.caller,
        source=intent.source,
        created=iso(intent.created),
        order=None if intent.order is None else account_views.order(intent.order),
    )


def twap(twap: Twap) -> shapes.Twap:
    return shapes.Twap(
        id=twap.id,
        account=twap.account,
        mode=twap.mode,
        status=twap.status,
        reason=twap.reason,
        ticket=ticket(twap.ticket),
        slices=len(twap.sizes),
        interval_ms=twap.interval,
        placed=twap.placed,
        skipped=twap.skipped,
        next=iso(twap.due) if twap.status == "running" else None,
        caller=twap.caller,
        started=iso(twap.started),
    )


def trigger(order: TriggerOrder) -> shapes.TriggerOrder:
    return shapes.TriggerOrder(
        id=order.id,
        account=order.account,
        mode=order.mode,
        status=order.status,
        reason=order.reason,
        ticket=ticket(order.ticket),
        trigger_price=plain(order.price),
        above=order.above,
        caller=order.caller,
        created=iso(order.created),
        fired=account_views.moment(order.fired),
        intent=order.intent,
    )


def record(record: AuditRecord) -> shapes.AuditRecord:
    return shapes.AuditRecord(
        time=iso(record.time),
        account=record.account,
        caller=record.caller,
        action=record.action,
        intent=record.intent,
        outcome=record.outcome,
        said=record.said,
    )
