"""Every task that must go on meets errors that nobody expected, once and again and again, and goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.app.stores import look_after
from backend.core.candles import Candle
from backend.core.coverage import Coverage
from backend.core.follow import Follow, Standing
from backend.core.job import Job, SyncRequest
from backend.core.minutes import Minutes
from backend.core.windows import Window
from backend.exchanges.binance.market import SPOT
from backend.loops import Loops
from backend.net.sockets.market_stream import MarketStream
from backend.net.sockets.socket_connection import open_socket_session
from backend.precedence import Precedence
from backend.services.alarms.runner import AlarmRunner
from backend.services.following.append import Appender
from backend.services.following.confirm import Confirmer
from backend.services.following.keeper import Keeper
from backend.services.following.pushed_candles import LiveCandles
from backend.services.following.visits import Visitor
from backend.services.history.extractions import Extractions
from backend.services.jobs.submission import Jobs
from backend.services.jobs.worker import Worker
from backend.services.notices.follow_alerts import FollowAlerts
from backend.services.notices.notices import Notices
from backend.services.orders.settling import Settler
from backend.services.orders.triggers import Triggers
from backend.services.orders.twaps import Twaps
from backend.services.orders.watch import OrderWatch
from backend.services.paper.paper_keeper import PaperKeeper
from backend.services.reading.catalogue import Catalogue
from backend.services.reading.overview import Overview
from backend.services.running.fleet import Fleet, member_of
from backend.services.service import Service
from backend.services.streaming.change_log import Health
from backend.services.streaming.changes import Changes
from backend.services.streaming.ledger_watch import LedgerWatch
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.markets import Markets
from backend.services.syncing.sync import SyncService
from backend.services.watching.account_watch import AccountWatch
from backend.services.watching.listening import Listening
from backend.store.market.coverage import MongoCoverage
from backend.store.market.follows import MongoFollows
from backend.store.market.jobs import MongoJobs
from backend.store.market.processes import MongoFleet
from backend.store.mongo import Database
from backend.store.trading.alarms import MongoAlarms
from backend.store.trading.audit_trail import MongoAudit
from backend.store.trading.desks import MongoDesks
from backend.store.trading.extractions import MongoExtractions
from backend.store.trading.history import MongoHistory
from backend.store.trading.intents import MongoIntents
from backend.store.trading.notices import MongoNotices
from backend.store.trading.papers import MongoPapers
from backend.store.trading.snapshots import MongoSnapshots
from backend.store.trading.triggers import MongoTriggers
from backend.store.trading.twaps import MongoTwaps
from backend.telemetry.metrics import Metrics
from backend.trading.account import Account
from tests.conftest import ImpatientClock
from tests.extracting import ACCOUNT, OneAccount
from tests.fakes import BTC, START, MemoryCandles, MemoryCoverage, ScriptedSource, candle, minute, minutes
from tests.figures import counted, scrape
from tests.following import until
from tests.traded import Book, TradedAccount
from tests.web.client import get

JOB = Job("one", SyncRequest(BTC, START, minute(8)), created=START)
KNOWN = Coverage(START, held=Minutes.of((minutes(0, 5),)), until=minute(5))


class Stumbling:
    """Does what `real` does, but the first `times` calls of one method raise what nobody expects."""

    def __init__(self, real: Any, method: str, times: int) -> None:
        self._real, self._method, self._times = real, method, times
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            self._stumble()
        return getattr(self._real, name)

    def _stumble(self) -> None:
        self.calls += 1
        if self.calls <= self._times:
            raise RuntimeError(f"nobody expected that of {self._method}")

    @property
    def recovered(self) -> bool:
        """Whether the method was called, without an error, after all that raised one."""
        return self.calls > self._times


class FastClock(ImpatientClock):
    """Shows the time as it passes for who waits by it."""

    def monotonic(self) -> float:
        return 20 * super().monotonic()


class Ground:
    """What the parts stand on: a real database, and time that passes twenty times as fast."""

    def __init__(self, database: Database, times: int) -> None:
        self.database, self.times = database, times
        self.clock, self.metrics = FastClock(), Metrics()
        self.loops = Loops(self.clock, self.metrics)
        self.source = ScriptedSource([minute(number) for number in range(9)])
        self.markets = Markets({"binance": {"spot": self.source}})
        self.candles, self.coverage = MemoryCandles(), MemoryCoverage()
        self.coverage.entries[BTC] = KNOWN

    def stumbling(self, real: Any, method: str) -> Any:
        return Stumbling(real, method, self.times)

    def syncs(self) -> SyncService:
        return SyncService(
            self.markets, self.candles, sync_start=START, pages_in_flight=1, precedence=Precedence()
        )

    def ledgers(self, coverage: Any) -> Ledgers:
        return Ledgers(store=coverage, clock=self.clock, owner="tests", seconds=3.0, loops=self.loops)


Part = Callable[[Ground], AbstractAsyncContextManager[Stumbling]]


@asynccontextmanager
async def ledger_watch(ground: Ground) -> AsyncIterator[Stumbling]:
    store = ground.stumbling(ground.coverage, "load_all")
    made = LedgerWatch(store, ground.clock, ground.loops)
    made.start()
    with made.listening([BTC]):
        yield store
    await made.stop()


@asynccontextmanager
async def catalogue(ground: Ground) -> AsyncIterator[Stumbling]:
    store = ground.stumbling(ground.coverage, "marks")
    made = Catalogue(ground.candles, store, ground.clock, ground.loops)
    made.start()
    yield store
    await made.stop()


@asynccontextmanager
async def changes(ground: Ground) -> AsyncIterator[Stumbling]:
    store = ground.stumbling(MongoJobs(ground.database), "active")
    worker = Worker(
        store=store,
        ledgers=ground.ledgers(ground.coverage),
        syncs=ground.syncs(),
        clock=ground.clock,
        at_once=1,
        metrics=ground.metrics,
    )

    async def health() -> Health:
        return Health("", "none", ())

    made = Changes(
        jobs=Jobs(store, worker, ground.clock, 1, ground.metrics),
        overview=Overview(
            Catalogue(ground.candles, ground.coverage, ground.clock),
            MongoFollows(ground.database),
            ground.markets,
            ground.clock,
        ),
        health=health,
        clock=ground.clock,
        loops=ground.loops,
    )
    made.start()
    with made.listening():
        yield store
    await made.stop()


@asynccontextmanager
async def seconds(ground: Ground) -> AsyncIterator[Stumbling]:
    clock = ground.stumbling(ground.clock, "sleep")
    made = LedgerWatch(ground.coverage, clock, ground.loops)
    made.start()
    yield clock
    await made.stop()


@asynccontextmanager
async def fleet(ground: Ground) -> AsyncIterator[Stumbling]:
    store = ground.stumbling(MongoFleet(ground.database), "beat")
    member = member_of("one", "", "all")
    staying = Fleet(
        store=store, member=member, budgets=[], clock=ground.clock, seconds=3.0, loops=ground.loops
    ).stay()
    yield store
    await ended(staying)


def keeper_of(ground: Ground, store: Any, visited: Any) -> Keeper:
    fleet = Fleet(
        store=MongoFleet(ground.database),
        member=member_of("one", "", "all"),
        budgets=[],
        clock=ground.clock,
        seconds=3.0,
    )
    appender = Appender(ground.candles, ground.coverage, lambda: None, ground.loops)
    visitor = Visitor(
        store=visited,
        ledgers=ground.ledgers(ground.coverage),
        syncs=ground.syncs(),
        markets=ground.markets,
        appender=appender,
        clock=ground.clock,
        settle_seconds=0,
        recheck_minutes=1,
        metrics=ground.metrics,
    )
    return Keeper(
        store=store,
        fleet=fleet,
        visitor=visitor,
        clock=ground.clock,
        at_once=1,
        settle_seconds=0,
        live=LiveCandles({}, ground.clock),
        appender=appender,
        loops=ground.loops,
    )


@asynccontextmanager
async def keeper(ground: Ground) -> AsyncIterator[Stumbling]:
    store = ground.stumbling(MongoFollows(ground.database), "all")
    made = keeper_of(ground, store, store)
    made.start()
    yield store
    await made.stop(1)


@asynccontextmanager
async def visits(ground: Ground) -> AsyncIterator[Stumbling]:
    store = MongoFollows(ground.database)
    await store.add(Follow(BTC, None, created=START))
    stumbling = ground.stumbling(store, "report")
    made = keeper_of(ground, store, stumbling)
    made.start()
    yield stumbling
    await made.stop(1)


@asynccontextmanager
async def working(ground: Ground, store: Any) -> AsyncIterator[None]:
    made = Worker(
        store=store,
        ledgers=ground.ledgers(ground.coverage),
        syncs=ground.syncs(),
        clock=ground.clock,
        at_once=1,
        metrics=ground.metrics,
        loops=ground.loops,
    )
    made.start()
    yield
    await made.stop(1)


@asynccontextmanager
async def worker(ground: Ground) -> AsyncIterator[Stumbling]:
    store = ground.stumbling(MongoJobs(ground.database), "active")
    async with working(ground, store):
        yield store


@asynccontextmanager
async def jobs(ground: Ground) -> AsyncIterator[Stumbling]:
    store = ground.stumbling(MongoJobs(ground.database), "begin")
    await store.add(JOB)
    async with working(ground, store):
        yield store


@asynccontextmanager
async def reports(ground: Ground) -> AsyncIterator[Stumbling]:
    """The exchange answers when a report was written."""
    store = ground.stumbling(MongoJobs(ground.database), "report")
    await store.add(JOB)

    async def delay(_window: Window) -> None:
        await until(partial(holds_soon, lambda: store.recovered))

    ground.source.delay = delay
    async with working(ground, store):
        yield store


@asynccontextmanager
async def lease(ground: Ground) -> AsyncIterator[Stumbling]:
    store = ground.stumbling(MongoCoverage(ground.database), "renew")
    async with ground.ledgers(store).hold(BTC):
        yield store


@asynccontextmanager
async def appender(ground: Ground) -> AsyncIterator[Stumbling]:
    """Candles come as long as it stumbles; each of a series of its own."""
    store = ground.stumbling(ground.coverage, "load_all")
    made = Appender(ground.candles, store, lambda: None, ground.loops)
    made.start(lambda _series: made.add(BTC, candle(minute(5))))
    made.add(BTC, candle(minute(5)))
    yield store
    await made.stop()


@asynccontextmanager
async def confirmer(ground: Ground) -> AsyncIterator[Stumbling]:
    source = ground.stumbling(ground.source, "now")
    appender = Appender(ground.candles, ground.coverage, lambda: None)
    made = Confirmer(
        markets=Markets({"binance": {"spot": source}}),
        appender=appender,
        clock=ground.clock,
        settle_seconds=0,
        loops=ground.loops,
    )

    async def go_on() -> None:
        made.ended(BTC, START)
        await ground.clock.sleep(0.2)

    going = ground.loops.start("minutes that end", go_on)
    yield source
    await ended(going)
    await made.stop()


@asynccontextmanager
async def sockets(ground: Ground) -> AsyncIterator[Stumbling]:
    venue = ground.stumbling(Names(), "native")
    async with open_socket_session("tests") as session:
        made = MarketStream(
            exchange="binance",
            market=SPOT,
            base_url="http://127.0.0.1:1",
            session=session,
            native=lambda symbol: venue.native(symbol),
            clock=ground.clock,
            metrics=ground.metrics,
            loops=ground.loops,
        )
        made.start(Deaf())
        made.want(["BTCUSDT"])
        yield venue
        await made.stop()


@asynccontextmanager
async def revival(ground: Ground) -> AsyncIterator[Stumbling]:
    mongod = ground.stumbling(Mongod(), "revive")
    task = ground.loops.start("revival of the embedded database", partial(look_after, mongod, ground.clock))
    yield mongod
    await ended(task)


class Names:
    async def native(self, symbol: str) -> str:
        return symbol


class Mongod:
    def revive(self) -> None:
        """It runs."""


class Deaf:
    """Fits `backend.net.sockets.market_stream.Listener`."""

    def on_candle(self, symbol: str, candle: Candle, *, closed: bool) -> None:
        """Nothing comes."""

    def on_lost(self, symbols: object, reason: str) -> None:
        """Nothing came."""


async def holds_soon(condition: Callable[[], bool]) -> bool:
    await asyncio.sleep(0.01)
    return condition()


async def ended(task: asyncio.Task[None]) -> None:
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def extracting(ground: Ground, accounts: Any, store: Any) -> Extractions:
    return Extractions(
        store=store,
        history=MongoHistory(ground.database),
        accounts=accounts,
        clock=ground.clock,
        metrics=Metrics(),
        loops=ground.loops,
        owner="tests",
        seconds=3.0,
        visit_hours=0.01,
    )


@asynccontextmanager
async def extractions(ground: Ground) -> AsyncIterator[Stumbling]:
    store = ground.stumbling(MongoExtractions(ground.database), "active")
    made = extracting(ground, OneAccount(TradedAccount(Book(), ground.clock.now), ACCOUNT), store)
    made.start()
    yield store
    await made.stop()


@asynccontextmanager
async def account_visits(ground: Ground) -> AsyncIterator[Stumbling]:
    accounts = ground.stumbling(OneAccount(TradedAccount(Book(), ground.clock.now), ACCOUNT), "all")
    made = extracting(ground, accounts, MongoExtractions(ground.database))
    made.start()
    yield accounts
    await made.stop()


@asynccontextmanager
async def order_watch(ground: Ground) -> AsyncIterator[Stumbling]:
    desks: Any = ground.stumbling(MongoDesks(ground.database), "all")
    intents = MongoIntents(ground.database)
    accounts: Any = OneAccount(TradedAccount(Book(), ground.clock.now), ACCOUNT)
    audit = MongoAudit(ground.database)
    watch = OrderWatch(
        accounts=accounts,
        intents=intents,
        desks=desks,
        settler=Settler(intents=intents, desks=desks, audit=audit, clock=ground.clock, metrics=Metrics()),
        clock=ground.clock,
        loops=ground.loops,
        precedence=Precedence(),
        metrics=Metrics(),
    )
    watch.start()
    yield desks
    await watch.stop()


@asynccontextmanager
async def twap_slices(ground: Ground) -> AsyncIterator[Stumbling]:
    nothing: Any = None
    store: Any = ground.stumbling(MongoTwaps(ground.database), "due")
    twaps = Twaps(executor=nothing, store=store, settler=nothing, clock=ground.clock, loops=ground.loops)
    twaps.start()
    yield store
    await twaps.stop()


@asynccontextmanager
async def paper_accounts(ground: Ground) -> AsyncIterator[Stumbling]:
    nobody: Any = None
    store: Any = ground.stumbling(MongoPapers(ground.database), "watched")
    keeper = PaperKeeper(accounts=nobody, store=store, clock=ground.clock, loops=ground.loops)
    keeper.start()
    yield store
    await keeper.stop()


@asynccontextmanager
async def account_watch(ground: Ground) -> AsyncIterator[Stumbling]:
    accounts: Any = OneAccount(TradedAccount(Book(), ground.clock.now), ACCOUNT)
    store: Any = ground.stumbling(MongoSnapshots(ground.database), "ensure")
    watch = AccountWatch(
        accounts=accounts,
        store=store,
        history=MongoHistory(ground.database),
        clock=ground.clock,
        loops=ground.loops,
        every=60,
        precedence=Precedence(),
    )
    watch.start()
    yield store
    await watch.stop()


class OneSocket:
    """An account's only socket, which ends at once."""

    sockets = ("perpetual",)

    async def listen(self, _name: str, heard: Callable[[], None]) -> str:
        heard()
        return "it is over"


