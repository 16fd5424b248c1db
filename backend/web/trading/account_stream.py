"""`GET /stream/account`: what happens in an account, in both forms of a stream, with no hole.

It begins with all that the account has. Each event has the number of its news: a client that continues after
one gets all that came later, or everything anew where that is no longer known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from backend.clock import iso
from backend.errors import InvalidRequest
from backend.services.service import Service, Trading
from backend.services.watching.ports import Standing, Told, WatchStore
from backend.trading.account import Account
from backend.trading.rows import Fill, Order, Position
from backend.trading.snapshot import About, Wallet
from backend.web.server.room import Room
from backend.web.streams.long_answer import wait_for_any
from backend.web.streams.server_sent_events import Opening, StreamHandler
from backend.web.streams.stream_messages import Event
from backend.web.streams.stream_request import LAST_EVENT_ID, StreamOutlet
from backend.web.streams.websocket import SocketHandler
from backend.web.trading import account_views, history_views, order_shapes
from backend.web.trading.handler import ACCOUNT, TradingHandler

PARAMETERS = (ACCOUNT, LAST_EVENT_ID)
LOOK_SECONDS = 0.5
LISTEN_MS = 10_000
"""So long an account is looked at often after a listener asked for it."""
MOST = 500
"""News that are sent at once."""
LONGEST_NUMBER = 15


class AccountTeller:
    """Tells one client the news of an account after the number `last`; None: all that it has, first."""

    def __init__(self, service: Service, trading: Trading, account: Account, last: int | None) -> None:
        self._watch = service.streaming.ledger_watch
        self._trading = trading
        self._account = account
        self._place = last
        self._asked = 0

    @contextmanager
    def attending(self) -> Iterator[None]:
        """As a stream that is told when the service stops."""
        with self._watch.listening(()):
            yield

    async def tell(self, outlet: StreamOutlet, gone: asyncio.Future[None]) -> None:
        """Tell what is new until the client is `gone`, or the service stops."""
        has_begun = False
        while not gone.done() and not self._watch.over:
            stop = self._watch.news
            await self._ask_for_looks()
            news = (
                None if self._place is None else await self._store.after(self._account.id, self._place, MOST)
            )
            events = [self._event(one) for one in news or ()]
            if news is None:
                standing = await self._store.standing(self._account.id)
                if standing.snapshot is not None:
                    events = self._all(standing)
                    self._place, has_begun = standing.number, True
            elif not has_begun:
                events.insert(0, self._begin(self._place or 0, resumed=True))
                has_begun = True
            if news:
                self._place = news[-1].number
            if events:
                await outlet.send(events)
            else:
                await wait_for_any((stop,), gone, min(await outlet.breathe(), LOOK_SECONDS))

    @property
    def _store(self) -> WatchStore:
        return self._trading.watch_store

    async def _ask_for_looks(self) -> None:
        now = self._trading.now()
        if now - self._asked >= LISTEN_MS // 2:
            self._asked = now
            await self._store.hurry([self._account.id], now, now + LISTEN_MS)

    def _all(self, standing: Standing) -> list[Event]:
        """The beginning, and all that the account has."""
        snapshot = standing.snapshot
        assert snapshot is not None
        has = order_shapes.AccountSnapshot(
            read_at=iso(standing.read),
            orders=[account_views.order(row) for row in snapshot.orders],
            positions=[account_views.position(row) for row in snapshot.positions],
            wallets=account_views.wallets({one.product: one.balances for one in snapshot.wallets}),
        )
        data = msgspec.json.encode(has)
        return [self._begin(standing.number, resumed=False), Event("snapshot", data, str(standing.number))]

    def _begin(self, place: int, *, resumed: bool) -> Event:
        shape = order_shapes.AccountBeginning(
            account=self._account.id, venue=self._account.venue, mode=self._account.mode, resumed=resumed
        )
        return Event("begin", msgspec.json.encode(shape), str(place))

    def _event(self, told: Told) -> Event:
        data = msgspec.json.encode(_shape(told.news.about))
        return Event(told.news.kind.value, data, str(told.number))


def _shape(about: About) -> object:
    if isinstance(about, Order):
        return account_views.order(about)
    if isinstance(about, Fill):
        return history_views.fill(about)
    if isinstance(about, Position):
        return account_views.position(about)
    if isinstance(about, Wallet):
        [wallet] = account_views.wallets({about.product: about.balances})
        return wallet
    return order_shapes.AccountTrouble(said=about.said)


class AccountStreaming(TradingHandler):
    """What both forms share."""

    @property
    def room(self) -> Room:
        return self.rooms.changes

    def opening(self) -> Opening:
        """Read the request; return a function that opens its stream."""
        values, trading = self.query(PARAMETERS), self.trading
        given = self.request.headers.get("Last-Event-ID", "") or values[LAST_EVENT_ID]
        if given and not (given.isascii() and given.isdigit() and len(given) <= LONGEST_NUMBER):
            raise InvalidRequest("last_event_id must be the id of an event", code="invalid_last_event_id")
        if not trading.watch.is_on:
            raise InvalidRequest(
                "nobody watches accounts here: set ACCOUNT_WATCH_SECONDS above 0", code="watch_off"
            )

        async def opened() -> AccountTeller:
            account = await self.account_of(values)
            return AccountTeller(self.service, trading, account, int(given) if given else None)

        return opened


class AccountStreamHandler(AccountStreaming, StreamHandler):
    greeting = b": news of the account follow\n\n"


class AccountSocketHandler(AccountStreaming, SocketHandler):
    """The same as a WebSocket."""
