"""Sends requests to one market of one exchange: throttled, bounded in time and size, repeated if that
helps."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from backend.clock import Clock, parse_time
from backend.core.candles import Candle
from backend.core.plan import closed_until
from backend.core.proxy import Proxy
from backend.core.quotes import FundingPaid, FundingRate, MarketTrade, OrderBook, Ticker
from backend.core.series import Listing
from backend.core.windows import MINUTE, Window
from backend.errors import (
    ExchangeError,
    ExchangeRefused,
    UnknownSymbol,
)
from backend.exchanges.base import Answer, Market, Request
from backend.exchanges.quotes import FundingHistory, Quotes
from backend.net.rest.exchange_clock import ExchangeClock
from backend.net.rest.funding_pages import paid_between
from backend.net.rest.listing import NEW_LISTING_LASTS, Listings
from backend.net.rest.requester import Parsed, Requester, Session
from backend.net.rest.throttle import Throttle
from backend.precedence import Precedence
from backend.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

REFUSAL_LASTS = 60.0
"""Seconds for which a refused symbol is not requested again."""

MOST_REFUSED = 1000
"""Most refused symbols in memory. More of them cost a request each."""

ASKED = 2
"""This many answers must agree that there is nothing."""

SEARCHES = 5
"""Most restarts of a search for the first candle after a wrong answer."""

NO_VENUE_BEFORE = parse_time("2017-01-01")


class MarketClient:
    """Fits `services.venue_ports.CandleSource` and `QuoteSource`."""

    def __init__(
        self,
        *,
        exchange: str,
        market: Market,
        quotes: Quotes | None,
        base_url: str,
        session: Session,
        throttle: Throttle,
        clock: Clock,
        metrics: Metrics,
        precedence: Precedence,
        proxy: Proxy | None = None,
    ) -> None:
        self._exchange = exchange
        self._market = market
        self._quotes = quotes
        self._clock = clock
        self._precedence = precedence
        self._requester = Requester(
            venue=exchange,
            market=market.name,
            base_url=base_url,
            session=session,
            budget=market.budget,
            throttle=throttle,
            failure=market.failure,
            clock=clock,
            metrics=metrics,
            proxy=proxy,
        )
        self._listings = Listings(self._list, clock, exchange)
        self._spelt: dict[str, str] = {}
        self._refused: OrderedDict[str, float] = OrderedDict()
        self._exchange_clock = ExchangeClock(
            partial(self._requester.ask, market.time_request, market.parse_time), clock
        )

    async def stop(self) -> None:
        """End what goes on beside."""
        await self._listings.stop()

    def canonical(self, text: str) -> str:
        """Our spelling of a symbol; ValueError if no symbol can be called so."""
        return self._market.canonical(text)

    def page_size(self, age: int) -> int:
        """The most minutes of one call of `candles` when the oldest opened `age` ms ago."""
        return self._market.page_size(age)

    async def ensure_known(self, symbol: str) -> None:
        """Raise UnknownSymbol unless the exchange lists `symbol`, or answers a question about its candles."""
        with suppress(ExchangeError):
            if symbol in await self._listings.read():
                return
        closed = closed_until(await self.now())
        await self.candles(symbol, Window(closed - MINUTE, closed))

    async def is_traded(self, symbol: str) -> bool:
        """Whether the exchange lists `symbol` now, as one that is traded. Raises as `candles`."""
        listing = (await self._listings.read(NEW_LISTING_LASTS)).get(symbol)
        return listing is not None and listing.status not in self._market.ended

    async def candles(self, symbol: str, window: Window) -> Sequence[Candle]:
        """What the exchange sends for `window`, untouched. Raises ExchangeError or UnknownSymbol."""
        now = await self.now()
        return await self._asked_for(
            symbol, lambda native: self._candles(self._market.candles_request(native, window, now))
        )

    async def ticker(self, symbol: str) -> Ticker:
        """The last price, the best offers and the day. Raises as `candles`."""
        quotes = self._traded()
        return await self._quoted(symbol, quotes.ticker_request, quotes.parse_ticker)

    async def order_book(self, symbol: str, levels: int) -> OrderBook:
        """The best offers, up to `levels` a side where the venue tells so many. Raises as `candles`."""
        quotes = self._traded()
        depth = quotes.depth(levels)
        book = await self._quoted(
            symbol, lambda native: quotes.book_request(native, depth), quotes.parse_book
        )
        return book.first(levels)

    async def trades(self, symbol: str) -> Sequence[MarketTrade]:
        """The newest trades, the newest first. Raises as `candles`, and ExchangeRefused for a venue whose
        trades nobody here asks for."""
        if (question := self._traded().trades) is None:
            raise ExchangeRefused(f"the service does not ask {self._exchange} for trades")
        return await self._quoted(symbol, question.request, question.parse)

    async def funding(self, symbol: str) -> FundingRate | None:
        """What positions pay next, None where nothing is paid. Raises as `candles`."""
        if (question := self._traded().funding) is None:
            return None
        return await self._quoted(symbol, question.request, question.parse)

    async def funding_paid(self, symbol: str, start: int, end: int) -> Sequence[FundingPaid]:
        """What positions paid in `[start, end)`, ascending; empty where nothing is paid. Raises as
        `candles`."""
        if (history := self._traded().funding_history) is None:
            return ()
        return await paid_between(start, end, partial(self._funding_page, symbol, history))

    def _traded(self) -> Quotes:
        """How the market tells its offers. Raises ExchangeRefused for a price at which nobody trades."""
        if self._quotes is None:
            raise ExchangeRefused(f"nobody trades at {self._market.name} prices: ask the market perpetual")
        return self._quotes

    async def _funding_page(
        self, symbol: str, history: FundingHistory, start: int, last: int, page: int
    ) -> Sequence[FundingPaid]:
        return await self._quoted(
            symbol, lambda native: history.request(native, start, last, page), history.parse
        )

    async def _quoted(
        self, symbol: str, request: Callable[[str], Request], parse: Callable[[bytes], Parsed]
    ) -> Parsed:
        return await self._asked_for(
            symbol, lambda native: self._requester.ask(request(native), lambda answer: parse(answer.body))
        )

    async def first_candle(self, symbol: str, known: int | None = None) -> int | None:
        """Open time of the oldest candle that the exchange has, None if it has none. Raises as `candles`.

        `known` is an earlier result: then only older candles are searched. An answer that there is no older
        candle counts only if two answers agree.
        """
        return await self._asked_for(symbol, lambda native: self._first_candle(native, known))

    async def symbols(self) -> Mapping[str, Listing]:
        """The exchange's list, by our spelling. It is read again when the copy is an hour old.

        Where that fails the old copy does; without one it raises as `candles`.
        """
        return await self._listings.read()

    def known_status(self, symbol: str) -> str | None:
        """The venue's word for the state of a symbol by the copy there is; None while there is none."""
        listed = self._listings.known()
        if self._listings.is_missing:
            return None
        listing = listed.get(symbol)
        return listing.status if listing else next(iter(self._market.ended), None)

    async def now(self) -> int:
        """The exchange's time in ms, never ahead of it: read at times, carried on by a steady clock."""
        return await self._exchange_clock.now()

    def known_now(self) -> int | None:
        """The same without a request; None if it was never read, or not since this machine slept."""
        return self._exchange_clock.known_now()

    async def native(self, symbol: str) -> str:
        """The venue's spelling of a symbol, the likeliest where it lists none. Raises UnknownSymbol."""
        self._refuse_again(symbol)
        for native in await self._spellings(symbol):
            return native
        raise self._unknown(symbol)

    async def _asked_for(self, symbol: str, ask: Callable[[str], Awaitable[Parsed]]) -> Parsed:
        """The answer to a question about `symbol`, listed or not. A symbol is unknown if the exchange refuses
        it.

        A refusal is remembered for a while, so that requests for unknown symbols cost little.
        """
        self._refuse_again(symbol)
        tried = await self._spellings(symbol)
        for native in tried:
            with suppress(UnknownSymbol):
                return await self._answered(symbol, native, ask)
        if (listing := await self._newly_listed(symbol)) and listing.native not in tried:
            return await self._answered(symbol, listing.native, ask)
        self._remember_refusal(symbol)
        raise self._unknown(symbol)

    async def _answered(self, symbol: str, native: str, ask: Callable[[str], Awaitable[Parsed]]) -> Parsed:
        answer = await ask(native)
        self._spelt[symbol] = native
        return answer

    async def _spellings(self, symbol: str) -> Sequence[str]:
        """The venue's possible spellings of `symbol`. Only if nothing else helps, this waits for the list."""
        listed = self._listings.known()
        if self._market.spellings and self._listings.is_missing and symbol not in self._spelt:
            with suppress(ExchangeError):
                listed = await self._listings.read()
        if listing := listed.get(symbol):
            return (listing.native,)
        if symbol in self._spelt:
            return (self._spelt[symbol],)
        return self._market.spellings(symbol) if self._market.spellings else (symbol,)

    async def _newly_listed(self, symbol: str) -> Listing | None:
        """The symbol in a fresh list, if only the list can know its spelling."""
        if self._market.spellings:
            with suppress(ExchangeError):
                return (await self._listings.read(NEW_LISTING_LASTS)).get(symbol)
        return None

    def _remember_refusal(self, symbol: str) -> None:
        """Not for a symbol that is listed or had an answer before: one refusal may be wrong."""
        if symbol in self._spelt or symbol in self._listings.known():
            return
        self._refused[symbol] = self._clock.monotonic()
        if len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)

    def _refuse_again(self, symbol: str) -> None:
        refused = self._refused.get(symbol)
        if refused is not None and self._clock.monotonic() - refused < REFUSAL_LASTS:
            raise self._unknown(symbol)

    def _unknown(self, symbol: str) -> UnknownSymbol:
        return UnknownSymbol(
            f"{self._exchange} knows no {symbol} on its {self._market.name} market: it has no candles of it"
        )

    async def _list(self) -> Sequence[Listing]:
        """In one attempt if there is a copy: the copy serves until the next attempt."""
        ask = self._requester.ask if self._listings.is_missing else self._requester.ask_once
        return await ask(self._market.symbols_request, self._parse_symbols)

    def _parse_symbols(self, answer: Answer) -> Sequence[Listing]:
        return self._market.parse_symbols(answer.body)

    async def _first_candle(self, native: str, known: int | None) -> int | None:
        if self._market.earliest_request is None:
            return await self._search_first_candle(native, known)
        rows = [
            row for _ in range(ASKED) for row in await self._candles(self._market.earliest_request(native))
        ]
        return min((row.open_time for row in rows), default=known)

    async def _search_first_candle(self, native: str, known: int | None) -> int | None:
        """Search until nothing is older than the result. The last check finds a wrong answer on the way."""
        first = known
        for _ in range(SEARCHES):
            page = await self._anything_before(native, await self._closed() if first is None else first)
            if not page:
                break
            first = await self._bisect(native, page)
        return first

    async def _bisect(self, native: str, page: list[int]) -> int:
        """Find the moment before which there is no candle. `page` are some existing candles.

        A short page most likely reaches back to the first candle, so that is checked next, unless this
        venue's pages are always short.
        """
        low, short_is_telling = NO_VENUE_BEFORE, True
        while low < (begins := closed_until(page[0])):
            short = short_is_telling and len(page) < self._market.search_rows
            end = begins if short else max(closed_until((low + begins) // 2), low) + MINUTE
            earlier = await self._newest_before(native, end)
            if earlier:
                page, short_is_telling = earlier, short_is_telling and not short
            else:
                low = end
        return page[0]

    async def _anything_before(self, native: str, end: int) -> list[int]:
        """The same as `_newest_before`. "Nothing" counts only if two answers agree."""
        for _ in range(ASKED):
            if page := await self._newest_before(native, end):
                return page
        return []

    async def _newest_before(self, native: str, end: int) -> list[int]:
        """Open times of a page of candles that open before `end`, ascending."""
        assert self._market.newest_before_request is not None
        rows = await self._candles(self._market.newest_before_request(native, end))
        return sorted(row.open_time for row in rows if row.open_time < end)

    async def _closed(self) -> int:
        return closed_until(await self.now())

    async def _candles(self, request: Request) -> Sequence[Candle]:
        def parse(answer: Answer) -> Sequence[Candle]:
            return self._market.parse_candles(answer.body)

        return await self._requester.ask(request, parse, self._precedence.turn)
