"""Who listens to which topic: one feed a topic, however many connections listen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.simulator.markets import Market
from tests.simulator.sockets.connection import Connection
from tests.simulator.sockets.dialect import Shown
from tests.simulator.sockets.feed import Feed
from tests.simulator.sockets.session import Payload, Topic

Key = tuple[str, str]
"""A dialect's name and a topic's."""


class News(NamedTuple):
    """A state that is due, rendered, and who listens."""

    topic: Topic
    shown: Shown
    payload: Payload
    listeners: list[Connection]


class Switchboard:
    """The feeds of all connections."""

    def __init__(self) -> None:
        self._feeds: dict[Key, Feed] = {}

    def follow(self, connection: Connection) -> None:
        """Take over what a connection listens to, and show it what it saw by mistake."""
        session = connection.session
        for key, feed in list(self._feeds.items()):
            if connection in feed.listeners and feed.topic.name not in session.topics:
                self._leave(key, connection)
        for topic in session.topics.values():
            if topic.market is not None:
                self._join(topic, topic.market, connection)
        for topic in session.leaks:
            self._show_once(topic, connection)
        session.leaks.clear()

    def news(self, now: int) -> Iterator[News]:
        """Yield the states that are due at an instant (ms UTC)."""
        for feed in list(self._feeds.values()):
            for shown in feed.step(now):
                listeners = list(feed.listeners)
                if listeners and feed.market.symbol not in listeners[0].session.faults.mute:
                    payload = listeners[0].dialect.printed(feed.topic, shown)
                    yield News(feed.topic, shown, payload, listeners)

    def stray(self, connection: Connection, name: str) -> Payload | None:
        """Return a frame of a market that the connection did not ask for, None where there is none."""
        session = connection.session
        topic = session.topics.get(name)
        for market in session.archives[topic.kind].listed() if topic else ():
            assert topic is not None
            other = connection.dialect.topic(market, topic)
            if other.name not in session.topics and (payload := self._present(other, connection)):
                return connection.framed(other, payload)
        return None

    def _join(self, topic: Topic, market: Market, connection: Connection) -> None:
        key = (connection.dialect.name, topic.name)
        feed = self._feeds.get(key) or self._feed(topic, market, connection)
        if connection in feed.listeners:
            return
        self._feeds[key] = feed
        feed.listeners.add(connection)
        if connection.dialect.opens_with_state:
            self._show_once(topic, connection)

    def _feed(self, topic: Topic, market: Market, connection: Connection) -> Feed:
        return Feed(topic, market, connection.dialect, connection.session.archives[topic.kind])

    def _leave(self, key: Key, connection: Connection) -> None:
        self._feeds[key].listeners.discard(connection)
        if not self._feeds[key].listeners:
            del self._feeds[key]

    def _show_once(self, topic: Topic, connection: Connection) -> None:
        """Push a topic's present state."""
        payload = self._present(topic, connection)
        if payload is not None and topic.market and topic.market.symbol not in connection.session.faults.mute:
            connection.send(connection.framed(topic, payload))

    def _present(self, topic: Topic, connection: Connection) -> Payload | None:
        if topic.market is None:
            return None
        feed = self._feeds.get((connection.dialect.name, topic.name))
        shown = (feed or self._feed(topic, topic.market, connection)).current()
        return None if shown is None else connection.dialect.printed(topic, shown)
