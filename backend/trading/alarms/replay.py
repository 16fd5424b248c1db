"""Stored alarms against stored candles, by the functions that carry alarms out and fill paper orders.

An alarm is carried out at the opening price of the first candle that opens after it came, for any size.
Candles then meet what it opened: stop-losses, take-profits and liquidation as on paper. Funding is paid as
the exchange tells it, at the price of that minute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from backend.core.quotes import FundingPaid, Level, OrderBook, Ticker
from backend.core.windows import HOUR, MINUTE
from backend.trading.alarms.alarm import Alarm, AlarmState
from backend.trading.alarms.decision import NotCarriedOut, Situation, legs_of
from backend.trading.alarms.strategy import CANDLE, Strategy
from backend.trading.money import total
from backend.trading.paper import paper_margin, paper_matching
from backend.trading.paper.paper_book import COINS, Instrument, Lever, PaperBook, PaperRefused, Terms
from backend.trading.paper.paper_time import Bar, pay_funding, see_bar, see_ticker
from backend.trading.rows import Fill, Product
from backend.trading.rules import fitted
from backend.trading.tickets import InvalidTicket

ANY_SIZE = Decimal(10) ** 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What an alarm led to in the replay: the position afterwards, and why nothing was done or not all.
    `really` is what became of it when it came."""

    alarm: str
    time: int
    symbol: str
    price: Decimal | None
    position: Decimal
    reason: str
    really: AlarmState

    @property
    def differs(self) -> bool:
        """Whether the replay carried it out and reality did not, or the other way round."""
        return (not self.reason) is not (self.really is AlarmState.DONE)


@dataclass(slots=True, kw_only=True)
class Result:
    """`equity` has the wallet's worth at the end of each hour in which something was held, and at the end."""

    balance: Decimal
    alarms: list[Replayed] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    funding: Decimal = Decimal(0)
    """What funding brought, below zero where it cost."""
    equity: list[tuple[int, Decimal]] = field(default_factory=list)

    @property
    def fees(self) -> Decimal:
        return total(fee.paid for fill in self.fills for fee in fill.fees)

    @property
    def realised(self) -> Decimal:
        """What trades won, before fees."""
        return total(fill.realised for fill in self.fills if fill.realised is not None)

    @property
    def drawdown(self) -> Decimal:
        """The deepest fall of the equity from a height before it."""
        highest, deepest = self.balance, Decimal(0)
        for _, worth in self.equity:
            highest = max(highest, worth)
            deepest = max(deepest, highest - worth)
        return deepest


