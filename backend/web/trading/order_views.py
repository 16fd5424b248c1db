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


def ticket(found: Ticket) -> shapes.Ticket:
    return shapes.Ticket(
        product=found.product,
        symbol=found.symbol,
        side=found.side,
        size=money(found.size),
        quote_size=money(found.quote_size),
        price=money(found.price),
        force=found.force,
        position=found.held,
        reduce_only=found.reduce_only,
        take_profit=money(found.take_profit),
        stop_loss=money(found.stop_loss),
        margin_mode=found.margin_mode,
    )


def intent(found: Intent) -> shapes.Intent:
    return shapes.Intent(
        id=found.id,
        account=found.account,
        venue=found.venue,
        mode=found.mode,
        state=found.state,
        reason=found.reason,
        order_id=found.order_id,
        ticket=ticket(found.ticket),
        value=None if found.value is None else plain(found.value),
        caller=found.caller,
        source=found.source,
        created=iso(found.created),
        order=None if found.order is None else account_views.order(found.order),
    )


def twap(found: Twap) -> shapes.Twap:
    return shapes.Twap(
        id=found.id,
        account=found.account,
        mode=found.mode,
        status=found.status,
        reason=found.reason,
        ticket=ticket(found.ticket),
        slices=len(found.sizes),
        interval_ms=found.interval,
        placed=found.placed,
        skipped=found.skipped,
        next=iso(found.due) if found.status == "running" else None,
        caller=found.caller,
        started=iso(found.started),
    )


def trigger(found: TriggerOrder) -> shapes.TriggerOrder:
    return shapes.TriggerOrder(
        id=found.id,
        account=found.account,
        mode=found.mode,
        status=found.status,
        reason=found.reason,
        ticket=ticket(found.ticket),
        trigger_price=plain(found.price),
        above=found.above,
        caller=found.caller,
        created=iso(found.created),
        fired=account_views.moment(found.fired),
        intent=found.intent,
    )


def record(found: AuditRecord) -> shapes.AuditRecord:
    return shapes.AuditRecord(
        time=iso(found.time),
        account=found.account,
        caller=found.caller,
        action=found.action,
        intent=found.intent,
        outcome=found.outcome,
        said=found.said,
    )