class ListenedAccounts:
    """One account, whose questions are `source`."""

    def __init__(self, source: Any) -> None:
        self._source = source

    async def all(self) -> list[Account]:
        return [ACCOUNT]

    async def source(self, _account: str) -> tuple[Account, Any]:
        return ACCOUNT, self._source


@asynccontextmanager
async def listening_to(accounts: Any, ground: Ground) -> AsyncIterator[None]:
    listening = Listening(
        accounts=accounts,
        hurry=lambda _account: None,
        name="one",
        others=frozenset,
        clock=ground.clock,
        loops=ground.loops,
    )
    listening.start()
    yield
    await listening.stop()


@asynccontextmanager
async def listed_sockets(ground: Ground) -> AsyncIterator[Stumbling]:
    accounts = ground.stumbling(ListenedAccounts(OneSocket()), "all")
    async with listening_to(accounts, ground):
        yield accounts


@asynccontextmanager
async def account_sockets(ground: Ground) -> AsyncIterator[Stumbling]:
    source = ground.stumbling(OneSocket(), "listen")
    async with listening_to(ListenedAccounts(source), ground):
        yield source


@asynccontextmanager
async def alarms(ground: Ground) -> AsyncIterator[Stumbling]:
    nothing: Any = None
    store: Any = ground.stumbling(MongoAlarms(ground.database), "lanes")
    runner = AlarmRunner(
        alarms=store,
        strategies=nothing,
        situations=nothing,
        executor=nothing,
        setups=nothing,
        watch=nothing,
        clock=ground.clock,
        loops=ground.loops,
        metrics=Metrics(),
        owner="tests",
    )
    runner.start()
    yield store
    await runner.stop()


