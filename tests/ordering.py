"""Orders over real HTTP and a real database, at a simulated venue whose time is that of the service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast
from uuid import uuid4

from cryptography.fernet import Fernet

from backend.core.quotes import FundingPaid, FundingRate, Level, OrderBook, Ticker
from backend.errors import ExchangeUnavailable
from backend.exchanges.private.registry import PRIVATE_VENUES
from backend.loops import Loops
from backend.net.private.account_venues import AccountVenues, VenueWay
from backend.net.rest.requester import open_session
from backend.net.rest.throttle import Throttle
from backend.precedence import Precedence
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.readings import Readings
from backend.services.accounts.vault import Vault
from backend.services.alarms.intake import Intake
from backend.services.alarms.operations import Operations
from backend.services.alarms.runner import AlarmRunner
from backend.services.alarms.situations import Situations
from backend.services.alarms.strategies import Strategies
from backend.services.orders.amending import Amender
from backend.services.orders.cancelling import Canceller
from backend.services.orders.executor import Executor
from backend.services.orders.facts import MarketFacts
from backend.services.orders.permission import Permission
from backend.services.orders.ports import AuditRecord
from backend.services.orders.settling import Settler
from backend.services.orders.setups import Setups
from backend.services.orders.triggers import Triggers
from backend.services.orders.twaps import Twaps
from backend.services.orders.watch import OrderWatch
from backend.services.paper.paper_accounts import PaperAccounts
from backend.services.paper.paper_keeper import PaperKeeper
from backend.services.reading.quotes import Quotes
from backend.services.shared_answers import SharedAnswer
from backend.services.watching.account_watch import AccountWatch
from backend.store.mongo import Database
from backend.store.trading.accounts import MongoAccounts
from backend.store.trading.alarms import MongoAlarms
from backend.store.trading.audit_trail import MongoAudit
from backend.store.trading.desks import MongoDesks
from backend.store.trading.history import MongoHistory
from backend.store.trading.intents import MongoIntents
from backend.store.trading.papers import MongoPapers
from backend.store.trading.snapshots import MongoSnapshots
from backend.store.trading.strategies import MongoStrategies
from backend.store.trading.triggers import MongoTriggers
from backend.store.trading.twaps import MongoTwaps
from backend.telemetry.metrics import Metrics
from backend.trading.account import Account, Mode
from backend.trading.account_keys import Keys
from backend.trading.intents import Intent, State
from backend.trading.paper.paper_book import Instrument
from backend.trading.paper.paper_time import Bar
from backend.trading.rows import Product
from backend.trading.tickets import Ticket
from tests.book_rows import Venue
from tests.fakes import FakeClock, MemoryCandles
from tests.simulator import SimulatorClock
from tests.simulator.markets import Market
from tests.simulator.private.book import Book, Facts
from tests.simulator.private.rows import Order, Pair
from tests.simulator.private.rows import Product as SimulatedProduct
from tests.simulator.private.running import KEYS, STARK_KEYS, PrivateSimulator, private_simulator

NOW = 1_790_000_000_000
PATIENCE = 30.0
VENUES: tuple[Venue, ...] = ("classic", "unified", "bingx", "extended")
PRICE = Decimal(30_000)


class SharedClock(SimulatorClock):
    """The venue's clock shows what the service's one does."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.service = clock

    def now(self) -> int:
        return self.service.now()

    @property
    def speed(self) -> float:
        """The time jumps while a request is on its way: signatures have to hold for longer."""
        return 1000.0


class KeptMetrics(Metrics):
    """Remembers what it was told last."""

    undecided = 0

    def undecided_orders(self, count: int) -> None:
        self.undecided = count
        super().undecided_orders(count)


class OnePrice:
    """Fits `services.reading.quotes.Quotes` as far as orders need it."""

    def __init__(self) -> None:
        self.price = PRICE
        self.is_away = False

    async def ticker(self, _series: object) -> SharedAnswer[Ticker]:
        if self.is_away:
            raise ExchangeUnavailable("no ticker in this test")
        return SharedAnswer(0, 0, Ticker(last=self.price))


