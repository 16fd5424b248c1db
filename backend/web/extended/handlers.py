"""`/extended/v1`: the use cases of the other routes, in Extended's own envelope and words.

After https://api.docs.extended.exchange. A route needs the scopes that the one without the prefix needs.
Orders are signed here: a client sends no signature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from backend.access.policy import EXTENDED_PREFIX
from backend.core.interval import INTERVALS
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.windows import Window
from backend.errors import ExchangeRefused, InvalidRequest, UnknownOrder
from backend.services.history.ports import RowsWanted
from backend.services.service import Service
from backend.trading.history import Kind
from backend.trading.intents import Intent, State
from backend.trading.rows import Fill, Order, Product
from backend.trading.tickets import InvalidTicket, Ticket
from backend.web.extended import extended_shapes as shapes
from backend.web.extended import extended_views as views
from backend.web.extended.extended_parameters import (
    AMENDING,
    CANDLE_TYPE,
    CANDLES,
    CURSOR,
    END,
    EXTERNAL_ID,
    FORCES,
    FUNDING,
    INTERVAL,
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
    PRICES,
    QTY,
    REDUCE_ONLY,
    ROWS,
    SETTING_LEVERAGE,
    SIDE,
    START,
    STOP_LOSS,
    TAKE_PROFIT,
    TIME_IN_FORCE,
    TYPE,
    UNTIL,
)
from backend.web.server.common_parameters import SYMBOL
from backend.web.server.parameters import Values
from backend.web.streams.long_answer import unless_gone
from backend.web.trading.handler import ACCOUNT, TradingHandler

VENUE = "extended"
USD = Product.PERPETUAL_USD
STATUSES = frozenset((400, 401, 403, 405, 421, 429, 500))
"""Of errors; 405 and 421 say that a route lacks a method, and that the host is none of ours. Others are told
as the one of these that means the same to a client."""
MOST_LEVELS = 200


class ExtendedHandler(TradingHandler):
    """Base: the envelope, and the account."""

    def answer(self, body: object, status: int = HTTPStatus.OK) -> None:
        """Every error of the service passes here too."""
        if isinstance(body, Mapping) and body.get("success") is False:
            fault = body["error"]
            error = shapes.ExtendedFault(code=fault["code"], message=fault["message"])
            body = shapes.ExtendedError(status="error", error=error)
            if status not in STATUSES:
                status = 500 if status > 500 else 400
        super().answer(body, status)

    def tell(self, data: object, *, cursor: str | None = None, count: int | None = None) -> None:
        """A success; `count` is that of a page."""
        page = None if count is None else shapes.ExtendedPagination(cursor=cursor, count=count)
        self.answer(shapes.ExtendedAnswer(status="ok", data=data, pagination=page))

    async def account_id(self, values: Values) -> str:
        """The account that a request names, or the only one at Extended."""
        if given := values[ACCOUNT]:
            return given
        found = [one for one in await self.trading.accounts.all() if one.venue == VENUE]
        if len(found) != 1:
            raise InvalidRequest(
                f"choose an account with `account`: there are {len(found)} at {VENUE}", code="missing_account"
            )
        return found[0].id

    def series_of(self, symbol: str | None, market: str = "perpetual") -> Series:
        return self.service.markets.series(SYMBOL.read(SYMBOL.name, symbol), VENUE, market)


class MarketsHandler(ExtendedHandler):
    async def get(self) -> None:
        only = self.query((ONLY_MARKET,))[ONLY_MARKET]
        listings = await self.service.markets.named(VENUE, "perpetual").symbols()
        self.tell([views.market(one) for one in listings.values() if only in ("", one.symbol)])


class StatsHandler(ExtendedHandler):
    async def get(self, symbol: str | None) -> None:
        self.query(())
        series, quotes = self.series_of(symbol), self.service.reading.quotes
        ticker, funding = await quotes.ticker(series), await quotes.funding(series)
        self.tell(views.stats(ticker.said, funding.said))


class BookHandler(ExtendedHandler):
    async def get(self, symbol: str | None) -> None:
        self.query(())
        series = self.series_of(symbol)
        book = await self.service.reading.quotes.order_book(series, MOST_LEVELS)
        self.tell(views.book(series.symbol, book.said))


class CandlesHandler(ExtendedHandler):
    """What is stored, the newest first; whole candles only."""

    async def get(self, symbol: str | None) -> None:
        values = self.query(CANDLES)
        series = self.series_of(symbol, PRICES[values[CANDLE_TYPE]])
        end = values[END]
        wanted = Selection(
            Window(0, 2**50 if end is None else end + 1),
            INTERVALS[values[INTERVAL]],
            values[LIMIT],
            newest=True,
        )
        answer = self.service.reading.mirror.page(series, wanted)
        with self.rooms.data.place(self.client):
            page = await unless_gone(answer, self.gone)
        self.tell(views.candles(page.candles)[::-1])


class FundingHandler(ExtendedHandler):
    """What was paid, the newest first."""

    async def get(self, symbol: str | None) -> None:
        values = self.query(FUNDING)
        series = self.series_of(symbol)
        paid = await self.service.reading.quotes.funding_paid(series, values[START], values[UNTIL] + 1)
        self.tell([views.funding(series.symbol, one) for one in reversed(paid)], count=len(paid))


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
        found = await self.trading.orders.setups.read(await self.account_id(values), USD, values[MARKET])
        self.tell([views.leverage(found)])

    async def patch(self) -> None:
        self.query(())
        values = self.json_object(SETTING_LEVERAGE)
        found = await self.trading.orders.setups.leverage(
            await self.account_id(values), USD, values[MARKET], "net", values[LEVERAGE], caller=self.caller
        )
        self.tell(views.leverage(found))


class FeesHandler(ExtendedHandler):
    async def get(self) -> None:
        values = self.query(ONE_MARKET)
        reading = await self.trading.readings.fees(await self.account_id(values), USD, values[MARKET])
        self.tell([views.fees(values[MARKET], reading.said)])


class PlacingHandler(ExtendedHandler):
    """Base of what places orders."""

    def tell_placed(self, found: Intent) -> None:
        if found.state is State.REFUSED:
            self.answer_error(ExchangeRefused(f"{found.venue} refused order {found.id}: {found.reason}"))
            return
        self.tell(views.placed(found))


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
        found = await self.trading.orders.executor.place(
            await self.account_id(values), _ticket(values), caller=self.caller, key=values[EXTERNAL_ID]
        )
        self.tell_placed(found)

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
        self.tell(views.placed(await self._found(order_id)))

    async def patch(self, order_id: str) -> None:
        """Another price or quantity: the order is ended, and its rest placed anew."""
        self.query(())
        values = self.json_object(AMENDING)
        await self._found(order_id)
        self.tell_placed(
            await self.trading.orders.amender.amend(
                order_id, price=values[NEW_PRICE], size=values[NEW_QTY], caller=self.caller
            )
        )

    async def delete(self, order_id: str) -> None:
        self.query(())
        await self._found(order_id)
        self.tell(views.placed(await self.trading.orders.canceller.cancel(order_id, caller=self.caller)))

    async def _found(self, order_id: str) -> Intent:
        found = await self.trading.orders.executor.get(order_id)
        if found.venue != VENUE:
            raise UnknownOrder(f"this order is at {found.venue}, not at {VENUE}")
        return found


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
            force=FORCES["GTT", False] if is_market else force,  # type: ignore[arg-type]
            reduce_only=values[REDUCE_ONLY],
            take_profit=values[TAKE_PROFIT],
            stop_loss=values[STOP_LOSS],
        )
    except InvalidTicket as error:
        raise InvalidRequest(str(error), code="invalid_order") from None


def extended_routes(service: Service) -> list[tuple[str, type[ExtendedHandler], dict[str, Any]]]:
    """The routes below the prefix."""
    routes: list[tuple[str, type[ExtendedHandler]]] = [
        ("markets", MarketsHandler),
        ("markets(?:/(.*))?/stats", StatsHandler),
        ("markets(?:/(.*))?/orderbook", BookHandler),
        ("markets(?:/(.*))?/candles", CandlesHandler),
        ("markets(?:/(.*))?/funding", FundingHandler),
        ("account/balance", BalanceHandler),
        ("account/positions", PositionsHandler),
        ("account/leverage", LeverageHandler),
        ("account/fees", FeesHandler),
        ("orders", OrdersHandler),
        ("orders/history", OrderHistoryHandler),
        ("orders/([^/]*)", OrderHandler),
        ("trades", TradesHandler),
    ]
    return [(f"{EXTENDED_PREFIX}/{path}", handler, {"service": service}) for path, handler in routes]