@asynccontextmanager
async def trigger_orders(ground: Ground) -> AsyncIterator[Stumbling]:
    nothing: Any = None
    store: Any = ground.stumbling(MongoTriggers(ground.database), "open")
    triggers = Triggers(
        executor=nothing,
        facts=nothing,
        accounts=nothing,
        store=store,
        settler=nothing,
        clock=ground.clock,
        loops=ground.loops,
    )
    triggers.start()
    yield store
    await triggers.stop()


@asynccontextmanager
async def notices(ground: Ground) -> AsyncIterator[Stumbling]:
    nobody: Any = None
    store: Any = ground.stumbling(MongoNotices(ground.database), "due")
    telling = Notices(
        store=store, ways={"nobody": nobody}, clock=ground.clock, loops=ground.loops, metrics=Metrics()
    )
    telling.start()
    yield store
    await telling.stop()


class FollowsToTell:
    """Nobody follows anything."""

    async def all(self) -> list[Standing]:
        return []


@asynccontextmanager
async def follow_alerts(ground: Ground) -> AsyncIterator[Stumbling]:
    follows: Any = ground.stumbling(FollowsToTell(), "all")
    alerts = FollowAlerts(
        follows=lambda: follows.all(),
        tell=lambda _topic, _about, _said: None,
        clock=ground.clock,
        loops=ground.loops,
    )
    alerts.start()
    yield follows
    await alerts.stop()


