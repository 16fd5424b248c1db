"""`/orders`, `/intents`, `/positions/close`, `/kill`, `/audit`: orders that the service places."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus

from backend.errors import ExchangeRefused, InvalidRequest
from backend.services.orders.ports import IntentsWanted
from backend.trading.intents import Intent, State
from backend.trading.tickets import Ticket
from backend.web.trading import account_views, order_shapes, order_views
from backend.web.trading.handler import ACCOUNT, TradingHandler
from backend.web.trading.order_parameters import (
    AFTER,
    AMENDING,
    AUDIT,
    DRY_RUN,
    INTENTS,
    KILLING,
    LIMIT,
    OF_ACCOUNT,
    ONLY_SYMBOL,
    ORDERING,
    PRICE,
    SIZE,
    STATE,
    STEP,
    TRIGGER_PRICE,
    TRYING,
    ticket_of,
)
from backend.web.trading.readings import OpenOrdersHandler

IDEMPOTENCY_KEY = "Idempotency-Key"
LONGEST_KEY = 200


class PlacingHandler(TradingHandler):
    """Base of what places orders."""

    def answer_placed(self, intent: Intent) -> None:
        self.set_header("Location", f"{self.base_path}/orders/{intent.id}")
        if intent.state is State.REFUSED:
            self.answer_error(ExchangeRefused(f"{intent.venue} refused order {intent.id}: {intent.reason}"))
            return
        status = HTTPStatus.ACCEPTED if intent.undecided else HTTPStatus.CREATED
        self.answer(order_shapes.IntentAnswer(order=order_views.intent(intent)), status)

    @property
    def key(self) -> str | None:
        """The request's idempotency key. Raises InvalidRequest."""
        key = self.request.headers.get(IDEMPOTENCY_KEY)
        if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
            raise InvalidRequest(
                f"{IDEMPOTENCY_KEY} must be 1 to {LONGEST_KEY} printable characters",
                code="invalid_idempotency_key",
            )
        return key


class OrdersHandler(PlacingHandler, OpenOrdersHandler):
    """GET lists the open orders of the exchange."""

    async def post(self) -> None:
        """Place an order, or say what would be sent."""
        is_dry = self.query(TRYING)[DRY_RUN]
        values = self.json_object(ORDERING)
        ticket, key = ticket_of(values), self.key
        account, executor = await self.account_id(values), self.trading.orders.executor
        if (price := values[TRIGGER_PRICE]) is not None:
            if is_dry:
                raise InvalidRequest("a trigger order takes no dry_run", code="contradictory_parameters")
            await self._wait_for(price, account, ticket, key)
            return
        if is_dry:
            draft = await executor.dry_run(account, ticket, caller=self.caller)
            self.answer(
                order_shapes.DryRunAnswer(
                    dry_run=True,
                    allowed=draft.refused is None,
                    refused=draft.refused,
                    tried=draft.tried,
                    mode=draft.intent.mode,
                    ticket=order_views.ticket(draft.intent.ticket),
                    value=account_views.money(draft.intent.value),
                    fee=account_views.money(draft.fee),
                    margin=account_views.money(draft.margin),
                )
            )
            return
        self.answer_placed(await executor.place(account, ticket, caller=self.caller, key=key))

    async def _wait_for(self, price: Decimal, account: str, ticket: Ticket, key: str | None) -> None:
        triggers = self.trading.orders.triggers
        made = await triggers.begin(account, ticket, price=price, caller=self.caller, key=key)
        self.set_header("Location", f"{self.base_path}/triggers/{made.id}")
        shape = order_shapes.TriggerAnswer(trigger=order_views.trigger(made))
        self.answer(shape, HTTPStatus.CREATED)

    async def delete(self) -> None:
        """Cancel all open orders of an account, or of a symbol."""
        values = self.query(OF_ACCOUNT)
        account = await self.account_of(values)
        gone, left = await self.trading.orders.canceller.cancel_all(
            account.id, caller=self.caller, symbol=values[ONLY_SYMBOL] or None
        )
        rows = [account_views.order(row) for row in left]
        self.answer(
            order_shapes.CancelledAnswer(account=account.id, mode=account.mode, cancelled=gone, open=rows)
        )


class OrderHandler(PlacingHandler):
    async def patch(self, order_id: str) -> None:
        """Give an open limit order another price or size. The answer is the order that takes its place."""
        self.query(())
        values = self.json_object(AMENDING)
        intent = await self.trading.orders.amender.amend(
            order_id, price=values[PRICE], size=values[SIZE], caller=self.caller, key=self.key
        )
        self.answer_placed(intent)

    async def get(self, order_id: str) -> None:
        self.query(())
        self._answer(await self.trading.orders.executor.get(order_id))

    async def delete(self, order_id: str) -> None:
        """Cancel an order. The answer is the order as the exchange shows it afterwards."""
        self.query(())
        self._answer(await self.trading.orders.canceller.cancel(order_id, caller=self.caller))

    def _answer(self, intent: Intent) -> None:
        self.answer(order_shapes.IntentAnswer(order=order_views.intent(intent)))


class IntentsHandler(TradingHandler):
    async def get(self) -> None:
        values = self.query(INTENTS)
        account, limit = await self.account_of(values), values[LIMIT]
        wanted = IntentsWanted(
            account=account.id,
            symbol=values[ONLY_SYMBOL] or None,
            state=values[STATE],
            before=values[AFTER],
        )
        intents = await self.trading.orders.intents.list(wanted, limit)
        self.answer(
            order_shapes.IntentsAnswer(
                account=account.id,
                mode=account.mode,
                count=len(intents),
                next=f"{intents[-1].created}~{intents[-1].id}" if len(intents) == limit else None,
                orders=[order_views.intent(one) for one in intents],
            )
        )


class ClosePositionsHandler(TradingHandler):
    async def post(self) -> None:
        """Close all positions of an account by market orders, or that of a symbol."""
        self.query(())
        values = self.json_object(OF_ACCOUNT)
        account = await self.account_of(values)
        intents = await self.trading.orders.executor.close(
            account.id, caller=self.caller, symbol=values[ONLY_SYMBOL] or None
        )
        orders = [order_views.intent(one) for one in intents]
        self.answer(
            order_shapes.ClosedAnswer(account=account.id, mode=account.mode, count=len(orders), orders=orders)
        )


class KillHandler(TradingHandler):
    async def post(self) -> None:
        """Turn the kill switch of an account."""
        self.query(())
        values = self.json_object(KILLING)
        account, step = await self.account_of(values), values[STEP]
        done = await self.trading.orders.canceller.kill(account.id, step, caller=self.caller)
        self.answer(
            order_shapes.KilledAnswer(
                account=account.id,
                mode=account.mode,
                step=step,
                cancelled=done.cancelled,
                open=[account_views.order(row) for row in done.open],
                undecided=list(done.undecided),
                closed=[order_views.intent(one) for one in done.closed],
            )
        )


class AuditHandler(TradingHandler):
    async def get(self) -> None:
        values = self.query(AUDIT)
        limit = values[LIMIT]
        records = await self.trading.orders.audit.list(values[ACCOUNT], values[AFTER], limit)
        self.answer(
            order_shapes.AuditAnswer(
                count=len(records),
                next=f"{records[-1][1].time}~{records[-1][0]}" if len(records) == limit else None,
                records=[order_views.record(one) for _, one in records],
            )
        )
