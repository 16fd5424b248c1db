"""The client of one market over real HTTP: retries, bounds, what is listed, the clock, the first candle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.clock import parse_time
from backend.core.candles import Candle
from backend.core.plan import closed_until
from backend.core.series import Listing
from backend.core.windows import HOUR, MINUTE, Spans, Window, normalise, subtract
from backend.errors import (
    Banned,
    ExchangeRefused,
    ExchangeUnavailable,
    Maintenance,
    MalformedAnswer,
    MarketDataError,
    RateLimited,
    RegionBlocked,
    UnknownSymbol,
)
from backend.exchanges import QUOTES
from backend.exchanges.base import Answer, Budget, Market, RateLimit, Request, whole_number
from backend.net.rest.account_budget import PATIENCE
from backend.net.rest.client import MOST_REFUSED, NO_VENUE_BEFORE, REFUSAL_LASTS, MarketClient
from backend.net.rest.exchange_clock import LASTS
from backend.net.rest.listing import (
    FIRST_LISTING_PAUSE,
    LISTING_LASTS,
    NEW_LISTING_LASTS,
    RELISTING_PAUSE,
)
from backend.net.rest.requester import ATTEMPTS, LARGEST_ANSWER, open_session
from backend.net.rest.throttle import LONGEST_BAN, LONGEST_REFUSAL, Throttle
from backend.precedence import Precedence
from backend.telemetry.metrics import Metrics
from tests.examples import examples
from tests.fakes import START, FakeClock, candle, minute, minutes
from tests.figures import counted

CALLS = RateLimit("calls", 1_000_000, 60.0)
NOW = minute(5000) + 30_000
"""What the exchange's clock shows when a story begins."""

KINDS: Mapping[int, type[MarketDataError]] = {
    302: ExchangeRefused,
    400: ExchangeRefused,
    404: UnknownSymbol,
    418: Banned,
    429: RateLimited,
    451: RegionBlocked,
    503: ExchangeUnavailable,
    599: Maintenance,
}
"""What each status of the exchange below means."""


def failure(answer: Answer) -> MarketDataError | None:
    if answer.status == 200:
        return None
    wait = whole_number(answer.headers.get("retry-after"))
    return KINDS[answer.status](f"test answered {answer.status}", retry_after=wait)


def parse_candles(body: bytes) -> list[Candle]:
    try:
        return [candle(moment) for moment in json.loads(body)]
    except ValueError as error:
        raise MalformedAnswer("test sent an answer that cannot be read") from error


def candles_request(symbol: str, window: Window, now: int) -> Request:
    bounds = {"start": str(window.start), "end": str(window.end), "now": str(now)}
    return Request("/candles", {"symbol": symbol, **bounds}, {"calls": 1})


def earliest_request(symbol: str) -> Request:
    return Request("/earliest", {"symbol": symbol}, {"calls": 1})


def newest_before_request(symbol: str, end: int) -> Request:
    return Request("/newest", {"symbol": symbol, "end": str(end)}, {"calls": 1})


def parse_symbols(body: bytes) -> list[Listing]:
    try:
        return [Listing(native.replace("-", ""), native, "", "", "on") for native in json.loads(body)]
    except ValueError as error:
        raise MalformedAnswer("test sent a list that cannot be read") from error


MARKET = Market(
    name="spot",
    base_url="http://exchange.invalid",
    url_setting="TEST_URL",
    budget=Budget("test", (CALLS,), lambda headers: {"calls": int(headers.get("x-used", 0))}),
    page_size=lambda age: 5 if age > HOUR else 10,
    candles_request=candles_request,
    parse_candles=parse_candles,
    symbols_request=Request("/symbols", cost={"calls": 1}),
    parse_symbols=parse_symbols,
    time_request=Request("/time", cost={"calls": 1}),
    parse_time=lambda answer: int(answer.body),
    failure=failure,
    earliest_request=earliest_request,
    spellings=lambda symbol: [f"{symbol[:-4]}-USDT"] if symbol.endswith("USDT") else [],
)
"""A market that can say which candle is its oldest, and whose spelling is not ours."""

PLAIN = replace(MARKET, spellings=None)
"""A market whose spelling is ours."""

SILENT = replace(MARKET, earliest_request=None, newest_before_request=newest_before_request)
"""A market that cannot."""


class Asked(NamedTuple):
    """One request as it arrived: when by the clock of the story, for what, and with which headers."""

    moment: float
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]


