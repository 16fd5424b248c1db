"""What has to be known of a market and of an account before an order can be judged."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from backend.clock import Clock
from backend.core.quotes import Ticker
from backend.core.series import Series, canonical_symbol
from backend.core.windows import MINUTE, Window
from backend.errors import ExchangeError, UnknownSymbol
from backend.services.accounts.ports import AccountSource
from backend.services.accounts.readings import Readings
from backend.services.orders.losses import DayLosses
from backend.services.ports import CandleStore
from backend.services.reading.quotes import Quotes
from backend.trading.account import Account
from backend.trading.rows import Position, Product
from backend.trading.rules import Rules
from backend.trading.tickets import Ticket

log = logging.getLogger(__name__)

RULES_SECONDS = 600.0
CANDLE = ("open", "high", "low", "close", "volume")
CLOSE_COUNTS_MS = 10 * MINUTE
"""So long does the close of a stored minute count as a price."""
MOST_MARKETS = 1000
MARKETS = {
    Product.SPOT: "spot",
    Product.PERPETUAL_USDT: "perpetual",
    Product.PERPETUAL_USD: "perpetual",
}
"""The markets whose prices the service can ask for."""


class _Known(NamedTuple):
    rules: Rules
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`position` is what is held in the direction of the order in quote coins, read at `read` (ms). `loss` is
    that of the day, None if it was not asked for or nothing tells it."""

    rules: Rules
    price: Decimal | None
    position: Decimal
    read: int
    loss: Decimal | None = None


class MarketFacts:
    """Rules are believed for ten minutes, prices and positions for a second."""

    def __init__(self, *, readings: Readings, quotes: Quotes, candles: CandleStore, clock: Clock) -> None:
        self._readings = readings
        self._quotes = quotes
        self._candles = candles
        self._clock = clock
        self._losses = DayLosses(clock)
        self._rules: dict[tuple[str, str, Product, str], _Known] = {}

    async def rules(self, account: Account, source: AccountSource, ticket: Ticket) -> Rules:
        """The steps and minima of a ticket's market. May raise ExchangeError."""
        market = (account.venue, account.flavour, ticket.product, ticket.symbol)
        now = self._clock.monotonic()
        known = self._rules.get(market)
        if known is None or known.until < now:
            known = _Known(await source.rules(ticket.product, ticket.symbol), now + RULES_SECONDS)
            if len(self._rules) >= MOST_MARKETS:
                self._rules.clear()
            self._rules[market] = known
        return known.rules

    def forget(self, account: Account, ticket: Ticket) -> None:
        """The venue refused an order: its rules may have changed."""
        self._rules.pop((account.venue, account.flavour, ticket.product, ticket.symbol), None)

    async def of(self, account: Account, source: AccountSource, ticket: Ticket) -> Facts:
        """What the account's limits need. May raise ExchangeError."""
        rules = await self.rules(account, source, ticket)
        price, position, read = None, Decimal(0), self._clock.now()
        if not ticket.closes and account.limits.need_price(ticket):
            price = await self.price(account, ticket.product, ticket.symbol)
        if not ticket.closes and account.limits.needs_position and ticket.product is not Product.SPOT:
            reading = await self._readings.positions(account.id, ticket.product)
            rows = [row for row in reading.said if row.symbol == ticket.symbol]
            position = sum((_value(row, ticket, rules) for row in rows), Decimal(0))
            read = reading.read
        loss = None
        if not ticket.closes and account.limits.max_daily_loss is not None:
            loss = await self._losses.of(account, source, ticket.product)
        return Facts(rules=rules, price=price, position=position, read=read, loss=loss)

    async def priced(self, account: Account, source: AccountSource, ticket: Ticket) -> Facts:
        """The same with the market's price in any case, if something tells it."""
        facts = await self.of(account, source, ticket)
        return (
            facts
            if facts.price is not None
            else replace(facts, price=await self.price(account, ticket.product, ticket.symbol))
        )

    async def costs(
        self, source: AccountSource, ticket: Ticket, value: Decimal | None
    ) -> tuple[Decimal | None, Decimal | None]:
        """The most that an order may cost in fees, and the margin that it would hold back. May raise
        ExchangeError."""
        if value is None:
            return None, None
        rates = await source.fees(ticket.product, ticket.symbol)
        fee = value * max(rates.taker, rates.maker)
        if ticket.closes or ticket.product is Product.SPOT:
            return fee, Decimal(0)
        setup = await source.setup(ticket.product, ticket.symbol)
        leverage = setup.short if ticket.held == "short" or ticket.side == "sell" else setup.long
        return fee, None if not leverage else value / leverage

    async def price(self, account: Account, product: Product, symbol: str) -> Decimal | None:
        """The last price of a market, or the last stored minute's where the venue does not tell it. None
        where nothing does."""
        if product not in MARKETS:
            return None
        try:
            series = series_of(account.venue, product, symbol)
            ticker: Ticker = (await self._quotes.ticker(series)).said
        except (ExchangeError, UnknownSymbol, ValueError) as error:
            log.warning("%s %s: the exchange tells no price: %s", account.venue, symbol, error)
            candle = await self.last_candle(account, product, symbol, CLOSE_COUNTS_MS)
            return candle.get("close")
        return ticker.last

    async def last_candle(
        self, account: Account, product: Product, symbol: str, age: int
    ) -> Mapping[str, Decimal]:
        """The last stored minute of a market that is not older than `age` ms: open, high, low, close and
        volume. Empty where there is none."""
        try:
            series = series_of(account.venue, product, symbol)
        except (KeyError, ValueError):
            return {}
        now = self._clock.now()
        columns = self._candles.columns(series, Window(now - age, now), 1, backwards=True)
        try:
            async for part in columns:
                if len(part):
                    named = part.present()
                    return {name: Decimal(repr(float(named[name][-1]))) for name in CANDLE}
        finally:
            await columns.aclose()
        return {}


def series_of(venue: str, product: Product, symbol: str) -> Series:
    """The candles of a market. Raises KeyError where the service has none of the product, and ValueError for
    what is no symbol."""
    separator = "-" if product is Product.PERPETUAL_USD else ""
    return Series(venue, MARKETS[product], canonical_symbol(symbol, separator))


def _value(row: Position, ticket: Ticket, rules: Rules) -> Decimal:
    """What a position is worth in the direction of an order; another one of the same symbol is none of its
    business."""
    if row.held != ticket.held:
        return Decimal(0)
    price = row.mark_price if row.mark_price is not None else row.entry_price
    worth = row.size * (price if rules.contract_value is None else rules.contract_value)
    return worth * ticket.direction if row.held == "net" else abs(worth)
