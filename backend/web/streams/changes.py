"""`GET /api/changes`: what changed of jobs, follows, series and health, in both forms of a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from backend.core.job import Job
from backend.core.series import series_text
from backend.services.service import Service
from backend.services.streaming.change_log import Change, Changed, Health
from backend.web.api import sync_shapes, sync_views
from backend.web.api.health import ready
from backend.web.server.handler import ApiHandler
from backend.web.server.room import Room
from backend.web.streams.long_answer import wait_for_any
from backend.web.streams.server_sent_events import Opening, StreamHandler
from backend.web.streams.stream_messages import Event
from backend.web.streams.stream_request import LAST_EVENT_ID, StreamOutlet
from backend.web.streams.websocket import SocketHandler

PARAMETERS = (LAST_EVENT_ID,)
READY_SECONDS = 0.25
"""How often to see whether the first look is over."""


class ChangesTeller:
    """Tells one client the changes after the one whose id is `last`. Nothing is queued for it: who reads too
    slowly for what the log keeps is told that he missed something, as is who cannot be resumed."""

    def __init__(self, service: Service, last: str) -> None:
        self._changes = service.changes
        self._watch = service.streaming.ledger_watch
        self._place = last

    @contextmanager
    def attending(self) -> Iterator[None]:
        """As a stream that is told when the service stops."""
        with self._changes.listening(), self._watch.listening(()):
            yield

    async def tell(self, outlet: StreamOutlet, gone: asyncio.Future[None]) -> None:
        """Tell what is new until the client is `gone`, or the service stops."""
        while not (gone.done() or self._watch.over or self._changes.is_ready):
            await outlet.breathe()
            await wait_for_any((), gone, READY_SECONDS)
        has_begun = False
        while not gone.done() and not self._watch.over:
            news, stop = self._changes.news, self._watch.news
            changes = self._changes.log.after(self._place)
            events = [] if changes is None else [_event(one) for one in changes]
            if changes is None:
                self._place = self._changes.log.end
            if not has_begun or changes is None:
                events.insert(0, _begin(self._place, resumed=changes is not None))
                has_begun = True
            if events:
                await outlet.send(events)
                self._place = events[-1].id
            else:
                await wait_for_any((news, stop), gone, await outlet.breathe())


def _begin(place: str, *, resumed: bool) -> Event:
    return Event("begin", msgspec.json.encode(sync_shapes.Beginning(resumed=resumed)), place)


def _event(change: Change) -> Event:
    return Event(change.kind, msgspec.json.encode(_shape(change.about)), change.id)


def _shape(about: Job | Changed | Health) -> object:
    if isinstance(about, Job):
        return sync_views.job(about)
    if isinstance(about, Health):
        return ready(about)
    return sync_shapes.ChangedSeries(series=[series_text(one) for one in about.series], more=about.more)


def changes_opening(handler: ApiHandler) -> Opening:
    """What opens the stream of changes that a request wants."""
    given = handler.query(PARAMETERS)[LAST_EVENT_ID]
    teller = ChangesTeller(handler.service, handler.request.headers.get("Last-Event-ID", "") or given)

    async def opened() -> ChangesTeller:
        return teller

    return opened


class ChangesHandler(StreamHandler):
    greeting = b": changes follow\n\n"

    @property
    def room(self) -> Room:
        return self.rooms.changes

    def opening(self) -> Opening:
        return changes_opening(self)


class ChangesSocketHandler(SocketHandler):
    @property
    def room(self) -> Room:
        return self.rooms.changes

    def opening(self) -> Opening:
        return changes_opening(self)