def text(body: str | bytes, status: int = 200, **headers: str) -> web.Response:
    """An answer; underscores in the names of headers are hyphens on the wire."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(body=body.encode() if isinstance(body, str) else body, status=status, headers=named)


Handler = Callable[[web.BaseRequest], web.StreamResponse | Awaitable[web.StreamResponse]]


@dataclass
class Venue:
    """An exchange of the tests' own. `answers` are its answers by path; `asked` is what was asked of it."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    natives: list[str] = field(default_factory=lambda: ["BTC-USDT", "ETH-USDT"])
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, Handler] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.answers |= {
            "/time": lambda _: text(str(self.clock.now())),
            "/symbols": lambda _: text(json.dumps(self.natives)),
            "/candles": lambda _: text("[]"),
        }

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = Asked(self.clock.monotonic(), request.path, dict(request.query), dict(request.headers))
        self.asked.append(asked)
        found = self.answers[request.path](request)
        return found if isinstance(found, web.StreamResponse) else await found

    def times(self, path: str) -> list[float]:
        """When `path` was asked for."""
        return [asked.moment for asked in self.asked if asked.path == path]

    def count(self, path: str) -> int:
        return len(self.times(path))


@asynccontextmanager
async def talking(
    venue: Venue,
    market: Market = MARKET,
    *,
    limit: RateLimit = CALLS,
    timeout: float = 10.0,
    elsewhere: str | None = None,
) -> AsyncIterator[MarketClient]:
    """A client of `market` at `venue`, over real HTTP."""
    async with RawTestServer(venue.answer) as server, open_session(timeout, "the-tests/1") as session:
        url = elsewhere or str(server.make_url("")).rstrip("/")
        throttle = Throttle([limit], 1.0, venue.clock)
        client = MarketClient(
            precedence=Precedence(),
            exchange="test",
            market=market,
            quotes=QUOTES["binance", "spot"],
            base_url=url,
            session=session,
            throttle=throttle,
            clock=venue.clock,
            metrics=venue.metrics,
        )
        try:
            yield client
        finally:
            await client.stop()


async def ask(client: MarketClient) -> list[Candle]:
    return list(await client.candles("BTCUSDT", minutes(0, 3)))


async def test_candles_are_those_that_the_exchange_sends_for_the_window() -> None:
    venue = Venue()
    venue.answers["/candles"] = lambda _: text(json.dumps([minute(2), minute(0), minute(2), minute(9)]))
    async with talking(venue) as client:
        found = await ask(client)
    assert [row.open_time for row in found] == [minute(2), minute(0), minute(2), minute(9)]
    (asked,) = [asked for asked in venue.asked if asked.path == "/candles"]
    assert asked.params == {
        "symbol": "BTC-USDT",
        "start": str(minute(0)),
        "end": str(minute(3)),
        "now": str(NOW),
    }


async def test_a_symbol_goes_over_the_wire_in_the_exchanges_own_spelling() -> None:
    venue = Venue(natives=["BTC-USDT", "币安-USDT"])
    async with talking(venue) as client:
        await client.candles("币安USDT", minutes(0, 3))
    assert [asked.params["symbol"] for asked in venue.asked if asked.path == "/candles"] == ["币安-USDT"]


async def test_every_request_names_the_service() -> None:
    venue = Venue()
    async with talking(venue) as client:
        await ask(client)
    assert {asked.headers["User-Agent"] for asked in venue.asked} == {"the-tests/1"}


async def test_spelling_and_page_size_are_the_markets() -> None:
    async with talking(Venue(), replace(MARKET, canonical=lambda text: text.upper() + "!")) as client:
        assert client.canonical("btc") == "BTC!"
        assert (client.page_size(HOUR), client.page_size(HOUR + 1)) == (10, 5)


@pytest.mark.parametrize(
    ("status", "attempts"),
    [(503, 5), (599, 5), (429, 5), (302, 1), (400, 1), (404, 1), (418, 1), (451, 1)],
)
async def test_a_refusal_is_tried_again_only_where_that_helps(status: int, attempts: int) -> None:
    venue = Venue()
    venue.answers["/candles"] = lambda _: text("no", status)
    async with talking(venue) as client:
        with pytest.raises(KINDS[status]) as caught:
            await ask(client)
    assert type(caught.value) is KINDS[status]
    assert venue.count("/candles") == attempts
    assert ATTEMPTS == 5


async def test_garbage_is_asked_for_again() -> None:
    venue = Venue()
    venue.answers["/candles"] = lambda _: text("<html>")
    async with talking(venue) as client:
        with pytest.raises(MalformedAnswer):
            await ask(client)
    assert venue.count("/candles") == ATTEMPTS