class Replay:
    """One wallet, the alarms of one strategy, and the candles of its markets, fed in the order of time."""

    def __init__(
        self,
        strategy: Strategy,
        markets: Mapping[str, Instrument],
        balance: Decimal,
        terms: Terms,
        funding: Mapping[str, Sequence[FundingPaid]] = MappingProxyType({}),
    ) -> None:
        self._strategy = strategy
        self.markets = markets
        self._funding = {symbol: deque(paid) for symbol, paid in funding.items()}
        self._book = PaperBook(terms=terms)
        self.result = Result(balance=balance)
        self._book.pay(strategy.product, COINS[strategy.product], "transfer_in", balance, 0)
        leverage = terms.leverage if strategy.leverage is None else Decimal(strategy.leverage)
        for symbol in markets:
            self._book.set_lever(
                Lever(
                    product=strategy.product,
                    symbol=symbol,
                    long=leverage,
                    short=leverage,
                    margin_mode=strategy.margin_mode,
                )
            )

    def holds(self, symbol: str) -> bool:
        """Whether candles of a market matter now."""
        return bool(self._position(symbol)) or (self._strategy.product, symbol) in self._book.watched()

    def carry_out(self, alarm: Alarm, bar: Bar | None, before: Bar | None = None) -> None:
        """An alarm, at the candle that opens next, behind the one `before`; None where none is stored."""
        reason = "no candle is stored after this alarm"
        if bar is not None:
            reason = self._placed(alarm, bar, before)
        self.result.alarms.append(
            Replayed(
                alarm=alarm.id,
                time=alarm.received,
                symbol=alarm.symbol,
                price=None if bar is None else bar.open,
                position=self._position(alarm.symbol),
                reason=reason,
                really=alarm.state,
            )
        )

    def see(self, symbol: str, bar: Bar) -> None:
        """A candle of a market in which something is held."""
        where = (self._strategy.product, symbol)
        due = self._funding.get(symbol, deque())
        while due and due[0].time <= bar.time:
            paid = due.popleft()
            pay_funding(self._book, where, paid.rate, bar.close, paid.time)
        see_bar(self._book, where, bar)
        self._take_fills()
        if bar.time % HOUR == 0:
            self._note_equity(bar.time)

    def finish(self, time: int) -> Result:
        """The result, with the equity at the end."""
        self._note_equity(time)
        return self.result

    def _placed(self, alarm: Alarm, bar: Bar, before: Bar | None) -> str:
        assert alarm.signal is not None
        product, symbol, time = self._strategy.product, alarm.symbol, bar.time - MINUTE
        market = self.markets[symbol]
        see_ticker(self._book, (product, symbol), Ticker(last=bar.open), time)
        offers = OrderBook((Level(bar.open, ANY_SIZE),), (Level(bar.open, ANY_SIZE),))
        try:
            legs = legs_of(
                alarm.signal, self._strategy, symbol, self._meets(market, bar.open, before), is_old=False
            )
            for number, leg in enumerate(legs):
                ticket = fitted(leg, market.rules)
                paper_matching.place(self._book, market, ticket, alarm.key(number), offers, time)
        except (NotCarriedOut, PaperRefused, InvalidTicket) as error:
            return str(error)
        finally:
            self._take_fills()
        return ""

    def _meets(self, market: Instrument, price: Decimal, before: Bar | None) -> Situation:
        product = self._strategy.product
        position = self._position(market.symbol)
        return Situation(
            price=price,
            equity=paper_margin.equity(self._book, product, COINS[product]),
            long=max(position, Decimal(0)),
            short=max(-position, Decimal(0)),
            candle={} if before is None else {name: getattr(before, name) for name in CANDLE},
        )

    def _position(self, symbol: str) -> Decimal:
        product = self._strategy.product
        if product is Product.SPOT:
            market = self.markets.get(symbol)
            return Decimal(0) if market is None else self._book.has(product, market.base)
        lot = self._book.lot((product, symbol), "net")
        return Decimal(0) if lot is None else lot.size

    def _take_fills(self) -> None:
        self.result.fills += self._book.fills
        self.result.funding += total(row.amount for row in self._book.bills if row.kind == "funding")
        self._book.fills, self._book.orders, self._book.bills = [], [], []

    def _note_equity(self, time: int) -> None:
        product = self._strategy.product
        worth = paper_margin.equity(self._book, product, COINS[product])
        if product is Product.SPOT:
            coins = (
                self._book.has(Product.SPOT, market.base) * (self._book.price((Product.SPOT, symbol)) or 0)
                for symbol, market in self.markets.items()
            )
            worth = total((worth, *coins))
        self.result.equity.append((time, worth))


def in_order(alarms: Sequence[Alarm]) -> Iterator[Alarm]:
    """The alarms in the order in which they were decided, which is that of their positions."""
    known = [one for one in alarms if one.signal is not None and one.symbol]
    yield from sorted(known, key=lambda one: (one.decided or one.received, one.received, one.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRun:
    """A replay that somebody asked for, of alarms that came in `[start, end)`, with `balance` dollars.
    Moments are in ms. Its `holder` renews `until`; after that moment somebody else may hold it. `begun`
    counts the holders."""

    id: str
    strategy: str
    revision: int
    venue: str
    start: int
    end: int
    caller: str
    created: int
    balance: Decimal = Decimal(10_000)
    holder: str = ""
    until: int = 0
    begun: int = 0
    status: Literal["running", "done", "failed", "cancelled"] = "running"
    reason: str = ""
    alarms_found: int = 0
    alarms_done: int = 0
    result: Result | None = None
