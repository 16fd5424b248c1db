"""Extractions over a real database, of an account that `tests/traded.py` tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import cast
from uuid import uuid4

from backend.clock import Clock
from backend.errors import AccountFrozen, UnknownAccount
from backend.loops import Loops
from backend.services.accounts.accounts import Accounts
from backend.services.history.extractions import Extractions
from backend.services.history.histories import Completeness, Histories
from backend.services.history.ports import Place, RowsWanted
from backend.store.mongo import Database
from backend.store.trading.extractions import MongoExtractions
from backend.store.trading.history import MongoHistory
from backend.telemetry.metrics import Metrics
from backend.trading.account import Account, Mode
from backend.trading.extraction import Extraction
from backend.trading.history import Kind, Offer, Row
from backend.trading.rows import KeyFacts, Product
from tests.traded import TradedAccount

ACCOUNT = Account(
    id="a1",
    venue="bitget",
    mode=Mode.LIVE,
    label="one",
    flavour="classic",
    uid="714",
    key=KeyFacts(rights=frozenset()),
    created=1,
    checked=2,
)
WHOLE = Extraction(id="", account=ACCOUNT.id, created=0)


@dataclass
class OneAccount:
    """The accounts of a user who has one, and the venues where it is."""

    told: TradedAccount
    account: Account
    is_visited: bool = False
    is_removed: bool = False

    async def source(self, _account_id: str) -> tuple[Account, TradedAccount]:
        if self.account.frozen:
            raise AccountFrozen("frozen")
        return self.account, self.told

    async def get(self, _account_id: str) -> Account:
        if self.is_removed:
            raise UnknownAccount("removed")
        return self.account

    async def all(self) -> list[Account]:
        return [replace(self.account, frozen=not self.is_visited)]

    def began(self, account: Account) -> int:
        return account.key.registered or 0

    def products(self, _account: Account) -> tuple[Product, ...]:
        return self.told.products

    def offer(self, _account: Account, kind: Kind, product: Product) -> Offer | None:
        return self.told.offer(kind, product)


class Desk:
    """What a process has that extracts."""

    def __init__(self, database: Database, accounts: OneAccount, clock: Clock, seconds: float) -> None:
        self.accounts = accounts
        self.history = MongoHistory(database)
        self.store = MongoExtractions(database)
        self.loops = Loops(clock)
        self.metrics = Metrics()
        self.extractions = Extractions(
            store=self.store,
            history=self.history,
            accounts=cast(Accounts, accounts),
            clock=clock,
            loops=self.loops,
            metrics=self.metrics,
            owner=uuid4().hex,
            seconds=seconds,
            visit_hours=1000,
        )
        self.histories = Histories(
            accounts=cast(Accounts, accounts),
            store=self.history,
            clock=clock,
        )

    async def extract(self, wanted: Extraction = WHOLE) -> Extraction:
        """The extraction when it is over."""
        asked = await self.extractions.submit(wanted)
        found = await self.extractions.wait(asked.id, 500)
        assert found.over
        return found

    async def completeness(self) -> Completeness:
        return await self.histories.completeness(ACCOUNT.id)

    async def rows(self, kind: Kind) -> list[Row]:
        """All that is stored, page by page."""
        found: list[Row] = []
        after: Place | None = None
        wanted = RowsWanted(account=ACCOUNT.id)
        while page := await self.histories.page(kind, wanted, after, 7):
            found += [row for _, row in page]
            after = page[-1][0]
        return found


@asynccontextmanager
async def desk(
    database: Database,
    told: TradedAccount,
    clock: Clock,
    *,
    first: int,
    seconds: float = 10.0,
    is_visited: bool = False,
) -> AsyncIterator[Desk]:
    """A process that extracts until the block ends; the account cannot have traded before `first`. It is read
    on by itself only where it `is_visited`."""
    key = replace(ACCOUNT.key, registered=first)
    accounts = OneAccount(told, replace(ACCOUNT, key=key), is_visited)
    made = Desk(database, accounts, clock, seconds)
    made.extractions.start()
    try:
        yield made
    finally:
        await made.extractions.stop()


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Return once the condition holds."""
    for _ in range(6000):
        if await condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come about within two minutes")
