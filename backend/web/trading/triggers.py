"""`/triggers`: orders that wait for a price. `POST /orders` with `trigger_price` makes one."""

from __future__ import annotations

from backend.web.trading import order_shapes, order_views
from backend.web.trading.handler import ACCOUNT, TradingHandler
from backend.web.trading.order_parameters import LIMIT

LISTING = (ACCOUNT, LIMIT)


class TriggersHandler(TradingHandler):
    async def get(self) -> None:
        values = self.query(LISTING)
        account = await self.account_of(values)
        triggers = await self.trading.orders.triggers.newest(account.id, values[LIMIT])
        rows = [order_views.trigger(one) for one in triggers]
        self.answer(
            order_shapes.TriggersAnswer(account=account.id, mode=account.mode, count=len(rows), triggers=rows)
        )


class TriggerHandler(TradingHandler):
    async def get(self, trigger_id: str) -> None:
        self.query(())
        trigger = await self.trading.orders.triggers.get(trigger_id)
        self.answer(order_shapes.TriggerAnswer(trigger=order_views.trigger(trigger)))

    async def delete(self, trigger_id: str) -> None:
        """Wait no longer. An order that was placed already stays as it is."""
        self.query(())
        trigger = await self.trading.orders.triggers.cancel(trigger_id, caller=self.caller)
        self.answer(order_shapes.TriggerAnswer(trigger=order_views.trigger(trigger)))
