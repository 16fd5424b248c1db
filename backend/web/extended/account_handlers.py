"""Accounts and orders at `/extended/v1`, in Extended's own words.

After https://api.docs.extended.exchange. Orders are signed here: a client sends no signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from backend.errors import ExchangeRefused, InvalidRequest, UnknownOrder
from backend.services.history.ports import RowsWanted
from backend.trading.history import Kind
from backend.trading.intents import Intent, State
from backend.trading.rows import Fill, Order, Product
from backend.trading.tickets import Force, InvalidTicket, Ticket
from backend.web.extended import extended_shapes as shapes
from backend.web.extended import extended_views as views
from backend.web.extended.envelope import VENUE, ExtendedHandler
from backend.web.extended.extended_parameters import (
    AMENDING,
    CURSOR,
    EXTERNAL_ID,
    FORCES,
    LEVERAGE,
    LIMIT,
    MARKET,
    NEW_PRICE,
    NEW_QTY,
    OF_ACCOUNT,
    OF_MARKET,
    ONE_MARKET,
    ONLY_MARKET,
    ORDERING,
    POST_ONLY,
    PRICE,
    QTY,
    REDUCE_ONLY,
    ROWS,
    SETTING_LEVERAGE,
    SIDE,
    STOP_LOSS,
    TAKE_PROFIT,
    TIME_IN_FORCE,
    TYPE,
)
from backend.web.server.parameters import Values

USD = Product.PERPETUAL_USD


class BalanceHandler(ExtendedHandler):
    async def get(self) -> None:
        account = await self.account_id(self.query(OF_ACCOUNT))
        reading = await self.trading.readings.balances(account, USD)
        self.tell([views.balance(row) for row in reading.said[USD]])


class PositionsHandler(ExtendedHandler):
    async def get(self) -> None:
        values = self.query(OF_MARKET)
        reading = await self.trading.readings.positions(await self.account_id(values), USD)
        only = values[ONLY_MARKET]
        self.tell([views.position(row) for row in reading.said if only in ("", row.symbol)])


class LeverageHandler(ExtendedHandler):
    async def get(self) -> None:
        values = self.query(ONE_MARKET)
        setup = await self.trading.orders.setups.read(await self.account_id(values), USD, values[MARKET])
        self.tell([views.leverage(setup)])

    async def patch(self) -> None:
        self.query(())
        values = self.json_object(SETTING_LEVERAGE)
        setup = await self.trading.orders.setups.leverage(
            await self.account_id(values), USD, values[MARKET], "net", values[LEVERAGE], caller=self.caller
        )
        self.tell(views.leverage(setup))


class FeesHandler(ExtendedHandler):
    async def get(self) -> None:
        values = self.query(ONE_MARKET)
        reading = await self.trading.readings.fees(await self.account_id(values), USD, values[MARKET])
        self.tell([views.fees(values[MARKET], reading.said)])


class PlacingHandler(ExtendedHandler):
    """Base of what places orders."""

    def tell_placed(self, intent: Intent) -> None:
        if intent.state is State.REFUSED:
            self.answer_error(ExchangeRefused(f"{intent.venue} refused order {intent.id}: {intent.reason}"))
            return
        self.tell(views.placed(intent))


class OrdersHandler(PlacingHandler):
    """GET lists the open orders."""

    async def get(self) -> None:
        values = self.query(OF_MARKET)
        reading = await self.trading.readings.open_orders(await self.account_id(values), USD)
        only = values[ONLY_MARKET]
        self.tell([views.order(row) for row in reading.said if only in ("", row.symbol)])

    async def post(self) -> None:
        """Place an order, at most once: a repeated `id` is the same order."""
        self.query(())
        values = self.json_object(ORDERING)
        intent = await self.trading.orders.executor.place(
            await self.account_id(values), _ticket(values), caller=self.caller, key=values[EXTERNAL_ID]
        )
        self.tell_placed(intent)

    async def delete(self) -> None:
        """Cancel all open orders, or those of a market."""
        values = self.query(OF_MARKET)
        gone, _ = await self.trading.orders.canceller.cancel_all(
            await self.account_id(values), caller=self.caller, symbol=values[ONLY_MARKET] or None
        )
        self.tell(shapes.ExtendedCancelled(cancelled=gone))


class OrderHandler(PlacingHandler):
    """An order of this service, by its id here."""

    async def get(self, order_id: str) -> None:
        self.query(())
        self.tell(views.placed(await self._intent(order_id)))

    async def patch(self, order_id: str) -> None:
        """Another price or quantity: the order is ended, and its rest placed anew."""
        self.query(())
        values = self.json_object(AMENDING)
        await self._intent(order_id)
        self.tell_placed(
            await self.trading.orders.amender.amend(
                order_id, price=values[NEW_PRICE], size=values[NEW_QTY], caller=self.caller
            )
        )

    async def delete(self, order_id: str) -> None:
        self.query(())
        await self._intent(order_id)
        self.tell(views.placed(await self.trading.orders.canceller.cancel(order_id, caller=self.caller)))

    async def _intent(self, order_id: str) -> Intent:
        intent = await self.trading.orders.executor.get(order_id)
        if intent.venue != VENUE:
            raise UnknownOrder(f"this order is at {intent.venue}, not at {VENUE}")
        return intent


class HistoryHandler(ExtendedHandler):
    """What is stored of an account, the oldest first."""

    async def page(self, kind: Kind) -> tuple[Sequence[Any], str | None]:
        values = self.query(ROWS)
        wanted = RowsWanted(
            account=await self.account_id(values), product=USD, symbol=values[ONLY_MARKET] or None
        )
        limit = values[LIMIT]
        rows = await self.trading.histories.page(kind, wanted, values[CURSOR], limit)
        cursor = f"{rows[-1][0].time}~{rows[-1][0].id}" if len(rows) == limit else None
        return [row for _, row in rows], cursor


class OrderHistoryHandler(HistoryHandler):
    async def get(self) -> None:
        rows, cursor = await self.page(Kind.ORDERS)
        told = [views.order(row) for row in rows if isinstance(row, Order)]
        self.tell(told, cursor=cursor, count=len(told))


class TradesHandler(HistoryHandler):
    async def get(self) -> None:
        rows, cursor = await self.page(Kind.FILLS)
        told = [views.trade(row) for row in rows if isinstance(row, Fill)]
        self.tell(told, cursor=cursor, count=len(told))


def _ticket(values: Values) -> Ticket:
    side, size = values[SIDE], values[QTY]
    is_market = values[TYPE] == "MARKET"
    price: Decimal | None = values[PRICE]
    if not is_market and price is None:
        raise InvalidRequest("price is missing: a limit order has one", code="invalid_order")
    force = FORCES[values[TIME_IN_FORCE], values[POST_ONLY]]
    if force is None:
        raise InvalidRequest("postOnly is for GTT orders", code="invalid_order")
    try:
        return Ticket(
            product=USD,
            symbol=values[MARKET],
            side=side,
            size=size,
            price=None if is_market else price,
            force=Force.GTC if is_market else force,
            reduce_only=values[REDUCE_ONLY],
            take_profit=values[TAKE_PROFIT],
            stop_loss=values[STOP_LOSS],
        )
    except InvalidTicket as error:
        raise InvalidRequest(str(error), code="invalid_order") from None