PARTS: dict[str, Part] = {
    "looks for follows behind": follow_alerts,
    "notices": notices,
    "trigger orders": trigger_orders,
    "alarms": alarms,
    "watch of accounts": account_watch,
    "list of sockets of accounts": listed_sockets,
    "sockets of accounts": account_sockets,
    "paper accounts": paper_accounts,
    "slices of TWAP orders": twap_slices,
    "watch of orders": order_watch,
    "extractions of order histories": extractions,
    "visits of accounts": account_visits,
    "looks at ledgers": ledger_watch,
    "listings of what is stored": catalogue,
    "looks for changes": changes,
    "seconds of streams": seconds,
    "word to other processes": fleet,
    "looks at follows": keeper,
    "visits of follows": visits,
    "looks for jobs": worker,
    "jobs": jobs,
    "reports of jobs": reports,
    "renewals of leases": lease,
    "appended candles": appender,
    "questions for newest minutes": confirmer,
    "sockets of binance spot": sockets,
    "revival of the embedded database": revival,
}


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("name", PARTS)
async def test_a_step_that_raises_what_nobody_expected_ends_nothing(
    database: Database, name: str, times: int
) -> None:
    ground = Ground(database, times)
    async with PARTS[name](ground) as stumbling:
        await until(partial(holds_soon, lambda: stumbling.recovered))
        await until(partial(holds_soon, lambda: not ground.loops.troubles()))
    assert counted(ground.metrics).value("step_failures_total", task=name) == times


async def test_all_loops_of_a_service_are_counted_and_asked(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    found = (await scrape(http_server_client)).labels("step_failures_total", "task")
    running = {task.get_name() for task in asyncio.all_tasks()}
    assert found == PARTS.keys() & running
    assert len(found) == 8


async def test_a_loop_that_fails_makes_the_service_not_ready_and_is_named(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    async def step() -> None:
        raise RuntimeError("a secret of the operator's")

    task = service.running.loops.start("work of the tests", step)
    await asyncio.sleep(0)
    reply = await get(http_server_client, "/health/ready")
    assert (reply.status, reply.body["status"], reply.body["database"]) == (503, "not_ready", "connected")
    [trouble] = reply.body["troubles"]
    assert trouble.startswith("work of the tests: fails since ")
    assert "secret" not in trouble
    await ended(task)
    assert (await get(http_server_client, "/health/ready")).status == 200
