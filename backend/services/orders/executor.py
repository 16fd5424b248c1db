"""Sends orders, each at most once.

The order of steps is what keeps the promise. First there is room in the venue's budget, and the moment of the
signature is known. Then an entry is judged by one version of the account's desk, and put on exactly that
version. Then the intent is written, durably and under the id that the venue gets too. Only then a byte
leaves, once, whatever the answer. Whatever is not a clear answer makes the order unknown, and `watch.py` asks
the venue what became of it.

An entry is an order that may make a position larger. Other orders need no place on the desk: limits never
refuse them.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import uuid4

from backend.clock import Clock
from backend.errors import (
    AccountContended,
    EntryUndecided,
    ExchangeError,
    ExchangeRefused,
    InvalidRequest,
    KeyReused,
    MarketDataError,
    OrderAbsent,
    RiskRefused,
    UnknownOrder,
)
from backend.precedence import Precedence
from backend.services.accounts.ports import AccountSource
from backend.services.orders.facts import Facts, MarketFacts
from backend.services.orders.permission import Permission
from backend.services.orders.ports import Change, DeskStore, IntentStore
from backend.services.orders.reception import AlreadySent, Reception
from backend.services.orders.settling import Settler
from backend.trading.account import Account
from backend.trading.intents import Intent, State, digest, intent_id
from backend.trading.rows import Position, Product
from backend.trading.rules import Rules, fitted
from backend.trading.tickets import InvalidTicket, Ticket

log = logging.getLogger(__name__)

MOST_TRIES = 50
"""Looks for an order that another request sends at the moment."""
FIRST_LOOK_MS = 1000
"""Time after a clear answer until the order is looked at."""
UNANSWERED_LOOK_MS = 2000
"""Time after which the venue is asked for an order whose answer has not come: its sender may be dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An order that was not sent: what would have been, and the sentence that would have refused it. `fee` is
    the most that it may cost, `margin` what it would hold back, in quote coins; None if nothing tells it.
    `tried` says that the venue itself was asked, and would take it."""

    intent: Intent
    refused: str | None
    tried: bool
    fee: Decimal | None
    margin: Decimal | None


class Executor:
    """All may raise UnknownAccount, AccountFrozen, KeysSealed, ExchangeError and DatabaseUnavailable."""

    def __init__(
        self,
        *,
        permission: Permission,
        facts: MarketFacts,
        intents: IntentStore,
        desks: DeskStore,
        settler: Settler,
        clock: Clock,
        precedence: Precedence,
    ) -> None:
        self._permission = permission
        self._facts = facts
        self._intents = intents
        self._desks = desks
        self._reception = Reception(intents=intents, desks=desks, clock=clock)
        self._settler = settler
        self._clock = clock
        self._precedence = precedence
        self._sending: set[asyncio.Task[Intent]] = set()

    async def place(
        self, account_id: str, ticket: Ticket, *, caller: str, key: str | None = None, source: str = "api"
    ) -> Intent:
        """Place an order. A repeated `key` of the same account is the same intent, and sends nothing.

        Raises InvalidRequest where the market's rules do not allow the order, RiskRefused, EntryUndecided,
        KeyReused, LiveTradingOff. A client that hangs up does not stop what has begun.
        """
        made = intent_id(account_id, uuid4().hex if key is None else key)
        with self._precedence.first():
            account, venue = await self._permission.of(account_id)
            if key is not None and (known := await self._intents.load(made)):
                return _same(known, ticket)
            facts = await self._facts.of(account, venue, ticket)
        intent = self._drafted(account, ticket, facts, made, caller, source)
        task = asyncio.create_task(self._send(account, venue, intent, facts), name=f"order {made}")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        try:
            return await asyncio.shield(task)
        except AlreadySent:
            other = await self._sent_by_another(made)
            if not other.undecided:
                await self._desks.take(account.id, made, self._clock.now())
            return _same(other, ticket)

    async def dry_run(self, account_id: str, ticket: Ticket, *, caller: str) -> Draft:
        """What `place` would send now, and what would refuse it; nothing is sent or written."""
        account, venue = await self._permission.of(account_id)
        facts = await self._facts.priced(account, venue, ticket)
        intent = self._drafted(account, ticket, facts, intent_id(account.id, uuid4().hex), caller, "api")
        refused = None
        try:
            await self._reception.judge(account, intent, facts)
        except (RiskRefused, EntryUndecided) as error:
            refused = str(error)
        fee, margin = await self._facts.costs(venue, intent.ticket, intent.value)
        tried = False
        if refused is None:
            try:
                tried = await venue.trial(intent.ticket, intent.id)
            except ExchangeRefused as error:
                refused = str(error)
        return Draft(intent=intent, refused=refused, tried=tried, fee=fee, margin=margin)

    async def rules(self, account_id: str, ticket: Ticket) -> tuple[Account, Rules]:
        """An account, and the steps and minima of a ticket's market. Raises LiveTradingOff."""
        account, venue = await self._permission.of(account_id)
        return account, await self._facts.rules(account, venue, ticket)

    async def known(self, account_id: str, key: str) -> Intent | None:
        """The intent of an earlier request with this idempotency key."""
        return await self._intents.load(intent_id(account_id, key))

    async def get(self, intent_id: str) -> Intent:
        """An intent as it is known now. Raises UnknownOrder."""
        if intent := await self._intents.load(intent_id):
            return intent
        raise UnknownOrder("there is no such order of this service")

    async def close(
        self, account_id: str, *, caller: str, symbol: str | None = None, source: str = "close"
    ) -> list[Intent]:
        """Close all open positions by market orders, or those of one symbol. What keeps one from being closed
        keeps no other; the first such error is raised at the end."""
        _, venue = await self._permission.of(account_id)
        products = [product for product in venue.products if product is not Product.SPOT]
        rows = [row for row in await venue.positions(products) if symbol in (None, row.symbol)]
        placed: list[Intent] = []
        errors: list[MarketDataError] = []
        for ticket in [closing(row) for row in rows if row.size]:
            try:
                placed.append(await self.place(account_id, ticket, caller=caller, source=source))
            except MarketDataError as error:
                log.error("account %s: the position in %s stays open: %s", account_id, ticket.symbol, error)
                errors.append(error)
        if errors:
            raise errors[0]
        return placed

    async def stop(self) -> None:
        """Wait for the answers to what was sent: a request that takes too long ends by itself."""
        if self._sending:
            await asyncio.wait(self._sending)

    def _drafted(
        self, account: Account, ticket: Ticket, facts: Facts, made: str, caller: str, source: str
    ) -> Intent:
        try:
            fitting = fitted(ticket, facts.rules)
        except InvalidTicket as error:
            raise InvalidRequest(str(error), code="invalid_order") from None
        return Intent(
            id=made,
            account=account.id,
            venue=account.venue,
            mode=account.mode,
            ticket=fitting,
            value=facts.rules.value(fitting, facts.price),
            asked=digest(ticket),
            caller=caller,
            source=source,
            created=self._clock.now(),
            signed=0,
            last_moment=0,
            due=0,
        )

    async def _send(self, account: Account, venue: AccountSource, draft: Intent, facts: Facts) -> Intent:
        written: list[Intent] = []
        until_sent = ExitStack()

        async def before(moment: int) -> None:
            now = self._clock.now()
            intent = replace(
                draft,
                created=now,
                signed=moment,
                last_moment=venue.last_moment(moment),
                due=now + UNANSWERED_LOOK_MS,
            )
            try:
                await self._reception.admit(account, intent, facts)
            except RiskRefused as error:
                await self._settler.record(intent, "place", "over_limit", str(error))
                raise
            if not await self._intents.add(intent):
                raise AlreadySent
            written.append(intent)
            until_sent.close()

        try:
            with until_sent:
                until_sent.enter_context(self._precedence.first())
                order_id = await venue.place(draft.ticket, draft.id, before)
        except ExchangeError as error:
            if not written:
                raise
            return await self._failed(account, written[0], error)
        now = self._clock.now()
        change = Change(state=State.ACCEPTED, order_id=order_id, absent=(), due=now + FIRST_LOOK_MS)
        return await self._settler.answered(written[0], change)

    async def _failed(self, account: Account, intent: Intent, error: ExchangeError) -> Intent:
        """Only a refusal in the venue's own words says that there is no order, and even that is checked once
        more when the venue can no longer accept it."""
        now = self._clock.now()
        if isinstance(error, ExchangeRefused) and not isinstance(error, OrderAbsent):
            self._facts.forget(account, intent.ticket)
            due = now + max(intent.last_moment - intent.signed, FIRST_LOOK_MS)
            log.info("order %s at %s is refused: %s", intent.id, intent.venue, error)
            return await self._settler.answered(
                intent, Change(state=State.REFUSED, reason=str(error), settled=now, due=due)
            )
        log.warning("order %s at %s is unknown, the exchange is asked: %s", intent.id, intent.venue, error)
        return await self._settler.answered(intent, Change(state=State.UNKNOWN, reason=str(error), due=now))

    async def _sent_by_another(self, made: str) -> Intent:
        """The intent of a request that was faster, once it is written."""
        for _ in range(MOST_TRIES):
            if other := await self._intents.load(made):
                return other
            await self._clock.sleep(0.1)
        raise AccountContended("a request with this Idempotency-Key is under way: try again", retry_after=1)


def closing(row: Position) -> Ticket:
    """The market order that closes a position."""
    is_long = row.held == "long" or (row.held == "net" and row.size > 0)
    return Ticket(
        product=row.product,
        symbol=row.symbol,
        side="sell" if is_long else "buy",
        size=abs(row.size),
        held=row.held,
        reduce_only=row.held == "net",
        margin_mode="isolated" if row.margin_mode.lower() == "isolated" else "crossed",
    )


def _same(known: Intent, ticket: Ticket) -> Intent:
    """The intent of an earlier request with the same key, if it asked for the same order."""
    if known.asked != digest(ticket):
        raise KeyReused("this Idempotency-Key was used for another order: use a new key for a new order")
    return known
