"""`/twap`: orders that are placed in slices over some time."""

from __future__ import annotations

from http import HTTPStatus

from backend.trading.twap import MOST_SLICES
from backend.web.server.parameters import Parameter, required, whole
from backend.web.trading import order_shapes, order_views
from backend.web.trading.handler import ACCOUNT, TradingHandler
from backend.web.trading.order_parameters import LIMIT, PLACING, ticket_of

LONGEST_SECONDS = 7 * 24 * 3600
SLICES: Parameter[int] = required(whole("slices", "How many orders it is cut into", highest=MOST_SLICES))
SECONDS: Parameter[int] = required(
    whole("seconds", "Over how many seconds they are placed", highest=LONGEST_SECONDS)
)
BEGINNING = (*PLACING, SLICES, SECONDS)
LISTING = (ACCOUNT, LIMIT)


class TwapsHandler(TradingHandler):
    async def get(self) -> None:
        values = self.query(LISTING)
        account = await self.account_of(values)
        newest = await self.trading.orders.twaps.newest(account.id, values[LIMIT])
        twaps = [order_views.twap(one) for one in newest]
        self.answer(
            order_shapes.TwapsAnswer(account=account.id, mode=account.mode, count=len(twaps), twaps=twaps)
        )

    async def post(self) -> None:
        """Begin a TWAP order."""
        self.query(())
        values = self.json_object(BEGINNING)
        ticket, slices, seconds = ticket_of(values), values[SLICES], values[SECONDS]
        twap = await self.trading.orders.twaps.begin(
            await self.account_id(values), ticket, slices=slices, seconds=seconds, caller=self.caller
        )
        self.set_header("Location", f"{self.base_path}/twap/{twap.id}")
        self.answer(order_shapes.TwapAnswer(twap=order_views.twap(twap)), HTTPStatus.CREATED)


class TwapHandler(TradingHandler):
    async def get(self, twap_id: str) -> None:
        self.query(())
        twap = await self.trading.orders.twaps.get(twap_id)
        self.answer(order_shapes.TwapAnswer(twap=order_views.twap(twap)))

    async def delete(self, twap_id: str) -> None:
        """Place no more slices."""
        self.query(())
        twap = await self.trading.orders.twaps.cancel(twap_id, caller=self.caller)
        self.answer(order_shapes.TwapAnswer(twap=order_views.twap(twap)))