class OneMarket:
    """Fits `services.paper.ports.PaperPrices`: every market has one price, and offers of any size at it,
    unless a test says otherwise."""

    def __init__(self, quotes: OnePrice, rules: AccountVenues) -> None:
        self.quotes = quotes
        self.venue_rules = rules
        self.book: OrderBook | None = None
        self.paid: FundingRate | None = None
        self.payments: list[FundingPaid] = []
        self.closed: list[Bar] = []
        self.asked: list[tuple[int, int]] = []
        """The spans whose candles were asked for."""

    async def instrument(self, venue: str, product: Product, symbol: str) -> Instrument:
        quote = "USD" if product is Product.PERPETUAL_USD else "USDT"
        base = symbol.replace("-", "").removesuffix(quote)
        rules = await self.venue_rules.rules(venue, product, symbol)
        return Instrument(product=product, symbol=symbol, base=base, quote=quote, rules=rules)

    async def ticker(self, _venue: str, _product: Product, _symbol: str) -> Ticker:
        if self.book is None:
            return Ticker(last=self.quotes.price)
        bid, ask = self.book.bids[0], self.book.asks[0]
        return Ticker(
            last=self.quotes.price, bid=bid.price, bid_size=bid.size, ask=ask.price, ask_size=ask.size
        )

    async def offers(self, _venue: str, _product: Product, _symbol: str) -> OrderBook:
        anybody = (Level(self.quotes.price, Decimal(10) ** 9),)
        return self.book or OrderBook(anybody, anybody)

    async def funding(self, _venue: str, _product: Product, _symbol: str) -> FundingRate | None:
        return self.paid

    async def funding_paid(
        self, _venue: str, _product: Product, _symbol: str, start: int, end: int
    ) -> list[FundingPaid]:
        return [one for one in self.payments if start <= one.time < end]

    async def bars(
        self, _venue: str, _product: Product, _symbol: str, start: int, end: int
    ) -> AsyncIterator[Bar]:
        self.asked.append((start, end))
        for bar in self.closed:
            if start < bar.time <= end:
                yield bar


class Process:
    """What one process has that places orders."""

    def __init__(self, database: Database, ways: AccountVenues, vault: Vault, clock: FakeClock) -> None:
        self.intents = MongoIntents(database)
        self.desks = MongoDesks(database)
        self.audit = MongoAudit(database)
        self.quotes = OnePrice()
        self.loops = Loops(clock)
        self.precedence = Precedence()
        self.prices = OneMarket(self.quotes, ways)
        self.papers = MongoPapers(database)
        self.accounts = Accounts(
            store=MongoAccounts(database),
            venues=ways,
            vault=vault,
            paper=PaperAccounts(store=self.papers, prices=self.prices, venues=ways.traded, clock=clock),
            clock=clock,
            withdraw_allowed=False,
        )
        self.history = MongoHistory(database)
        self.heard: Callable[[AuditRecord], None] = lambda _record: None
        self.snapshots = MongoSnapshots(database)
        self.account_watch = AccountWatch(
            accounts=self.accounts,
            store=self.snapshots,
            history=self.history,
            clock=clock,
            loops=self.loops,
            every=60,
            precedence=self.precedence,
        )
        self.metrics = KeptMetrics()
        settler = Settler(
            intents=self.intents,
            desks=self.desks,
            audit=self.audit,
            clock=clock,
            metrics=self.metrics,
            changed=self.account_watch.hurry,
            heard=lambda record: self.heard(record),
        )
        self.paper = PaperKeeper(accounts=self.accounts, store=self.papers, clock=clock, loops=self.loops)
        self.permission = Permission(accounts=self.accounts, live_allowed=True)
        self.setups = Setups(accounts=self.accounts, permission=self.permission, settler=settler)
        self.candles = MemoryCandles()
        self.facts = MarketFacts(
            readings=Readings(self.accounts, clock),
            quotes=cast(Quotes, self.quotes),
            candles=self.candles,
            clock=clock,
        )
        self.executor = Executor(
            permission=self.permission,
            facts=self.facts,
            intents=self.intents,
            desks=self.desks,
            settler=settler,
            clock=clock,
            precedence=self.precedence,
        )
        self.watch = OrderWatch(
            accounts=self.accounts,
            intents=self.intents,
            desks=self.desks,
            settler=settler,
            clock=clock,
            loops=self.loops,
            precedence=self.precedence,
            metrics=self.metrics,
        )
        self.triggers = Triggers(
            executor=self.executor,
            facts=self.facts,
            accounts=self.accounts,
            store=MongoTriggers(database),
            settler=settler,
            clock=clock,
            loops=self.loops,
        )
        self.canceller = Canceller(
            accounts=self.accounts,
            executor=self.executor,
            watch=self.watch,
            triggers=self.triggers,
            desks=self.desks,
            settler=settler,
            clock=clock,
        )

        self.twaps = Twaps(
            executor=self.executor,
            store=MongoTwaps(database),
            settler=settler,
            clock=clock,
            loops=self.loops,
        )
        self.amender = Amender(executor=self.executor, canceller=self.canceller)
        self.alarms = MongoAlarms(database)
        strategies = MongoStrategies(database)
        self.strategies = Strategies(store=strategies, accounts=self.accounts, clock=clock)
        self.intake = Intake(
            alarms=self.alarms,
            strategies=strategies,
            accounts=self.accounts,
            clock=clock,
            metrics=self.metrics,
            arrived=lambda: None,
            precedence=self.precedence,
        )
        self.runner = AlarmRunner(
            alarms=self.alarms,
            strategies=strategies,
            situations=Situations(accounts=self.accounts, facts=self.facts),
            executor=self.executor,
            setups=self.setups,
            watch=self.watch,
            clock=clock,
            loops=self.loops,
            metrics=self.metrics,
            owner=uuid4().hex,
        )
        self.operations = Operations(alarms=self.alarms, intents=self.intents, history=self.history)


