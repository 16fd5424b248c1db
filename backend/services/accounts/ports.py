"""What the use cases of accounts need of venues and stores, as shapes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from backend.trading.account import Account, Mode, Sealed
from backend.trading.account_keys import Keys
from backend.trading.history import Kind, Offer
from backend.trading.risk import Limits
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


class AccountSource(Protocol):
    """The questions to a venue with the keys of one account. Every call may raise ExchangeError."""

    async def now(self) -> int:
        """The venue's time, ms."""

    @property
    def sockets(self) -> tuple[str, ...]:
        """The names of the sockets that tell when something happens in the account."""

    async def listen(self, name: str, heard: Callable[[], None]) -> str:
        """Keep one connection while it lasts, and call `heard` when it begins, and whenever something happens
        in the account. Returns why it ended."""

    async def identity(self) -> Identity:
        """The kind of account, whose it is, and what the keys may do."""

    @property
    def products(self) -> tuple[Product, ...]:
        """What the account may hold money in."""

    @property
    def wallets(self) -> tuple[tuple[Product, ...], ...]:
        """The products by the wallet that they share."""

    async def balances(self, products: Sequence[Product]) -> Mapping[Product, tuple[Balance, ...]]:
        """The wallets of some products."""

    async def positions(self, products: Sequence[Product]) -> tuple[Position, ...]:
        """Open positions of some products."""

    async def fees(self, product: Product, symbol: str) -> FeeRates:
        """What trading a symbol costs; it is in the venue's spelling."""

    async def open_orders(self, product: Product) -> tuple[Order, ...]:
        """All orders of a product that are not finished."""

    def offer(self, kind: Kind, product: Product) -> Offer | None:
        """How the venue offers a history; None if it does not."""

    async def orders(self, wanted: Wanted) -> Page[Order]:
        """A page of finished orders by the time of their creation."""

    async def fills(self, wanted: Wanted) -> Page[Fill]:
        """A page of fills."""

    async def bills(self, wanted: Wanted) -> Page[Bill]:
        """A page of changes of a wallet."""

    async def order(self, product: Product, symbol: str, client_id: str) -> Order | None:
        """One order by our own id, in any state; None, or OrderAbsent, where the venue does not have it."""

    async def rules(self, product: Product, symbol: str) -> Rules:
        """The steps and minima of a market."""

    def last_moment(self, signed: int) -> int:
        """The last moment (ms, by the venue's clock) at which it may accept a request signed then."""

    async def place(self, ticket: Ticket, client_id: str, before: Callable[[int], Awaitable[None]]) -> str:
        """Place an order, once; returns the venue's id of it, or "".

        Nothing is sent before `before` returns; it gets the time of the signature (ms, by the venue's clock).
        After that only ExchangeRefused, but not OrderAbsent, says that there is no order.
        """

    async def trial(self, ticket: Ticket, client_id: str) -> bool:
        """Ask what the venue would say to an order: True if it would take it, False if it cannot be asked.
        Raises what `place` would."""

    async def setup(self, product: Product, symbol: str) -> Setup:
        """How a symbol is set."""

    async def set_leverage(self, product: Product, symbol: str, held: Held, leverage: int) -> None:
        """Ask once for a leverage; `setup` tells what came of it, as of the next two."""

    async def set_margin_mode(self, product: Product, symbol: str, mode: MarginMode) -> None:
        """Ask once for a margin mode. Raises ModeRefused where the account has none by symbol."""

    async def set_position_mode(self, product: Product, *, hedged: bool) -> None:
        """Ask once for positions on both sides, or for one a symbol. May raise ModeRefused."""

    async def cancel(self, product: Product, symbol: str, order_id: str, client_id: str) -> None:
        """Ask once for the end of an order. The order itself says what became of it."""


class AccountVenues(Protocol):
    """The venues at which accounts can be asked."""

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""

    def began(self, venue: str) -> int:
        """The first moment (ms) at which anybody could trade there."""

    def products(self, account: Account) -> tuple[Product, ...]:
        """What an account may hold money in."""

    def offer(self, account: Account, kind: Kind, product: Product) -> Offer | None:
        """How its venue offers a history; None if it does not."""

    def stranger(self, account: str, venue: str, mode: Mode, keys: Keys) -> AccountSource:
        """The questions for keys of an unknown account. Raises InvalidRequest for an unknown venue."""

    def client(self, account: Account, keys: Keys, *, urgent: bool = False) -> AccountSource:
        """The questions with the keys of an account; `urgent` ones go before others that wait."""

    def forget(self, account: str, venue: str, mode: Mode) -> None:
        """The account was removed."""


class AccountStore(Protocol):
    """Where accounts are kept. Every call may raise DatabaseUnavailable."""

    async def add(self, account: Account, sealed: Sealed) -> bool:
        """Store a new account; False if one of the same venue, mode and uid exists."""

    async def load(self, account_id: str) -> tuple[Account, Sealed] | None:
        """An account with its sealed keys; None if there is none."""

    async def all(self) -> list[Account]:
        """Every account, oldest first."""

    async def change(
        self, account_id: str, *, label: str | None, frozen: bool | None, limits: Limits | None = None
    ) -> bool:
        """Change what is given; False if there is no such account."""

    async def checked(self, account_id: str, identity: Identity, moment: int) -> None:
        """Write down what the venue said of the account's keys."""

    async def reseal(self, account_id: str, old: Sealed, new: Sealed) -> bool:
        """Put newly sealed keys in place of exactly the `old` ones."""

    async def remove(self, account_id: str) -> bool:
        """Forget an account and its keys; False if there is no such."""
