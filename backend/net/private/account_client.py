"""Sends the signed requests of one account, within its budgets.

A question changes nothing at a venue, so it is repeated if that helps. An order or its end is sent once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from backend.errors import ClockRefused, ExchangeRefused, ModeRefused, OrderAbsent
from backend.exchanges.base import Sign
from backend.exchanges.private.venue import Call, Flavour, Prepared, PrivateVenue, Stream
from backend.net.private.account_connection import AccountConnection, AccountSockets
from backend.net.rest.exchange_clock import ExchangeClock
from backend.net.rest.requester import Requester
from backend.trading.account_keys import Keys
from backend.trading.history import Kind, Offer, Row
from backend.trading.rows import (
    Balance,
    Bill,
    FeeRates,
    Fill,
    Held,
    Identity,
    Order,
    Page,
    Position,
    Product,
    Setup,
    Wanted,
)
from backend.trading.rules import Rules
from backend.trading.tickets import MarginMode, Ticket

Said = TypeVar("Said")

ATTEMPTS = 3
MOST_PAGES = 100
"""Pages of open orders that are read: no venue lets an account have ten thousand."""


class AccountClient:
    """Fits `services.accounts.ports.AccountSource`. It holds the keys, so it lives as long as a request. The
    questions of an `urgent` one go before others that wait for the budget."""

    def __init__(
        self,
        *,
        venue: PrivateVenue,
        flavour: Flavour | None,
        keys: Keys,
        sign: Sign,
        requester: Requester,
        exchange_clock: ExchangeClock,
        sockets: AccountSockets | None = None,
        urgent: bool = False,
    ) -> None:
        self._venue = venue
        self._known_flavour = flavour
        self._keys = keys
        self._sign = sign
        self._requester = requester
        self._exchange_clock = exchange_clock
        self._sockets = sockets
        self._urgent = urgent

    def __repr__(self) -> str:
        return f"AccountClient({self._venue.name})"

    async def now(self) -> int:
        """The venue's time, ms."""
        return await self._exchange_clock.now()

    @property
    def sockets(self) -> tuple[str, ...]:
        """The names of the sockets that tell when something happens."""
        offered = () if self._sockets is None else tuple(self._sockets.urls)
        return tuple(socket.name for socket in self._flavour.sockets if socket.name in offered)

    async def listen(self, name: str, heard: Callable[[], None]) -> str:
        """Keep one connection while it lasts, and call `heard` when it begins, and whenever something
        happens in the account. Returns why it ended. Raises ExchangeError where it cannot begin."""
        assert self._sockets is not None
        socket = next(one for one in self._flavour.sockets if one.name == name)
        now = await self._exchange_clock.now()
        listen_key = "" if socket.listen_key is None else await self._ask(socket.listen_key)
        connection = AccountConnection(
            socket=socket, sockets=self._sockets, keys=self._keys, moment=now, heard=heard
        )
        return await connection.serve(listen_key)

    async def identity(self) -> Identity:
        """Which kind of account the keys belong to, whose it is, and what they may do: all asked anew.

        What is kept of the answer shows no key, whatever the venue says. Raises ExchangeError; ModeRefused
        where the account is of no kind that is known.
        """
        flavour = await self._asked_flavour()
        uid, key = await self._ask(flavour.uid), await self._ask(flavour.key(self._keys))
        hidden = self._keys.hidden_in
        return Identity(
            flavour=flavour.name,
            uid=hidden(uid),
            key=replace(key, addresses=tuple(map(hidden, key.addresses))),
        )

    @property
    def products(self) -> tuple[Product, ...]:
        """What the account may hold money in."""
        return tuple(self._flavour.balances)

    @property
    def wallets(self) -> tuple[tuple[Product, ...], ...]:
        """The products by the wallet that they share: those whose balances one question tells."""
        shared: dict[int, list[Product]] = {}
        for product, call in self._flavour.balances.items():
            shared.setdefault(id(call), []).append(product)
        return tuple(map(tuple, shared.values()))

    async def balances(self, products: Sequence[Product]) -> Mapping[Product, tuple[Balance, ...]]:
        """The wallet of each product; products that share one show it more than once."""
        return await self._of_each(self._flavour.balances, products)

    async def positions(self, products: Sequence[Product]) -> tuple[Position, ...]:
        """Open positions of some products."""
        answers = await self._of_each(self._flavour.positions, products)
        rows = (row for product, rows in answers.items() for row in rows if row.product is product)
        return tuple(dict.fromkeys(rows))

    async def fees(self, product: Product, symbol: str) -> FeeRates:
        """What trading costs; `symbol` is in the venue's spelling."""
        return await self._ask(self._offering(product).fees(product, symbol))

    async def open_orders(self, product: Product) -> tuple[Order, ...]:
        """All orders of a product that are not finished. Raises ExchangeRefused where they never end."""
        flavour, orders = self._offering(product), dict[str, Order]()
        cursor = ""
        for _ in range(MOST_PAGES):
            page = await self._ask(flavour.open_orders(product, cursor))
            fresh = {row.order_id: row for row in page.rows if row.order_id not in orders}
            orders |= fresh
            if page.cursor is None or not fresh:
                return tuple(row for row in orders.values() if row.product is product)
            cursor = page.cursor
        raise ExchangeRefused(f"{self._venue.name} reports more open orders than possible")

    def offer(self, kind: Kind, product: Product) -> Offer | None:
        """How the venue tells a history; None where it does not tell it."""
        return offer_of(self._flavour, kind, product)

    async def orders(self, wanted: Wanted) -> Page[Order]:
        """A page of finished orders by the time of their creation."""
        return await self._ask(self._flavour.orders[wanted.product].ask(wanted))

    async def fills(self, wanted: Wanted) -> Page[Fill]:
        """A page of fills."""
        return await self._ask(self._flavour.fills[wanted.product].ask(wanted))

    async def bills(self, wanted: Wanted) -> Page[Bill]:
        """A page of changes of a wallet."""
        return await self._ask(self._flavour.bills[wanted.product].ask(wanted))

    async def order(self, product: Product, symbol: str, client_id: str) -> Order | None:
        """One order by our own id, in any state; None, or OrderAbsent, where the venue does not have it."""
        return await self._ask(self._offering(product).order(product, symbol, client_id))

    async def rules(self, product: Product, symbol: str) -> Rules:
        """The steps and minima of a market; `symbol` is in the venue's spelling."""
        call = self._offering(product).placing.rules(product, symbol)
        return await self._requester.ask(call.request, call.parse)

    def last_moment(self, signed: int) -> int:
        """The last moment (ms, by the venue's clock) at which it may accept a request signed then."""
        return self._venue.acceptance.last_moment(signed)

    async def place(self, ticket: Ticket, client_id: str, before: Callable[[int], Awaitable[None]]) -> str:
        """Place an order, once; the venue's id of it, "" where the venue tells none.

        Nothing is sent before `before` returns; it gets the time of the signature. After that only
        ExchangeRefused says that there is no order, and neither OrderAbsent nor any other error does.
        """
        place = self._offering(ticket.product).placing.place
        if isinstance(place, Prepared):
            place = await self._ask(place.ask(ticket), urgent=True)
        return await self._change(place(ticket, client_id), before)

    async def trial(self, ticket: Ticket, client_id: str) -> bool:
        """Ask what the venue would say to an order: True if it would take it, False if it cannot be asked.
        Raises what `place` would."""
        if (call := self._offering(ticket.product).placing.trial(ticket, client_id)) is None:
            return False
        await self._change(call)
        return True

    async def cancel(self, product: Product, symbol: str, order_id: str, client_id: str) -> None:
        """Ask once for the end of an order; what became of it, the order itself says."""
        await self._change(self._offering(product).placing.cancel(product, symbol, order_id, client_id))

    async def setup(self, product: Product, symbol: str) -> Setup:
        """How a symbol is set now."""
        parts = [await self._ask(call) for call in self._offering(product).setup.read(product, symbol)]
        return Setup(
            product=product,
            symbol=symbol,
            long=next((one.long for one in parts if one.long is not None), None),
            short=next((one.short for one in parts if one.short is not None), None),
            margin_mode=next((one.margin_mode for one in parts if one.margin_mode), ""),
            hedged=next((one.hedged for one in parts if one.hedged is not None), None),
        )

    async def set_leverage(self, product: Product, symbol: str, held: Held, leverage: int) -> None:
        """Ask once for a leverage; `setup` tells what came of it."""
        await self._change(self._offering(product).setup.leverage(product, symbol, held, leverage))

    async def set_margin_mode(self, product: Product, symbol: str, mode: MarginMode) -> None:
        """Ask once for a margin mode. Raises ModeRefused where this kind of account has none by symbol."""
        if (change := self._offering(product).setup.margin_mode) is None:
            raise ModeRefused(f"{self._venue.name} sets no margin mode for a symbol of this account")
        await self._change(change(product, symbol, mode))

    async def set_position_mode(self, product: Product, *, hedged: bool) -> None:
        """Ask once for positions on both sides, or for one a symbol."""
        if (change := self._offering(product).setup.position_mode) is None:
            raise ModeRefused(f"{self._venue.name} sets no position mode of this account")
        await self._change(change(product, hedged))

    async def _change(self, call: Call[Said], before: Callable[[int], Awaitable[None]] | None = None) -> Said:
        await self._exchange_clock.now()
        try:
            return await self._requester.send(
                call.signed(self._sign),
                call.parse,
                before=before or _nothing,
                failure=self._venue.failure(self._keys, placing=True),
            )
        except ClockRefused:
            self._exchange_clock.forget()
            raise

    @property
    def _flavour(self) -> Flavour:
        if self._known_flavour is None:
            raise ModeRefused(f"{self._venue.name} has not told the kind of this account yet")
        return self._known_flavour

    def _offering(self, product: Product) -> Flavour:
        """The kind of this account. Raises ExchangeRefused where it does not have the product."""
        if product not in self._flavour.balances:
            known = ", ".join(self._flavour.balances)
            raise ExchangeRefused(f"an account at {self._venue.name} trades {known}, not {product}")
        return self._flavour

    async def _asked_flavour(self) -> Flavour:
        """The first kind whose question is not answered by ModeRefused: any other failure tells nothing."""
        for flavour in self._venue.flavours:
            try:
                await self._ask(flavour.probe)
            except ModeRefused as error:
                refused = error
            else:
                self._known_flavour = flavour
                return flavour
        raise refused

    async def _of_each(
        self, calls: Mapping[Product, Call[Said]], products: Sequence[Product]
    ) -> dict[Product, Said]:
        """The answer for each product; a question that several share is asked once."""
        asked: dict[int, Said] = {}
        for product in products:
            if product in calls and id(calls[product]) not in asked:
                asked[id(calls[product])] = await self._ask(calls[product])
        return {product: asked[id(calls[product])] for product in products if product in calls}

    async def _ask(self, call: Call[Said], *, urgent: bool = False) -> Said:
        """The answer. When the venue refuses our time, its clock is read anew and the question is asked once
        more."""
        await self._exchange_clock.now()
        request = call.signed(self._sign)
        request = replace(request, urgent=request.urgent or urgent or self._urgent)
        try:
            return await self._requester.ask(request, call.parse)
        except OrderAbsent:
            if call.absent is None:
                raise
            return call.absent()
        except ClockRefused:
            self._exchange_clock.forget()
            await self._exchange_clock.now()
            return await self._requester.ask(request, call.parse)


async def _nothing(_moment: int) -> None:
    return None


def offer_of(flavour: Flavour, kind: Kind, product: Product) -> Offer | None:
    """How a kind of account is told a history; None where it is not."""
    streams: Mapping[Kind, Mapping[Product, Stream[Row]]] = {
        Kind.ORDERS: flavour.orders,
        Kind.FILLS: flavour.fills,
        Kind.BILLS: flavour.bills,
    }
    if (stream := streams[kind].get(product)) is None:
        return None
    return Offer(
        span=stream.span,
        retention=stream.retention,
        needs=stream.needs,
        parts=stream.parts,
        unfilled=stream.unfilled,
    )
