"""Small answers about closed ranges, kept in memory: many bots ask the same about the same candles.

An answer is kept by its entity tag, which changes with everything that the answer depends on. So a kept
answer is as right as a 304 with this tag.
"""

from __future__ import annotations

from collections import OrderedDict

ROOM = 32 << 20
"""Bytes of all kept answers."""

LARGEST = 1 << 20
"""Bytes of one answer. A day of minutes as JSON has 350 kB."""


class KeptAnswers:
    """The answers that were asked for last. One process, one thread."""

    def __init__(self, room: int = ROOM, largest: int = LARGEST) -> None:
        self._room = room
        self._largest = largest
        self._taken = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def of(self, tag: str) -> bytes | None:
        """The body with this tag, as it was sent; None if it is not kept."""
        if (body := self._kept.get(tag)) is not None:
            self._kept.move_to_end(tag)
        return body

    def begin(self, tag: str) -> Copy:
        """A copy of an answer that is about to be sent."""
        return Copy(self, tag, self._largest)

    def keep(self, tag: str, body: bytes) -> None:
        """Keep an answer. It takes the room of those that nobody asked for the longest."""
        if tag in self._kept:
            return
        self._kept[tag] = body
        self._taken += len(body)
        while self._taken > self._room:
            self._taken -= len(self._kept.popitem(last=False)[1])


class Copy:
    """Gathers the pieces of one answer, and forgets them when they are too many."""

    def __init__(self, answers: KeptAnswers, tag: str, left: int) -> None:
        self._answers = answers
        self._tag = tag
        self._left = left
        self._pieces: list[bytes] = []

    def add(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            self._pieces.clear()
        else:
            self._pieces.append(piece)

    def keep(self) -> None:
        """The answer is whole: keep it unless it is too large."""
        if self._left >= 0:
            self._answers.keep(self._tag, b"".join(self._pieces))
