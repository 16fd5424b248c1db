"""Opens paper accounts, and keeps those with something at stake up to the prices."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from backend.clock import Clock
from backend.errors import InvalidRequest
from backend.services.paper.paper_source import PaperSource
from backend.services.paper.ports import PaperPrices, PaperStore
from backend.trading.account import Account
from backend.trading.paper.paper_book import PRODUCTS, PaperBook, Terms
from backend.trading.rows import FeeRates

TAKER = {"bitget": Decimal("0.0006"), "bingx": Decimal("0.0005")}
"""What taking costs on perpetuals at each venue's first tier, a part of the value."""

COIN = "USDT"


class PaperAccounts:
    """`venues` are those at which paper accounts can be. All may raise DatabaseUnavailable."""

    def __init__(
        self, *, store: PaperStore, prices: PaperPrices, venues: Collection[str], clock: Clock
    ) -> None:
        self._store = store
        self._prices = prices
        self._venues = venues
        self._clock = clock

    async def open(
        self, account: str, venue: str, balance: Decimal, *, maker: Decimal | None, taker: Decimal | None
    ) -> None:
        """A new book with `balance` USDT in each wallet. Fees are parts of a trade's value; None means those
        of the venue's first tier. Raises InvalidRequest for an unknown venue."""
        if venue not in self._venues:
            known = ", ".join(sorted(self._venues))
            raise InvalidRequest(
                f"paper accounts have the prices of {known}: there is no venue {venue[:50]!r}",
                code="unknown_venue",
            )
        plain = Terms(
            perpetual=FeeRates(maker=Terms().perpetual.maker, taker=TAKER.get(venue, Terms().perpetual.taker))
        )
        rates = [
            FeeRates(
                maker=each.maker if maker is None else maker, taker=each.taker if taker is None else taker
            )
            for each in (plain.spot, plain.perpetual)
        ]
        book = PaperBook(terms=Terms(spot=rates[0], perpetual=rates[1]))
        for product in PRODUCTS:
            book.pay(product, COIN, "transfer_in", balance, self._clock.now())
        await self._store.open(account, book)

    def client(self, account: Account) -> PaperSource:
        """The questions to an account."""
        return PaperSource(account, self._store, self._prices, self._clock)

    async def remove(self, account: str) -> None:
        """Forget an account."""
        await self._store.remove(account)
