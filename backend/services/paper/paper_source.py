"""A paper account as a venue: it is asked and told the same things as a venue with keys.

Its book is one document. Whoever changes it loads it, brings it up to the present prices, and puts it in
place of exactly the version that it loaded. So two processes never fill one order twice.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal

from backend.clock import Clock
from backend.core.windows import DAY, MINUTE
from backend.errors import (
    AccountContended,
    DatabaseUnavailable,
    ExchangeError,
    ExchangeRefused,
    ExchangeUnavailable,
    UnknownSymbol,
)
from backend.services.paper.ports import PaperPrices, PaperStore, RowsAsked
from backend.trading.account import Account
from backend.trading.history import Kind, Offer, Row
from backend.trading.paper import paper_margin, paper_matching
from backend.trading.paper.paper_book import PaperBook, PaperRefused
from backend.trading.paper.paper_fills import told
from backend.trading.paper.paper_time import see_bar, see_ticker
from backend.trading.rows import (
    Balance,
    Bill,
    FeeRates,
    Fill,
    Held,
    Identity,
    KeyFacts,
    Order,
    Page,
    Position,
    Product,
    Right,
    Setup,
    Wanted,
)
from backend.trading.rules import Rules
from backend.trading.tickets import MarginMode, Ticket

log = logging.getLogger(__name__)

KEY = KeyFacts(rights=frozenset((Right.READ, Right.TRADE)))
"""What a paper account may do: it has no key."""
FLAVOUR = "paper"

MOST_TRIES = 50
MOST_ORDERS = 500
"""Orders that may be open at once."""
PAGE = 500
CATCH_UP_MS = 2 * MINUTE
"""After so long without a look, the candles in between are read first."""
FRESH_MS = 5000
"""A price that brings no trade is written down after so long."""
DEADLINE_MS = 60_000
"""A write that was sent to the database is done within so long, or never."""
OFFER = Offer(span=36_500 * DAY, retention=None, needs="nothing")


class PaperSource:
    """Fits `services.accounts.ports.AccountSource`."""

    def __init__(
        self,
        account: Account,
        store: PaperStore,
        prices: PaperPrices,
        clock: Clock,
        *,
        products: tuple[Product, ...],
    ) -> None:
        self.products = products
        self._account = account
        self._store = store
        self._prices = prices
        self._clock = clock

    async def now(self) -> int:
        """The service's time, ms."""
        return self._clock.now()

    @property
    def sockets(self) -> tuple[str, ...]:
        """None: what happens, happens here."""
        return ()

    async def listen(self, _name: str, _heard: Callable[[], None]) -> str:
        raise NotImplementedError("a paper account has no sockets")

    async def identity(self) -> Identity:
        """It is nobody's but ours."""
        return Identity(flavour=FLAVOUR, uid=self._account.id, key=KEY)

    @property
    def wallets(self) -> tuple[tuple[Product, ...], ...]:
        """Each product has its own wallet."""
        return tuple((product,) for product in self.products)

    async def balances(self, products: Sequence[Product]) -> Mapping[Product, tuple[Balance, ...]]:
        book = await self._current()
        return {product: paper_margin.balances(book, product) for product in products}

    async def positions(self, products: Sequence[Product]) -> tuple[Position, ...]:
        book = await self._current()
        return tuple(row for product in products for row in paper_margin.positions(book, product))

    async def fees(self, product: Product, _symbol: str) -> FeeRates:
        book, _ = await self._store.load(self._account.id)
        return book.terms.rates(product)

    async def open_orders(self, product: Product) -> tuple[Order, ...]:
        book = await self._current()
        return tuple(told(one) for one in book.resting if one.ticket.product is product)

    def offer(self, _kind: Kind, product: Product) -> Offer | None:
        """Every history is there from the beginning on."""
        return OFFER if product in self.products else None

    async def orders(self, wanted: Wanted) -> Page[Order]:
        """A page of finished orders by the time of their creation."""
        rows, cursor = await self._page(Kind.ORDERS, wanted)
        return Page(tuple(row for row in rows if isinstance(row, Order)), cursor)

    async def fills(self, wanted: Wanted) -> Page[Fill]:
        rows, cursor = await self._page(Kind.FILLS, wanted)
        return Page(tuple(row for row in rows if isinstance(row, Fill)), cursor)

    async def bills(self, wanted: Wanted) -> Page[Bill]:
        rows, cursor = await self._page(Kind.BILLS, wanted)
        return Page(tuple(row for row in rows if isinstance(row, Bill)), cursor)

    async def order(self, _product: Product, _symbol: str, client_id: str) -> Order | None:
        """One order by our own id, in any state."""
        return _open_order(await self._current(), client_id) or await self._store.order(
            self._account.id, client_id
        )

    async def rules(self, product: Product, symbol: str) -> Rules:
        self._check(product)
        return (await self._prices.instrument(self._account.venue, product, symbol)).rules

    def last_moment(self, signed: int) -> int:
        """The last moment (ms) at which the order may still be written down."""
        return signed + DEADLINE_MS

    async def place(self, ticket: Ticket, client_id: str, before: Callable[[int], Awaitable[None]]) -> str:
        """Place an order; its id. Raises ExchangeRefused in words of a paper account."""
        self._check(ticket.product)
        await before(self._clock.now())
        try:
            return await self._placed(ticket, client_id)
        except (DatabaseUnavailable, AccountContended) as error:
            raise ExchangeUnavailable(f"the order of the paper account may be written: {error}") from error

    async def trial(self, ticket: Ticket, client_id: str) -> bool:
        """Whether the order would be taken now. Raises what `place` would."""
        self._check(ticket.product)
        await self._arrive(deepcopy(await self._current()), ticket, client_id)
        return True

    async def cancel(self, _product: Product, _symbol: str, order_id: str, client_id: str) -> None:
        now = self._clock.now()
        await self._change(lambda book: paper_matching.cancel(book, order_id, client_id, now))

    async def setup(self, product: Product, symbol: str) -> Setup:
        book, _ = await self._store.load(self._account.id)
        lever = book.lever(product, symbol)
        return Setup(
            product=product,
            symbol=symbol,
            long=lever.long,
            short=lever.short,
            margin_mode=lever.margin_mode,
            hedged=book.hedged,
        )

    async def set_leverage(self, product: Product, symbol: str, held: Held, leverage: int) -> None:
        await self.rules(product, symbol)

        def change(book: PaperBook) -> None:
            lever, value = book.lever(product, symbol), Decimal(leverage)
            long = lever.long if held == "short" else value
            short = lever.short if held == "long" else value
            book.set_lever(replace(lever, long=long, short=short))

        await self._change(change)

    async def set_margin_mode(self, product: Product, symbol: str, mode: MarginMode) -> None:
        await self.rules(product, symbol)

        def change(book: PaperBook) -> None:
            if (product, symbol) in book.watched():
                raise PaperRefused("the margin mode cannot change while there is a position or an order")
            book.set_lever(replace(book.lever(product, symbol), margin_mode=mode))

        await self._change(change)

    async def set_position_mode(self, _product: Product, *, hedged: bool) -> None:
        def change(book: PaperBook) -> None:
            spot = Product.SPOT
            if book.hedged is not hedged and any(where is not spot for where, _ in book.watched()):
                raise PaperRefused("the position mode cannot change while there are positions or orders")
            book.hedged = hedged

        await self._change(change)

    async def _placed(self, ticket: Ticket, client_id: str) -> str:
        for _ in range(MOST_TRIES):
            book, version = await self._store.load(self._account.id)
            known = _open_order(book, client_id) or await self._store.order(self._account.id, client_id)
            if known is not None:
                return known.order_id
            await self._advance(book, (ticket.product, ticket.symbol))
            order = await self._arrive(book, ticket, client_id)
            if await self._store.save(self._account.id, book, version):
                return order.order_id
        raise _contended()

    async def _arrive(self, book: PaperBook, ticket: Ticket, client_id: str) -> Order:
        if len(book.resting) >= MOST_ORDERS:
            raise ExchangeRefused(f"a paper account has at most {MOST_ORDERS} open orders")
        where = (self._account.venue, ticket.product, ticket.symbol)
        try:
            market, offers = await self._prices.instrument(*where), await self._prices.offers(*where)
            return paper_matching.place(book, market, ticket, client_id, offers, self._clock.now())
        except (PaperRefused, UnknownSymbol, ExchangeError) as error:
            raise ExchangeRefused(f"the paper account refuses the order: {error}") from error

    async def _change(self, change: Callable[[PaperBook], None]) -> None:
        for _ in range(MOST_TRIES):
            book, version = await self._store.load(self._account.id)
            await self._advance(book)
            try:
                change(book)
            except PaperRefused as error:
                raise ExchangeRefused(f"the paper account: {error}") from error
            if await self._store.save(self._account.id, book, version):
                return
        raise _contended()

    async def _current(self) -> PaperBook:
        """The book at the present prices."""
        for _ in range(MOST_TRIES):
            book, version = await self._store.load(self._account.id)
            seen = {(mark.product, mark.symbol): mark.time for mark in book.marks}
            await self._advance(book)
            is_old = any(
                mark.time - seen.get((mark.product, mark.symbol), 0) >= FRESH_MS for mark in book.marks
            )
            made = book.orders or book.fills or book.bills
            if not (made or is_old) or await self._store.save(self._account.id, book, version):
                return book
        raise _contended()

    async def _advance(self, book: PaperBook, *also: tuple[Product, str]) -> None:
        """Let the prices of the markets meet what the account has. A market that cannot be asked is left as
        it is, and so are its orders."""
        for where in sorted({*book.watched(), *also}):
            try:
                await self._look_at(book, where)
            except (ExchangeError, UnknownSymbol) as error:
                log.warning("paper account %s: no price of %s: %s", self._account.id, where[1], error)

    async def _look_at(self, book: PaperBook, where: tuple[Product, str]) -> None:
        venue, (product, symbol) = self._account.venue, where
        ticker = await self._prices.ticker(venue, product, symbol)
        now, mark = self._clock.now(), book.mark(where)
        funding = None
        if product is not Product.SPOT and (mark is None or mark.due is None or mark.due <= now):
            funding = await self._prices.funding(venue, product, symbol)
        if mark is not None and now - mark.time > CATCH_UP_MS:
            start = -(-mark.time // MINUTE) * MINUTE
            async for bar in self._prices.bars(venue, product, symbol, start, now - now % MINUTE):
                see_bar(book, where, bar)
        see_ticker(book, where, ticker, now, funding)

    async def _page(self, kind: Kind, wanted: Wanted) -> tuple[Sequence[Row], str | None]:
        time, _, number = wanted.cursor.partition("~")
        asked = RowsAsked(
            kind=kind,
            product=wanted.product,
            symbol=wanted.symbol,
            start=wanted.start,
            end=wanted.end,
            after=(int(time), int(number)) if number else None,
        )
        rows = await self._store.rows(self._account.id, asked, PAGE)
        places = [place for place, _ in rows]
        cursor = "{}~{}".format(*places[-1]) if len(rows) == PAGE else None
        return [row for _, row in rows], cursor

    def _check(self, product: Product) -> None:
        if product not in self.products:
            raise ExchangeRefused(f"this paper account trades {' and '.join(self.products)}, not {product}")


def _open_order(book: PaperBook, client_id: str) -> Order | None:
    return next((told(one) for one in book.resting if one.client_id == client_id), None)


def _contended() -> AccountContended:
    return AccountContended("too much happens in this paper account at once: try again", retry_after=1)
