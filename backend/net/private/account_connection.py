"""One connection to a socket of an account, from its beginning to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp

from backend.clock import Clock
from backend.core.proxy import Proxy
from backend.errors import ExchangeUnavailable, MalformedAnswer
from backend.exchanges.private.socket_events import Admitted, Denied, Event, Happened
from backend.exchanges.private.venue import AccountSocket
from backend.exchanges.sockets import Reply
from backend.net.proxies import UNREACHABLE, reason, through
from backend.net.rest.requester import Session
from backend.net.sockets.socket_connection import close_soon
from backend.trading.account_keys import Keys

log = logging.getLogger(__name__)

OPENING_SECONDS = 10.0
LARGEST_MESSAGE = 1 << 20
MOST_UNREADABLE = 5
"""After this many unreadable frames in a row the connection is closed."""
TICK = 1.0
"""Seconds between two looks at how a connection is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSockets:
    """How the sockets of a venue are reached: base URLs by the sockets' names, and a session for each URL."""

    urls: Mapping[str, str]
    session: Callable[[str], tuple[Session, Proxy | None]]
    clock: Clock


class AccountConnection:
    """`heard` is called when the venue has admitted us, and whenever something happened. `moment` is the
    venue's time (ms)."""

    def __init__(
        self,
        *,
        socket: AccountSocket,
        sockets: AccountSockets,
        keys: Keys,
        moment: int,
        heard: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._base_url = sockets.urls[socket.name]
        self._session, self._proxy = sockets.session(self._base_url)
        self._clock = sockets.clock
        self._keys = keys
        self._moment = moment
        self._heard = heard
        self._is_admitted = False
        self._unreadable = 0
        self._heard_at = 0.0

    async def serve(self, listen_key: str) -> str:
        """Returns why it ended, in words without a key. Raises ExchangeUnavailable where it cannot begin."""
        url = self._base_url + self._socket.path
        if listen_key:
            url += f"?listenKey={quote(listen_key, safe='')}"
        try:
            async with asyncio.timeout(OPENING_SECONDS):
                ws = await self._session.ws_connect(
                    url,
                    headers=self._socket.headers(self._keys),
                    heartbeat=self._socket.heartbeat,
                    max_msg_size=LARGEST_MESSAGE,
                )
        except UNREACHABLE as error:
            said = reason(error) + through(self._proxy)
            raise ExchangeUnavailable(self._shown(said, listen_key)) from None
        try:
            return self._shown(await self._talk(ws), listen_key)
        finally:
            await close_soon(ws)

    def _shown(self, said: str, listen_key: str) -> str:
        said = self._keys.hidden_in(said)
        return said.replace(listen_key, "...") if listen_key else said

    async def _talk(self, ws: aiohttp.ClientWebSocketResponse) -> str:
        self._heard_at = self._clock.monotonic()
        parts = [asyncio.create_task(part) for part in (self._hear(ws), self._mind(ws))]
        try:
            if self._socket.login is None:
                await self._admit(ws)
            else:
                await ws.send_str(self._socket.login(self._keys, self._moment))
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            return next(part for part in parts if part.done()).result()
        except UNREACHABLE as error:
            return reason(error)
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _admit(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._is_admitted = True
        for said in self._socket.subscribe:
            await ws.send_str(said)
        # What happened while there was no connection is found by this look.
        self._heard()

    async def _hear(self, ws: aiohttp.ClientWebSocketResponse) -> str:
        async for message in ws:
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                return f"a frame broke it: {message.data}"
            self._heard_at = self._clock.monotonic()
            for event in self._events(message.data):
                if isinstance(event, Reply):
                    await ws.send_str(event.text)
                elif isinstance(event, Admitted):
                    await self._admit(ws)
                elif isinstance(event, Happened):
                    self._heard()
                elif not isinstance(event, Denied):
                    return event.reason
                elif not self._is_admitted:
                    return f"the exchange refuses the login: {event.message}"
                else:
                    log.info("a message by socket is refused: %s", self._keys.hidden_in(event.message))
            if self._unreadable >= MOST_UNREADABLE:
                return f"{MOST_UNREADABLE} frames in a row cannot be read"
        return f"the exchange closed it ({ws.close_code})"

    def _events(self, data: str | bytes) -> Sequence[Event]:
        try:
            events = self._socket.read(data)
        except MalformedAnswer as error:
            self._unreadable += 1
            log.debug("%s", error)
            return ()
        self._unreadable = 0
        return events

    async def _mind(self, ws: aiohttp.ClientWebSocketResponse) -> str:
        """Ping, and notice silence and age."""
        socket, monotonic = self._socket, self._clock.monotonic
        began = pinged = monotonic()
        while True:
            await self._clock.sleep(TICK)
            now = monotonic()
            if now - self._heard_at > socket.quiet_after:
                return f"nothing was heard for {socket.quiet_after:g} seconds"
            if not self._is_admitted and now - began > OPENING_SECONDS:
                return "the exchange did not answer the login"
            if now - began > socket.life:
                return f"it is {socket.life / 60:g} minutes old"
            if socket.ping and now - pinged >= socket.ping_every:
                pinged = now
                await ws.send_str(socket.ping)