@pytest.mark.parametrize(("status", "body"), [(503, "no"), (200, "<html>"), (429, "no")])
async def test_one_good_answer_of_five_is_enough(status: int, body: str) -> None:
    venue = Venue()

    def fifth_time(_: web.BaseRequest) -> web.Response:
        good = venue.count("/candles") == ATTEMPTS
        return text(json.dumps([minute(1)])) if good else text(body, status)

    venue.answers["/candles"] = fifth_time
    async with talking(venue) as client:
        assert [row.open_time for row in await ask(client)] == [minute(1)]


async def test_between_attempts_is_a_pause_that_grows() -> None:
    venue = Venue()
    venue.answers["/candles"] = lambda _: text("no", 503)
    async with talking(venue) as client:
        with pytest.raises(ExchangeUnavailable):
            await ask(client)
    times = venue.times("/candles")
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert all(0 < pause <= 8.25 for pause in pauses)
    assert pauses[-1] > pauses[0]


async def test_nothing_is_asked_before_the_moment_that_a_refusal_named() -> None:
    venue = Venue()
    venue.answers["/candles"] = lambda _: text("no", 429, Retry_After="30")
    async with talking(venue) as client:
        with pytest.raises(RateLimited):
            await ask(client)
    times = venue.times("/candles")
    assert len(times) == ATTEMPTS
    assert all(later - earlier >= 30 for earlier, later in pairwise(times))


@pytest.mark.parametrize("wait", ["10", "900"])
async def test_a_ban_is_told_at_once(wait: str) -> None:
    venue = Venue()
    venue.answers["/candles"] = lambda _: text("no", 418, Retry_After=wait)
    async with talking(venue) as client:
        with pytest.raises(Banned):
            await ask(client)
    assert (venue.clock.monotonic(), venue.count("/candles")) == (0.0, 1)


@pytest.mark.parametrize("status", [418, 429])
async def test_while_a_refusal_outlasts_all_patience_nothing_at_all_is_asked(status: int) -> None:
    venue = Venue()
    wait = int(PATIENCE) + 31
    venue.answers["/candles"] = lambda _: text("no", status, Retry_After=str(wait))
    async with talking(venue) as client:
        with pytest.raises(KINDS[status]):
            await ask(client)
        requests = len(venue.asked)
        venue.clock.advance(30)
        with pytest.raises(KINDS[status]) as caught:
            await ask(client)
        assert (type(caught.value), caught.value.retry_after) == (KINDS[status], wait - 30)
        assert len(venue.asked) == requests
        venue.clock.advance(wait)
        venue.answers["/candles"] = lambda _: text("[]")
        assert await ask(client) == []


async def test_every_attempt_is_paid_for() -> None:
    venue = Venue()
    venue.answers["/candles"] = lambda _: text("no", 503)
    async with talking(venue, limit=RateLimit("calls", 3, 60.0)) as client:
        with pytest.raises(ExchangeUnavailable):
            await ask(client)
    moments = sorted(asked.moment for asked in venue.asked)
    assert len(moments) == 2 + ATTEMPTS
    assert all(moments[number + 3] - moments[number] >= 60 for number in range(len(moments) - 3))


async def test_what_the_exchange_says_was_spent_is_not_spent_again() -> None:
    venue = Venue()
    venue.answers["/candles"] = lambda _: text("[]", x_used="1000")
    async with talking(venue, limit=RateLimit("calls", 1000, 60.0)) as client:
        await ask(client)
        await ask(client)
    first, second = venue.times("/candles")
    assert second - first == 60.0


async def test_what_a_refusal_says_was_spent_is_learnt_as_well() -> None:
    venue = Venue()
    venue.answers["/candles"] = lambda _: text("no", 400, x_used="1000")
    async with talking(venue, limit=RateLimit("calls", 1000, 60.0)) as client:
        for _ in range(2):
            with pytest.raises(ExchangeRefused):
                await ask(client)
    first, second = venue.times("/candles")
    assert second - first == 60.0


async def test_an_exchange_that_is_not_there_is_unavailable_after_as_many_attempts() -> None:
    venue = Venue()
    async with talking(venue, elsewhere="http://127.0.0.1:1") as client:
        with pytest.raises(ExchangeUnavailable, match="test cannot be reached"):
            await client.now()
    assert venue.clock.monotonic() > 1.0