@dataclass
class Floor:
    """A venue, an account there, and the processes that place its orders."""

    venue: Venue
    simulator: PrivateSimulator
    clock: FakeClock
    account: Account
    processes: list[Process]

    @property
    def first(self) -> Process:
        return self.processes[0]

    @property
    def book(self) -> Book:
        return self.simulator.book

    @property
    def product(self) -> Product:
        """The perpetuals that the tests trade."""
        return Product.PERPETUAL_USD if self.venue == "extended" else Product.PERPETUAL_USDT

    def symbol(self, product: Product | None = None, base: str = "BTC") -> str:
        """The venue's spelling of a market."""
        product = product or self.product
        quotes = {Product.PERPETUAL_USDC: "USDC", Product.PERPETUAL_COIN: "USD", Product.PERPETUAL_USD: "USD"}
        hyphen = "-" if self.venue in ("bingx", "extended") else ""
        return f"{base}{hyphen}{quotes.get(product, 'USDT')}"

    def ticket(self, **changes: Any) -> Ticket:
        """A market order that buys 0.01 BTC, long where the account holds both sides; or what is changed."""
        product = changes.get("product", self.product)
        held = "net" if product is Product.SPOT or not self.book.facts.hedged else "long"
        given: dict[str, Any] = {
            "product": product,
            "symbol": self.symbol(product),
            "side": "buy",
            "size": Decimal("0.01"),
            "held": held,
        }
        return Ticket(**(given | changes))

    @property
    def closing(self) -> dict[str, Any]:
        """What makes the ticket close what it opens."""
        return {"side": "sell", "reduce_only": not self.book.facts.hedged}

    async def place(self, key: str | None = None, **changes: Any) -> Intent:
        """Place an order by the first process."""
        return await self.first.executor.place(
            self.account.id, self.ticket(**changes), caller="test", key=key
        )

    async def decided(self, intent: Intent) -> Intent:
        """The intent once it is no longer unknown; time goes on meanwhile."""
        for _ in range(400):
            found = await self.first.executor.get(intent.id)
            if not found.undecided:
                return found
            self.clock.advance(1)
            await self.first.watch.look()
        raise AssertionError(f"order {intent.id} stays {found.state}")

    def accepted(self, intent: Intent) -> int:
        """How many orders the venue has of an intent."""
        return self.book.accepted[intent.id]

    def orders(self) -> list[Order]:
        """All orders of the venue, oldest first."""
        return list(self.book.orders)


def name_of(venue: Venue) -> str:
    """The exchange of a kind of account."""
    return "bitget" if venue in ("classic", "unified") else venue


def keys_of(venue: Venue) -> Keys:
    """The keys of the simulated account."""
    return Keys(*(STARK_KEYS if venue == "extended" else KEYS))


def base_url(simulator: PrivateSimulator, venue: Venue) -> str:
    """Where accounts of a venue are asked."""
    return simulator.extended_url if venue == "extended" else simulator.url


def book_of(venue: Venue, *, hedged: bool = True) -> Book:
    """An account that has money and has traded nothing."""
    hedged = hedged and venue != "extended"
    facts = Facts(unified=venue == "unified", hedged=hedged, rights=("read", "trade"))
    book = Book(facts, now=NOW - 3_600_000)
    for product in SimulatedProduct:
        for coin in ("USDT", "USDC", "BTC"):
            book.transfer(product, coin, Decimal(1_000_000), NOW - 3_600_000)
        quote = {SimulatedProduct.USDC: "USDC", SimulatedProduct.COIN: "USD"}.get(product, "USDT")
        for base in ("BTC", "ETH"):
            book.mark(product, Pair(base, quote), PRICE)
    return book


@asynccontextmanager
async def floor(
    venue: Venue,
    database: Database,
    *,
    hedged: bool = True,
    processes: int = 1,
    limits: bool = False,
    markets: Iterable[Market] | None = None,
) -> AsyncIterator[Floor]:
    """A venue with an account, and processes that place its orders."""
    clock = FakeClock(NOW)
    book = book_of(venue, hedged=hedged)
    async with (
        private_simulator(book, clock=SharedClock(clock), limits=limits, markets=markets) as simulator,
        open_session(PATIENCE, "the-tests/1") as session,
    ):
        simulator.faults.private.id_memory = -1  # nothing but the service keeps an order from a second one
        private = PRIVATE_VENUES[name_of(venue)]
        vault = Vault([Fernet.generate_key().decode()])
        made = []
        for _ in range(processes):
            way = VenueWay(
                venue=private,
                mode=Mode.LIVE,
                base_url=base_url(simulator, venue),
                session=session,
                throttle=Throttle(private.budget.limits, 1.0, clock),
                clock=clock,
                metrics=Metrics(()),
            )
            made.append(Process(database, AccountVenues({(private.name, Mode.LIVE): way}), vault, clock))
        account = await made[0].accounts.add(private.name, Mode.LIVE, "one", keys_of(venue))
        yield Floor(venue, simulator, clock, account, made)


UNDECIDED = (State.SENDING, State.UNKNOWN)
