"""Private calls leave as they were signed, are signed anew each time, and are sent once unless repeatable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pytest

from backend.errors import ExchangeUnavailable, MarketDataError, RateLimited
from backend.exchanges.base import Answer, Budget, RateLimit, Request, Signed
from backend.net.rest.requester import ATTEMPTS, Requester, open_session
from backend.net.rest.throttle import Throttle
from backend.telemetry.metrics import Metrics
from tests.fakes import START, FakeClock

KEY, SECRET = "dummy-key-of-the-tests", "dummy-secret-of-the-tests"
LIMITS = (RateLimit("orders", 1000, 1.0),)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
TOO_MANY = b"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nhalf"
NOTHING = b""


class Arrived(NamedTuple):
    """A request to the letter."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Venue:
    """Answers each request with the next of `answers`, the last one again and again, then hangs up."""

    answers: list[bytes]
    arrived: list[Arrived] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.arrived.append(Arrived(head[0], headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        writer.write(answer)
        await writer.drain()
        writer.close()


def sign(request: Request, moment: int) -> Signed:
    """As venues do: over the query as it is sent, with the moment."""
    query = "&".join(f"{name}={value}" for name, value in request.params.items())
    signature = f"{moment}-{len(query) + len(request.body)}-{SECRET}"
    target = f"{request.path}?{query}&signature={signature}"
    return Signed(target, {"X-Key": KEY, "X-Time": str(moment)}, request.body)


def failure(answer: Answer) -> MarketDataError | None:
    if answer.status == 200:
        return None
    return RateLimited("too many") if answer.status == 429 else ExchangeUnavailable("busy")


@asynccontextmanager
async def asking(
    venue: Venue, venue_now: Callable[[], int] | None = None
) -> AsyncIterator[tuple[Requester, Throttle]]:
    clock = FakeClock()
    server = await asyncio.start_server(venue.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_session(5.0, "the-tests/1") as session:
        throttle = Throttle([RateLimit("weight", 1000, 1.0)], 1.0, clock)
        throttle.open_account("mine", LIMITS)
        yield (
            Requester(
                venue="test",
                market="spot",
                base_url=f"http://127.0.0.1:{port}",
                session=session,
                budget=Budget("test", ()),
                throttle=throttle,
                failure=failure,
                clock=clock,
                metrics=Metrics(),
                account="mine",
                venue_now=venue_now,
            ),
            throttle,
        )


def body_of(answer: Answer) -> bytes:
    return answer.body


ORDER = Request(
    "/order",
    {"symbol": "BTC-USDT", "note": "a:b,c"},
    {"orders": 1},
    method="POST",
    body=b'{"size":"1"}',
    sign=sign,
)
READ = replace(ORDER, method="GET", body=b"")
CHANGE = replace(ORDER, method="DELETE", body=b"")
REPLACE = replace(ORDER, method="PUT")


async def test_what_is_sent_is_what_was_signed() -> None:
    """Also where a URL library would write it otherwise."""
    venue = Venue([OK])
    async with asking(venue, lambda: 1234) as (requester, _):
        assert await requester.ask(ORDER, body_of) == b"ok"
    [arrived] = venue.arrived
    assert arrived.line == f"POST {sign(ORDER, 1234).target} HTTP/1.1"
    assert "note=a:b,c&signature=1234-" in arrived.line
    assert (arrived.headers["x-key"], arrived.headers["x-time"], arrived.body) == (KEY, "1234", ORDER.body)


@pytest.mark.parametrize("request_", [ORDER, CHANGE, REPLACE, replace(READ, repeatable=False)])
@pytest.mark.parametrize("answer", [NOTHING, CUT, BUSY, TOO_MANY])
async def test_what_is_not_repeatable_arrives_exactly_once(request_: Request, answer: bytes) -> None:
    """Whatever happens to the answer; not even the HTTP library sends it again."""
    venue = Venue([answer])
    async with asking(venue) as (requester, _):
        with pytest.raises(ExchangeUnavailable):
            await requester.ask(request_, body_of)
    assert len(venue.arrived) == 1


@pytest.mark.parametrize("answer", [NOTHING, CUT, BUSY, TOO_MANY])
@pytest.mark.parametrize("request_", [READ, replace(CHANGE, repeatable=True)])
async def test_what_is_repeatable_is_asked_again_and_signed_anew(request_: Request, answer: bytes) -> None:
    moments = iter(range(1, 100))
    venue = Venue([answer, answer, OK])
    async with asking(venue, lambda: next(moments)) as (requester, _):
        assert await requester.ask(request_, body_of) == b"ok"
    assert [arrived.headers["x-time"] for arrived in venue.arrived] == ["1", "2", "3"]


async def test_attempts_have_an_end() -> None:
    venue = Venue([NOTHING])
    async with asking(venue) as (requester, _):
        with pytest.raises(ExchangeUnavailable):
            await requester.ask(READ, body_of)
    assert len(venue.arrived) == ATTEMPTS


async def test_without_a_clock_of_the_venue_this_machines_counts() -> None:
    venue = Venue([OK])
    async with asking(venue) as (requester, _):
        await requester.ask(READ, body_of)
    assert venue.arrived[0].headers["x-time"] == str(START)


async def test_a_refusal_of_an_account_stops_that_account_alone() -> None:
    async with asking(Venue([TOO_MANY])) as (requester, throttle):
        with pytest.raises(RateLimited):
            await requester.ask(ORDER, body_of)
        assert throttle.blocked == 0.0
        await throttle.acquire({"weight": 1})


@pytest.mark.parametrize("answer", [NOTHING, CUT, BUSY, TOO_MANY, OK])
async def test_no_secret_is_shown_whatever_happens(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = [repr(ORDER), repr(sign(ORDER, 1))]
    async with asking(Venue([answer])) as (requester, _):
        for request in (ORDER, READ):
            try:
                await requester.ask(request, body_of)
            except MarketDataError as error:
                shown += [str(error), repr(error), str(error.__cause__), repr(error.__cause__)]
    shown += [caplog.text, *(str(record.__dict__) for record in caplog.records)]
    assert not [text for text in shown if KEY in text or SECRET in text]