async def test_a_connection_that_breaks_in_the_middle_is_tried_again() -> None:
    venue = Venue()

    async def break_off(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"[1748736000000")
        assert request.transport is not None
        request.transport.close()
        return response

    venue.answers["/candles"] = break_off
    async with talking(venue) as client:
        with pytest.raises(ExchangeUnavailable, match="test cannot be reached"):
            await ask(client)
    assert venue.count("/candles") == ATTEMPTS


async def test_an_answer_may_take_only_so_long_to_begin() -> None:
    venue = Venue()

    async def never(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    venue.answers["/candles"] = never
    async with talking(venue, timeout=0.1) as client:
        with pytest.raises(ExchangeUnavailable, match="test did not answer in time"):
            await ask(client)
    assert venue.count("/candles") == ATTEMPTS


async def test_an_answer_may_take_only_so_long_to_end() -> None:
    venue = Venue()

    async def drip(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    venue.answers["/candles"] = drip
    async with talking(venue, timeout=0.1) as client:
        with pytest.raises(ExchangeUnavailable, match="test did not answer in time"):
            await ask(client)
    assert venue.count("/candles") == ATTEMPTS


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    venue = Venue()
    piece, written = b" " * 1024 * 1024, []

    async def pour(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        written.append(0)
        while True:
            await response.write(piece)
            written[-1] += len(piece)

    venue.answers["/candles"] = pour
    async with talking(venue) as client:
        with pytest.raises(MalformedAnswer, match="over 67108864 bytes"):
            await ask(client)
    assert max(written) < LARGEST_ANSWER + 16 * len(piece)


async def test_a_redirect_is_not_followed() -> None:
    venue = Venue()
    venue.answers["/candles"] = lambda _: text("", 302, Location="/elsewhere")
    venue.answers["/elsewhere"] = lambda _: text("[]")
    async with talking(venue) as client:
        with pytest.raises(ExchangeRefused):
            await ask(client)
    assert venue.count("/elsewhere") == 0


async def test_what_is_listed_is_known_by_our_spelling() -> None:
    async with talking(Venue()) as client:
        assert await client.symbols() == {
            "BTCUSDT": Listing("BTCUSDT", "BTC-USDT", "", "", "on"),
            "ETHUSDT": Listing("ETHUSDT", "ETH-USDT", "", "", "on"),
        }


async def test_what_is_listed_is_asked_for_once_an_hour() -> None:
    venue = Venue()
    async with talking(venue) as client:
        for pause in (0, 10, LISTING_LASTS - 10, 1, 1):
            venue.clock.advance(pause)
            await client.symbols()
            await ask(client)
    assert LISTING_LASTS == 3600
    assert venue.times("/symbols") == [0, LISTING_LASTS + 1]


async def test_many_who_come_together_ask_once_what_is_listed() -> None:
    venue = Venue()
    async with talking(venue) as client:
        await asyncio.gather(*(ask(client) for _ in range(6)))
    assert (venue.count("/symbols"), venue.count("/candles")) == (1, 6)


async def test_a_listing_that_failed_is_asked_for_again_after_a_moment() -> None:
    venue = Venue()
    right = venue.answers["/symbols"]
    venue.answers["/symbols"] = lambda _: text("no", 400)
    async with talking(venue) as client:
        for _ in range(3):
            with pytest.raises(ExchangeRefused):
                await client.symbols()
        venue.answers["/symbols"] = right
        venue.clock.advance(FIRST_LISTING_PAUSE)
        assert set(await client.symbols()) == {"BTCUSDT", "ETHUSDT"}
    assert venue.count("/symbols") == 2


def only(*natives: str) -> Handler:
    """Candles of these symbols alone."""
    return lambda request: text("[]") if request.query["symbol"] in natives else text("", 404)


async def test_a_symbol_that_is_not_listed_is_asked_for() -> None:
    venue = Venue()
    venue.answers["/candles"] = only("GONE-USDT")
    venue.answers["/earliest"] = lambda _: text(json.dumps([minute(7)]))
    async with talking(venue) as client:
        assert await client.candles("GONEUSDT", minutes(0, 3)) == []
        assert await client.first_candle("GONEUSDT") == minute(7)
        assert await client.native("GONEUSDT") == "GONE-USDT"


@pytest.mark.parametrize(("market", "asked"), [(MARKET, "NOPE-USDT"), (PLAIN, "NOPEUSDT")])
async def test_an_unknown_symbol_is_one_that_the_exchange_has_no_candles_of(
    market: Market, asked: str
) -> None:
    venue = Venue()
    venue.answers["/candles"] = venue.answers["/earliest"] = only("BTC-USDT")
    async with talking(venue, market) as client:
        for _ in range(3):
            with pytest.raises(UnknownSymbol, match="on its spot market"):
                await client.candles("NOPEUSDT", minutes(0, 3))
            with pytest.raises(UnknownSymbol):
                await client.first_candle("NOPEUSDT")
            with pytest.raises(UnknownSymbol):
                await client.ensure_known("NOPEUSDT")
        venue.clock.advance(REFUSAL_LASTS)
        with pytest.raises(UnknownSymbol):
            await client.candles("NOPEUSDT", minutes(0, 3))
    questions = [found.params["symbol"] for found in venue.asked if found.path in ("/candles", "/earliest")]
    assert questions == [asked, asked]


@pytest.mark.parametrize("symbol", ["NOPE", "BTC-EUR", "btcusdt", ""])
async def test_what_the_exchange_cannot_call_a_symbol_costs_no_request_for_candles(symbol: str) -> None:
    venue = Venue()
    async with talking(venue) as client:
        for _ in range(3):
            with pytest.raises(UnknownSymbol):
                await client.candles(symbol, minutes(0, 3))
    assert (venue.count("/symbols"), venue.count("/candles")) == (1, 0)


async def test_hostile_symbols_are_remembered_up_to_a_number() -> None:
    venue = Venue()
    venue.answers["/candles"] = only()
    async with talking(venue, PLAIN) as client:
        for number in (*range(MOST_REFUSED + 1), MOST_REFUSED, 0):
            with pytest.raises(UnknownSymbol):
                await client.candles(f"X{number}USDT", minutes(0, 3))
    assert venue.count("/candles") == MOST_REFUSED + 2


async def test_one_refusal_of_a_symbol_that_was_answered_before_is_not_remembered() -> None:
    venue = Venue()
    async with talking(venue, PLAIN) as client:
        await client.candles("GONEUSDT", minutes(0, 3))
        right, venue.answers["/candles"] = venue.answers["/candles"], only()
        with pytest.raises(UnknownSymbol):
            await client.candles("GONEUSDT", minutes(0, 3))
        venue.answers["/candles"] = right
        assert await client.candles("GONEUSDT", minutes(0, 3)) == []


async def test_a_truncated_list_costs_no_candle() -> None:
    venue = Venue(natives=[])
    async with talking(venue) as client:
        assert await client.symbols() == {}
        await ask(client)
    assert venue.count("/candles") == 1


@pytest.mark.parametrize("broken", [("", 503), ("", 599), ("no", 200), ("", 451)])
async def test_an_old_copy_of_what_is_listed_does_when_the_exchange_does_not_tell(
    broken: tuple[str, int],
) -> None:
    venue = Venue()
    right = venue.answers["/symbols"]
    async with talking(venue) as client:
        before = await client.symbols()
        venue.answers["/symbols"] = lambda _: text(*broken)
        for pause in (LISTING_LASTS + 1, RELISTING_PAUSE - 1, 2, 1):
            venue.clock.advance(pause)
            await ask(client)
            assert await client.symbols() == before
        assert venue.count("/candles") == 4
        assert venue.times("/symbols") == [0, LISTING_LASTS + 1, LISTING_LASTS + RELISTING_PAUSE + 2]
        venue.answers["/symbols"] = right
        venue.natives.append("NEW-USDT")
        venue.clock.advance(RELISTING_PAUSE + 1)
        assert "NEWUSDT" in await client.symbols()


async def test_many_who_come_together_are_all_content_with_the_old_copy() -> None:
    venue = Venue()
    async with talking(venue) as client:
        await client.symbols()
        venue.answers["/symbols"] = lambda _: text("", 503)
        venue.clock.advance(LISTING_LASTS + 1)
        await asyncio.gather(*(ask(client) for _ in range(6)), client.symbols())
    assert (venue.count("/symbols"), venue.count("/candles")) == (2, 6)


async def test_candles_go_on_while_the_list_hangs() -> None:
    venue = Venue()
    hanging, goes_on = asyncio.Event(), asyncio.Event()
    right = venue.answers["/symbols"]

    async def hang(request: web.BaseRequest) -> web.StreamResponse:
        hanging.set()
        await goes_on.wait()
        answer = right(request)
        assert isinstance(answer, web.StreamResponse)
        return answer

    async with talking(venue) as client:
        await client.symbols()
        venue.answers["/symbols"] = hang
        venue.answers["/candles"] = only("BTC-USDT", "ETH-USDT")
        venue.clock.advance(LISTING_LASTS + 1)
        unknown = [asyncio.create_task(client.candles(f"NO{n}USDT", minutes(0, 3))) for n in range(5)]
        await hanging.wait()
        await asyncio.gather(*(client.candles("ETHUSDT", minutes(0, 3)) for _ in range(6)))
        assert client.known_status("ETHUSDT") == "on"
        assert not any(task.done() for task in unknown)
        goes_on.set()
        assert all(isinstance(error, UnknownSymbol) for error in await gathered(unknown))
    assert venue.count("/symbols") == 2


async def gathered(tasks: list[asyncio.Task[Sequence[Candle]]]) -> list[object]:
    return list(await asyncio.gather(*tasks, return_exceptions=True))


async def test_candles_do_not_wait_for_a_list_that_tells_them_nothing() -> None:
    venue = Venue()
    hanging, goes_on = asyncio.Event(), asyncio.Event()

    async def hang(_: web.BaseRequest) -> web.StreamResponse:
        hanging.set()
        await goes_on.wait()
        return text("", 503)

    venue.answers["/symbols"] = hang
    async with talking(venue, PLAIN) as client:
        listing = asyncio.create_task(client.symbols())
        await hanging.wait()
        assert await ask(client) == []
        goes_on.set()
        with pytest.raises(ExchangeUnavailable):
            await listing


async def test_a_symbol_that_is_new_and_strangely_spelt_is_found_after_a_minute() -> None:
    venue = Venue()
    venue.answers["/candles"] = only("NEW-COIN")
    async with talking(venue) as client:
        await client.symbols()
        venue.natives.append("NEW-COIN")
        with pytest.raises(UnknownSymbol):
            await client.candles("NEWCOIN", minutes(0, 3))
        venue.clock.advance(max(NEW_LISTING_LASTS, REFUSAL_LASTS) + 1)
        await client.candles("NEWCOIN", minutes(0, 3))
    assert NEW_LISTING_LASTS == 60
    assert (venue.count("/symbols"), venue.count("/candles")) == (2, 1)


async def test_an_unknown_symbol_is_looked_for_in_a_new_listing_once_a_minute() -> None:
    venue = Venue()
    venue.answers["/candles"] = only()
    async with talking(venue) as client:
        for pause in (0, 59, 2, 59, 2):
            venue.clock.advance(pause)
            with pytest.raises(UnknownSymbol):
                await client.candles("NOPEUSDT", minutes(0, 3))
    assert venue.times("/symbols") == [0, 61, 122]


@pytest.mark.parametrize(("status", "bound"), [(429, LONGEST_REFUSAL), (418, LONGEST_BAN)])
async def test_a_refusal_for_years_is_not_believed_for_long(status: int, bound: float) -> None:
    venue = Venue()
    right = venue.answers["/candles"]
    async with talking(venue) as client:
        venue.answers["/candles"] = lambda _: text("", status, Retry_After="999999999")
        with pytest.raises(RateLimited) as refused:
            await ask(client)
        assert refused.value.retry_after == bound
        venue.answers["/candles"] = right
        venue.clock.advance(bound - PATIENCE - 1)
        with pytest.raises(RateLimited):
            await ask(client)
        venue.clock.advance(2)
        assert await ask(client) == []
    assert venue.count("/candles") == 2


async def test_the_exchanges_time_is_read_once_and_carried_on() -> None:
    venue = Venue()
    async with talking(venue) as client:
        assert await client.now() == NOW
        venue.clock.advance(5.25)
        assert await client.now() == NOW + 5250
        venue.clock.advance(LASTS - 5.25)
        assert await client.now() == NOW + 600_000
    assert venue.count("/time") == 1


async def test_the_exchanges_time_is_read_again_after_ten_minutes() -> None:
    venue = Venue()
    behind = 0
    venue.answers["/time"] = lambda _: text(str(venue.clock.now() - behind))
    async with talking(venue) as client:
        await client.now()
        behind = 1500
        venue.clock.advance(LASTS + 1)
        assert await client.now() == NOW + 601_000 - 1500
        assert await client.now() == NOW + 601_000 - 1500
    assert LASTS == 600
    assert venue.count("/time") == 2


async def test_the_exchanges_time_is_read_again_when_the_machine_slept() -> None:
    venue = Venue()
    async with talking(venue) as client:
        await client.now()
        venue.clock.fall_asleep(5)
        assert (await client.now(), client.known_now()) == (NOW, NOW)
        venue.clock.fall_asleep(0.001)
        assert client.known_now() is None
        assert await client.now() == NOW + 5001
        assert client.known_now() == NOW + 5001
    assert venue.count("/time") == 2


async def test_a_machine_clock_that_was_set_back_is_no_reason_to_ask() -> None:
    venue = Venue()
    async with talking(venue) as client:
        await client.now()
        venue.clock.fall_asleep(-3600)
        venue.clock.advance(2)
        assert (await client.now(), client.known_now()) == (NOW + 2000, NOW + 2000)
    assert venue.count("/time") == 1


async def test_the_exchanges_time_is_known_without_asking_once_it_was_read() -> None:
    venue = Venue()
    async with talking(venue) as client:
        assert client.known_now() is None
        await client.now()
        venue.clock.advance(LASTS + 7)
        assert client.known_now() == NOW + 607_000
    assert venue.count("/time") == 1


async def test_the_exchanges_time_is_never_ahead_however_slow_the_answer() -> None:
    venue = Venue()

    def slow(_: web.BaseRequest) -> web.Response:
        venue.clock.advance(1.5)
        stamped = venue.clock.now()
        venue.clock.advance(2.5)
        return text(str(stamped))

    venue.answers["/time"] = slow
    async with talking(venue) as client:
        assert venue.clock.now() - 2500 <= await client.now() <= venue.clock.now()
        venue.clock.advance(100)
        assert venue.clock.now() - 2500 <= await client.now() <= venue.clock.now()


async def test_the_exchanges_time_is_not_this_machines() -> None:
    venue = Venue()
    venue.answers["/time"] = lambda _: text(str(START))
    async with talking(venue) as client:
        assert await client.now() == START
        await ask(client)
    assert venue.asked[-1].params["now"] == str(START)


async def test_a_time_that_cannot_be_read_is_not_taken_for_the_last_one() -> None:
    venue = Venue()
    async with talking(venue) as client:
        await client.now()
        venue.clock.advance(LASTS + 1)
        venue.answers["/time"] = lambda _: text("no", 400)
        with pytest.raises(ExchangeRefused):
            await client.now()


@pytest.mark.parametrize(
    ("rows", "first"), [([minute(7)], minute(7)), ([minute(9), minute(7)], minute(7)), ([], None)]
)
async def test_the_first_candle_is_asked_for_where_the_exchange_can_say_it(
    rows: list[int], first: int | None
) -> None:
    venue = Venue()
    venue.answers["/earliest"] = lambda _: text(json.dumps(rows))
    async with talking(venue) as client:
        assert await client.first_candle("BTCUSDT") == first
    asked = [asked.params for asked in venue.asked if asked.path == "/earliest"]
    assert asked == [{"symbol": "BTC-USDT"}] * 2


def newest(traded: Spans, end: int, rows: int) -> list[int]:
    """The `rows` newest minutes of `traded` that open before `end`, newest first."""
    found: list[int] = []
    for window in reversed(traded):
        last = min(window.end, end) - MINUTE
        found += range(last, max(window.start, last - (rows - len(found)) * MINUTE + 1) - 1, -MINUTE)
        if len(found) >= rows:
            break
    return found


async def search(
    traded: Spans, now: int, rows: int, *, inclusive: bool = False, cap: int = 1_000_000
) -> tuple[int | None, int]:
    """What a search finds in an exchange that traded in those minutes, and the requests that it takes.

    It sends `rows` candles, but never over `cap`; an `inclusive` one adds that which opens at the end.
    """
    venue = Venue(FakeClock(now))

    def page(request: web.BaseRequest) -> web.Response:
        end = int(request.query["end"])
        found = newest(traded, end + MINUTE, rows + 1) if inclusive else newest(traded, end, rows)
        return text(json.dumps(found[:cap]))

    venue.answers["/newest"] = page
    async with talking(venue, replace(SILENT, search_rows=rows)) as client:
        first = await client.first_candle("BTCUSDT")
    return first, venue.count("/newest")


EVER = (NOW - NO_VENUE_BEFORE) // MINUTE
ages = st.integers(1, EVER) | st.integers(1, 3000)
"""How many minutes ago a symbol was listed."""

outages = st.lists(st.tuples(st.integers(0, EVER), st.integers(1, 200_000) | st.integers(1, 300)), max_size=6)
"""Minutes after the listing at which the exchange did not trade, and for how many."""


def trading(age: int, gaps: list[tuple[int, int]]) -> Spans:
    """The minutes of a symbol that was listed `age` minutes ago, without those of the outages."""
    first, until = closed_until(NOW) - age * MINUTE, closed_until(NOW)
    lost = normalise(
        Window(first + (start + 1) * MINUTE, min(first + (start + 1 + length) * MINUTE, until))
        for start, length in gaps
    )
    return subtract((Window(first, until),), lost)


caps = st.sampled_from([1_000_000, 1440, 100, 2])
"""The most candles that an exchange sends, whatever it says of its pages."""


@given(ages, outages, st.sampled_from([1, 200, 1440]), caps, st.booleans())
@settings(max_examples=examples(60))
def test_a_search_finds_the_very_first_candle_in_few_requests(
    age: int, gaps: list[tuple[int, int]], rows: int, cap: int, inclusive: bool
) -> None:
    traded = trading(age, gaps)
    found, requests = asyncio.run(search(traded, NOW, rows, inclusive=inclusive, cap=cap))
    assert found == traded[0].start
    assert requests <= 28


async def test_a_search_ends_though_the_first_candle_opens_inside_a_minute() -> None:
    first, shifted = minute(1000), minute(1000) + 14_789
    venue = Venue()

    def page(request: web.BaseRequest) -> web.Response:
        if venue.count("/newest") > 100:
            return text("enough", 400)
        traded = (Window(first, closed_until(NOW)),)
        found = newest(traded, int(request.query["end"]), 100)
        return text(json.dumps([shifted if moment == first else moment for moment in found]))

    venue.answers["/newest"] = page
    async with talking(venue, replace(SILENT, search_rows=200)) as client:
        assert await client.first_candle("BTCUSDT") == shifted


@pytest.mark.parametrize("listed", ["2017-01-01T00:00:00Z", "2017-01-01T00:01:00Z", "2024-03-05T11:17:00Z"])
async def test_a_search_finds_a_first_candle_of_long_ago(listed: str) -> None:
    first = parse_time(listed)
    found, requests = await search((Window(first, closed_until(NOW)),), NOW, 200)
    assert found == first
    assert requests <= 27


async def test_a_search_of_a_symbol_listed_just_now_takes_four_requests() -> None:
    closed = closed_until(NOW)
    assert await search((Window(closed - 3 * MINUTE, closed),), NOW, 200) == (closed - 3 * MINUTE, 4)


async def test_a_search_that_finds_nothing_takes_two_requests() -> None:
    assert await search((), NOW, 200) == (None, 2)


async def test_a_minute_that_is_still_forming_is_no_first_candle() -> None:
    closed = closed_until(NOW)
    assert await search((Window(closed, closed + MINUTE),), NOW, 200, inclusive=True) == (None, 2)


async def test_a_search_takes_few_requests_though_the_exchange_sends_smaller_pages_than_it_says() -> None:
    traded = (Window(closed_until(NOW) - 20_000 * MINUTE, closed_until(NOW)),)
    found, requests = await search(traded, NOW, 200, cap=100)
    assert found == traded[0].start
    assert requests <= 27


@pytest.mark.parametrize("status", sorted(KINDS))
async def test_every_request_is_counted_by_its_status_and_what_that_means(status: int) -> None:
    venue = Venue()
    venue.answers["/candles"] = lambda _: text("no", status)
    async with talking(venue) as client:
        with pytest.raises(MarketDataError) as caught:
            await ask(client)
    figures = counted(venue.metrics)
    told = {"exchange": "test", "market": "spot"}
    requests = "exchange_requests_total"
    assert figures.value(requests, **told, status=str(status), outcome=caught.value.code) == venue.count(
        "/candles"
    )
    assert figures.value(requests, **told, status="200", outcome="ok") == 2
    assert figures.value("exchange_request_seconds_count", exchange="test") == len(venue.asked)


async def test_a_request_without_an_answer_is_counted_too() -> None:
    venue = Venue()
    async with talking(venue, elsewhere="http://127.0.0.1:1") as client:
        with pytest.raises(ExchangeUnavailable):
            await ask(client)
    unanswered = {"status": "none", "outcome": "exchange_unavailable"}
    figures = counted(venue.metrics)
    assert figures.value("exchange_requests_total", exchange="test", market="spot", **unanswered) == ATTEMPTS


async def test_waits_for_the_budget_are_counted_with_their_seconds() -> None:
    venue = Venue()
    async with talking(venue, limit=RateLimit("calls", 2, 60.0)) as client:
        await ask(client)
    figures = counted(venue.metrics)
    assert figures.value("budget_waits_total", budget="test") == 1
    assert figures.value("budget_wait_seconds_total", budget="test") == 60
