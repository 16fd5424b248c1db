"""The venues of accounts, live and demo. All accounts of a venue share the budget of this address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from backend.clock import Clock
from backend.core.proxy import Proxy
from backend.errors import ExchangeRefused, InvalidRequest
from backend.exchanges.private.venue import Call, Flavour, PrivateVenue
from backend.net.private.account_client import ATTEMPTS, AccountClient, offer_of
from backend.net.private.account_connection import AccountSockets
from backend.net.rest.exchange_clock import ExchangeClock
from backend.net.rest.requester import Requester, Session
from backend.net.rest.throttle import Throttle
from backend.telemetry.metrics import Metrics
from backend.trading.account import Account, Mode
from backend.trading.account_keys import Keys
from backend.trading.history import Kind, Offer
from backend.trading.rows import Product
from backend.trading.rules import Rules

Said = TypeVar("Said")

MARKET = "account"
"""The market's name in the metrics of these requests."""


class VenueWay:
    """A venue's host for accounts of one mode."""

    def __init__(
        self,
        *,
        venue: PrivateVenue,
        mode: Mode,
        base_url: str,
        session: Session,
        throttle: Throttle,
        clock: Clock,
        metrics: Metrics,
        proxy: Proxy | None = None,
        sockets: AccountSockets | None = None,
    ) -> None:
        self.venue = venue
        self._mode = mode
        self._base_url = base_url
        self._session = session
        self._throttle = throttle
        self._clock = clock
        self._metrics = metrics
        self._proxy = proxy
        self._sockets = sockets
        self._exchange_clock = ExchangeClock(self._read_clock, clock)

    def client(
        self, account: str, flavour: Flavour | None, keys: Keys, *, urgent: bool = False
    ) -> AccountClient:
        """Asks in the name of an account. What it spends is counted for that account from now on."""
        self._throttle.open_account(account, self.venue.limits)
        signer = self.venue.sign_demo if self._mode is Mode.DEMO else self.venue.sign
        return AccountClient(
            venue=self.venue,
            flavour=flavour,
            keys=keys,
            sign=signer(keys),
            requester=self._requester(keys, account),
            exchange_clock=self._exchange_clock,
            sockets=self._sockets,
            urgent=urgent,
        )

    def forget(self, account: str) -> None:
        """The account is no more."""
        self._throttle.close_account(account)

    async def ask(self, call: Call[Said]) -> Said:
        """The answer to a question without keys. May raise ExchangeError."""
        return await self._requester(None, None).ask(call.request, call.parse)

    async def _read_clock(self) -> int:
        return await self.ask(self.venue.clock)

    def _requester(self, keys: Keys | None, account: str | None) -> Requester:
        return Requester(
            venue=self.venue.name,
            market=MARKET,
            base_url=self._base_url,
            session=self._session,
            budget=self.venue.budget,
            throttle=self._throttle,
            failure=self.venue.failure(keys),
            clock=self._clock,
            metrics=self._metrics,
            proxy=self._proxy,
            account=account,
            venue_now=lambda: self._exchange_clock.known_now() or self._clock.now(),
            attempts=ATTEMPTS,
        )


class AccountVenues:
    """Fits `services.accounts.ports.AccountVenues`."""

    def __init__(self, ways: Mapping[tuple[str, Mode], VenueWay]) -> None:
        self._ways = ways

    @property
    def names(self) -> tuple[str, ...]:
        """The venues at which accounts can be asked."""
        return tuple(dict.fromkeys(name for name, _ in self._ways))

    @property
    def traded(self) -> Mapping[str, tuple[Product, ...]]:
        """What is traded at each venue, whatever the kind of account."""
        return {
            way.venue.name: tuple(dict.fromkeys(one for kind in way.venue.flavours for one in kind.balances))
            for way in self._ways.values()
        }

    def began(self, venue: str) -> int:
        """Before that moment (ms) nobody could trade there."""
        return self._way(venue, Mode.LIVE).venue.began

    def products(self, account: Account) -> tuple[Product, ...]:
        """What an account may hold money in."""
        return tuple(self._flavour(account).balances)

    def offer(self, account: Account, kind: Kind, product: Product) -> Offer | None:
        """How its venue tells a history; None where it does not."""
        return offer_of(self._flavour(account), kind, product)

    def stranger(self, account: str, venue: str, mode: Mode, keys: Keys) -> AccountClient:
        """Asks for an account of which nothing is known yet. Raises InvalidRequest for an unknown venue."""
        return self._way(venue, mode).client(account, None, keys)

    def client(self, account: Account, keys: Keys, *, urgent: bool = False) -> AccountClient:
        """Asks in the name of an account."""
        way = self._way(account.venue, account.mode)
        return way.client(account.id, self._flavour(account), keys, urgent=urgent)

    async def rules(self, venue: str, product: Product, symbol: str) -> Rules:
        """The steps and minima of a market, asked without keys. May raise ExchangeError."""
        way = self._way(venue, Mode.LIVE)
        flavour = next((one for one in way.venue.flavours if product in one.balances), None)
        if flavour is None:
            raise ExchangeRefused(f"{venue} has no {product}")
        return await way.ask(flavour.placing.rules(product, symbol))

    def forget(self, account: str, venue: str, mode: Mode) -> None:
        """The account is no more."""
        self._way(venue, mode).forget(account)

    def _flavour(self, account: Account) -> Flavour:
        flavours = self._way(account.venue, account.mode).venue.flavours
        return next(flavour for flavour in flavours if flavour.name == account.flavour)

    def _way(self, venue: str, mode: Mode) -> VenueWay:
        if way := self._ways.get((venue, mode)):
            return way
        raise InvalidRequest(
            f"the service has no accounts at {venue[:50]!r}: use one of {', '.join(self.names)}",
            code="unknown_venue",
        )
