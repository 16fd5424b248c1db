"""Opens paper accounts, and keeps those with something at stake up to the prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from backend.clock import Clock
from backend.errors import InvalidRequest
from backend.services.paper.paper_source import PaperSource
from backend.services.paper.ports import PaperPrices, PaperStore
from backend.trading.account import Account
from backend.trading.paper.paper_book import COINS, PaperBook, Terms
from backend.trading.rows import FeeRates, Product

RATES = {
    "bitget": FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0006")),
    "bingx": FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0005")),
    "extended": FeeRates(maker=Decimal(0), taker=Decimal("0.00025")),
}
"""What trading costs on perpetuals at each venue's first tier, as parts of the value."""


class PaperAccounts:
    """`venues` are those at which paper accounts can be, with what is traded there. All may raise
    DatabaseUnavailable."""

    def __init__(
        self,
        *,
        store: PaperStore,
        prices: PaperPrices,
        venues: Mapping[str, Sequence[Product]],
        clock: Clock,
    ) -> None:
        self._store = store
        self._prices = prices
        self._venues = venues
        self._clock = clock

    async def open(
        self, account: str, venue: str, balance: Decimal, *, maker: Decimal | None, taker: Decimal | None
    ) -> None:
        """A new book with `balance` dollars in each wallet. Fees are parts of a trade's value; None means
        those of the venue's first tier. Raises InvalidRequest for an unknown venue."""
        if venue not in self._venues:
            known = ", ".join(sorted(self._venues))
            raise InvalidRequest(
                f"paper accounts have the prices of {known}: there is no venue {venue[:50]!r}",
                code="unknown_venue",
            )
        plain = Terms(perpetual=RATES.get(venue, Terms().perpetual))
        rates = [
            FeeRates(
                maker=each.maker if maker is None else maker, taker=each.taker if taker is None else taker
            )
            for each in (plain.spot, plain.perpetual)
        ]
        book = PaperBook(terms=Terms(spot=rates[0], perpetual=rates[1]))
        for product in self._products(venue):
            book.pay(product, COINS[product], "transfer_in", balance, self._clock.now())
        await self._store.open(account, book)

    def client(self, account: Account) -> PaperSource:
        """The questions to an account."""
        return PaperSource(
            account, self._store, self._prices, self._clock, products=self._products(account.venue)
        )

    def _products(self, venue: str) -> tuple[Product, ...]:
        return tuple(product for product in self._venues.get(venue, ()) if product in COINS)

    async def remove(self, account: str) -> None:
        """Forget an account."""
        await self._store.remove(account)
