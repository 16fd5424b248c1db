"""Connections for pushed candles against a made-up venue over real WebSockets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.app.venues import pushed_markets
from backend.clock import SystemClock
from backend.errors import ExchangeUnavailable
from backend.net.sockets.market_stream import LONGEST_REFUSAL, RELISTING_PAUSE, SHORTEST_REFUSAL, spread
from backend.net.sockets.socket_connection import LONGEST_PAUSE, SHORTEST_PAUSE, pause_after
from backend.settings import load_settings
from tests.fakes import candle, minute
from tests.figures import counted
from tests.hurried import tasks
from tests.pushing import SOCKET, Line, PassingClock, until, world

MARKET = {"exchange": "venue", "market": "spot"}
TEN = [f"S{number}" for number in range(10)]


# What goes where


@given(
    carried=st.lists(st.sets(st.integers(0, 60), max_size=5), max_size=8),
    wanted=st.sets(st.integers(0, 60)),
)
def test_every_topic_is_on_one_connection_and_stays_where_it_is(
    carried: list[set[int]], wanted: set[int]
) -> None:
    taken: set[int] = set()
    apart = []
    for one in carried:
        apart.append({str(number) for number in one - taken})
        taken |= one
    topics = {str(number) for number in wanted}
    shares = spread(apart, topics, 5)
    assert sorted(topic for share in shares for topic in share) == sorted(topics)
    assert all(len(share) <= 5 for share in shares)
    assert all(before & topics <= after for before, after in zip(apart, shares, strict=False))
    new = shares[len(apart) :]
    assert all(new)
    assert not new or all(len(share) == 5 for share in shares[:-1])


async def test_topics_are_asked_for_in_pieces_on_as_few_connections_as_do() -> None:
    async with world() as here:
        await here.wants(*TEN, "S10", "S11")
        assert sorted(len(line.topics) for line in here.venue.open) == [2, 10]
        full = next(line for line in here.venue.open if len(line.topics) == 10)
        assert [len(said.split()) - 2 for said in full.said] == [4, 4, 2]
        assert [said.split()[1] for said in full.said] == ["0", "1", "2"]


async def test_topics_that_are_wanted_later_go_where_there_is_room() -> None:
    async with world() as here:
        line = await here.wants("A", "B")
        await here.wants("A", "B", "C")
        assert here.venue.open == [line]
        assert line.said[-1].split()[2:] == ["c"]


async def test_what_is_no_longer_wanted_is_given_up_and_empty_connections_are_closed() -> None:
    async with world() as here:
        line = await here.wants(*TEN, "T")
        other = here.venue.lines[1]
        kept = sorted(line.topics)[:2]
        await here.wants(*(topic.upper() for topic in kept))
        assert line.topics == set(kept)
        await until(lambda: other.ws.closed)
        here.stream.want([])
        await until(lambda: not here.venue.open)
    assert here.ear.lost == []


async def test_wishes_that_change_quickly_make_no_noise() -> None:
    async with world() as here:
        line = await here.wants("A", "B")
        for _ in range(100):
            here.stream.want(["C"])
            here.stream.want(["A", "B"])
        await here.wants("A", "B", "D")
        assert [said.split()[2:] for said in line.said[1:]] == [["d"]]


# What comes


async def test_a_pushed_candle_is_told_under_our_name() -> None:
    async with world() as here:
        line = await here.wants("BTC", "ETH")
        await line.push("eth", 3)
        await line.push("btc", 4, "closed")
        await until(lambda: len(here.ear.heard) == 2)
        assert here.ear.heard == [
            ("ETH", candle(minute(3)), False),
            ("BTC", candle(minute(4)), True),
        ]


async def test_a_candle_that_nobody_asked_for_is_not_told() -> None:
    async with world() as here:
        line = await here.wants("A")
        await line.push("stranger")
        await line.push("a")
        await until(lambda: bool(here.ear.heard))
        assert here.ear.symbols == ["A"]


async def test_what_the_venue_waits_for_is_said_at_once() -> None:
    async with world() as here:
        line = await here.wants("A")
        await line.ws.send_str("hey")
        await until(lambda: line.said[-1] == "ho")


async def test_frames_that_cannot_be_read_are_counted_and_borne() -> None:
    async with world() as here:
        line = await here.wants("A")
        for _ in range(3):
            for _ in range(4):
                await line.ws.send_str("noise")
            await line.push("a")
        await until(lambda: len(here.ear.heard) == 3)
        assert here.venue.open == [line]
        assert counted(here.metrics).value("socket_frames_unreadable_total", **MARKET) == 12


async def test_five_frames_in_a_row_that_cannot_be_read_end_a_connection() -> None:
    async with world() as here:
        line = await here.wants("A")
        for _ in range(5):
            await line.ws.send_str("noise")
        await until(lambda: len(here.venue.lines) == 2)
        assert line.ws.closed or line not in here.venue.open
        assert [symbols for symbols, _ in here.ear.lost] == [{"A"}]


async def test_a_message_that_is_too_large_ends_a_connection() -> None:
    async with world() as here:
        line = await here.wants("A")
        with suppress(ConnectionError):
            await line.ws.send_str("x" * (5 << 20))
        await until(lambda: len(here.venue.lines) == 2)
        assert [symbols for symbols, _ in here.ear.lost] == [{"A"}]


# What is refused


async def test_a_refused_topic_is_lost_and_asked_for_again_later() -> None:
    async with world() as here:
        here.venue.refuses = {"bad"}
        here.stream.want(["BAD", "GOOD"])
        await until(lambda: bool(here.ear.lost))
        assert here.ear.lost == [({"BAD"}, "not served")]
        line = await here.wants("BAD", "GOOD", "NEW")
        assert " ".join(line.said).split().count("bad") == 1
        await line.push("bad")
        await line.push("good")
        await until(lambda: bool(here.ear.heard))
        assert here.ear.symbols == ["GOOD"]
        here.venue.refuses = set()
        here.clock.advance(SHORTEST_REFUSAL)
        await until(lambda: " ".join(line.said).split().count("bad") == 2)
        await line.push("bad")
        await until(lambda: here.ear.symbols == ["GOOD", "BAD"])


async def test_a_topic_that_is_refused_every_time_is_asked_for_ever_more_seldom() -> None:
    async with world() as here:
        here.venue.refuses = {"bad"}
        line = await here.wants("BAD", "GOOD")
        for refusals, lasts in enumerate(
            (SHORTEST_REFUSAL, 4 * SHORTEST_REFUSAL, 16 * SHORTEST_REFUSAL), start=1
        ):
            await until(lambda refusals=refusals: len(here.ear.lost) == refusals)  # type: ignore[misc]
            here.clock.advance(lasts - 5)
            line = await here.wants("BAD", "GOOD", f"N{refusals}")
            assert " ".join(line.said).split().count("bad") == refusals
            here.clock.advance(5)
        await until(lambda: len(here.ear.lost) == 4)
        here.clock.advance(LONGEST_REFUSAL)
        await until(lambda: len(here.ear.lost) == 5)


async def test_of_a_message_that_is_refused_as_a_whole_only_the_guilty_are_lost() -> None:
    async with world(replace(SOCKET, topics_per_message=8)) as here:
        here.venue.rejects = {"s3", "s6"}
        here.stream.want(TEN)
        await until(lambda: len(here.ear.lost) == 2)
        assert sorted((*symbols, reason) for symbols, reason in here.ear.lost) == [
            ("S3", "what?"),
            ("S6", "what?"),
        ]
        await until(lambda: here.venue.topics == {symbol.lower() for symbol in TEN} - here.venue.rejects)
        assert len(here.venue.lines) == 1


async def test_an_error_that_names_no_topic_ends_nothing() -> None:
    async with world() as here:
        line = await here.wants("A")
        await line.ws.send_str("error")
        await line.push("a")
        await until(lambda: bool(here.ear.heard))
        assert here.venue.open == [line]
        assert here.ear.lost == []


async def test_a_symbol_that_the_venue_does_not_list_is_lost_and_the_others_come() -> None:
    async with world() as here:
        here.stream.want(["A", "NOPE", "Z"])
        await until(lambda: here.venue.topics == {"a", "z"})
        assert here.ear.lost == [({"NOPE"}, "the venue lists no NOPE")]


async def test_symbols_are_asked_for_when_the_listing_can_be_read_again() -> None:
    failing = True

    async def native(symbol: str) -> str:
        if failing:
            raise ExchangeUnavailable("no listing")
        return symbol

    async with world(native=native) as here:
        here.stream.want(["A"])
        here.clock.advance(1)
        failing = False
        here.clock.advance(RELISTING_PAUSE)
        await until(lambda: here.venue.topics == {"a"})
        assert here.ear.lost == []


# What breaks


async def test_a_connection_that_breaks_is_lost_once_and_made_again() -> None:
    async with world() as here:
        line = await here.wants("A", "B")
        here.venue.cut(line)
        await until(lambda: len(here.venue.lines) == 2 and here.venue.lines[1].topics == {"a", "b"})
        assert [symbols for symbols, _ in here.ear.lost] == [{"A", "B"}]
        await here.venue.lines[1].push("b")
        await until(lambda: here.ear.symbols == ["B"])
        assert counted(here.metrics).value("socket_losses_total", **MARKET) == 1
        assert counted(here.metrics).value("sockets_open", **MARKET) == 1


async def test_a_connection_is_tried_for_until_the_venue_takes_it() -> None:
    async with world() as here:
        here.venue.handshake = 503
        here.stream.want(["A"])
        await until(lambda: here.venue.attempts >= 3)
        here.venue.handshake = None
        await until(lambda: here.venue.topics == {"a"})
        assert here.ear.lost == []


@pytest.mark.parametrize("failures", [0, 3, 7, 1_000_000])
def test_pauses_grow_to_a_minute_and_differ(failures: int) -> None:
    pauses = {pause_after(failures) for _ in range(50)}
    longest = min(SHORTEST_PAUSE * 2 ** min(failures, 20), LONGEST_PAUSE)
    assert len(pauses) > 1
    assert all(longest / 2 <= pause <= longest for pause in pauses)


async def test_a_venue_that_says_nothing_is_left() -> None:
    async with world(replace(SOCKET, quiet_after=5.0)) as here:
        line = await here.wants("A")
        await until(lambda: len(here.venue.lines) == 2)
        assert here.ear.lost[0] == ({"A"}, "nothing was heard for 5 seconds")
        assert line not in here.venue.open


async def test_a_venue_that_pushes_is_not_left() -> None:
    async with world(replace(SOCKET, quiet_after=5.0)) as here:
        line = await here.wants("A")
        began = here.clock.monotonic()
        while here.clock.monotonic() < began + 20:
            await line.push("a")
            await until(lambda: bool(here.ear.heard))
            here.ear.heard.clear()
        assert here.venue.lines == [line]


async def test_a_venue_that_wants_to_hear_pings_hears_them() -> None:
    async with world(replace(SOCKET, ping="ping", ping_every=3.0, quiet_after=60.0)) as here:
        line = await here.wants("A")
        await until(lambda: line.said.count("ping") == 3)
        pings = [at for said, at in zip(line.said, line.said_at, strict=True) if said == "ping"]
        assert all(later - earlier > 2 for earlier, later in pairwise(pings))


async def test_an_error_of_the_listener_ends_one_connection_and_nothing_else() -> None:
    async with world() as here:
        here.ear.wrong = RuntimeError("a mistake of ours")
        line = await here.wants("A")
        await line.push("a")
        await until(lambda: len(here.venue.lines) == 2 and here.venue.topics == {"a"})
        await here.venue.open[-1].push("a")
        await until(lambda: len(here.ear.heard) == 2)
        assert here.ear.lost == [({"A"}, "an unexpected error")]


# What is renewed


async def test_after_a_farewell_everything_is_asked_for_elsewhere_before_the_old_connection_ends() -> None:
    async with world() as here:
        old = await here.wants(*TEN[:6])
        await old.ws.send_str("bye")
        await until(lambda: len(here.venue.lines) == 2)
        new = here.venue.lines[1]
        assert not old.ws.closed
        await until(lambda: new.topics == old.topics)
        assert not old.ws.closed
        await until(lambda: old.ws.closed)
        await new.push("s0")
        await until(lambda: here.ear.symbols == ["S0"])
        assert here.ear.lost == []
        assert here.venue.open == [new]


async def test_an_old_connection_is_renewed_without_a_loss() -> None:
    async with world(replace(SOCKET, life=1000.0)) as here:
        old = await here.wants("A")
        here.clock.advance(1000)
        await until(lambda: old.ws.closed and len(here.venue.open) == 1)
        assert here.venue.topics == {"a"}
        assert here.ear.lost == []
        assert len(here.venue.lines) == 2


async def test_a_venue_that_hangs_up_before_anybody_took_over_is_a_loss() -> None:
    async with world() as here:
        old = await here.wants("A")
        here.venue.handshake = 503
        await old.ws.send_str("bye")
        await until(lambda: here.venue.attempts > 1)
        await old.ws.close()
        await until(lambda: [symbols for symbols, _ in here.ear.lost] == [{"A"}])
        here.venue.handshake = None
        await until(lambda: here.venue.topics == {"a"})
        assert len(here.venue.open) == 1


async def test_a_venue_that_hangs_up_after_somebody_took_over_is_none() -> None:
    async with world() as here:
        old = await here.wants("A")
        await old.ws.send_str("bye")
        await until(lambda: len(here.venue.lines) == 2 and here.venue.lines[1].topics == {"a"})
        await old.ws.close()
        await until(lambda: counted(here.metrics).value("socket_losses_total", **MARKET) == 1)
        await here.venue.lines[1].push("a")
        await until(lambda: here.ear.symbols == ["A"])
        assert here.ear.lost == []


async def test_wishes_that_change_during_a_renewal_are_met() -> None:
    async with world() as here:
        old = await here.wants("A", "B")
        await old.ws.send_str("bye")
        await here.wants("B", "C")
        await until(lambda: old.ws.closed)
        assert here.venue.topics == {"b", "c"}
        assert len(here.venue.open) == 1


# How fast


async def test_messages_are_spread_over_time() -> None:
    socket = replace(SOCKET, messages_per_second=50, topics_per_message=1)
    async with world(socket, clock=PassingClock(1.0)) as here:
        line = await here.wants(*TEN)
        assert line.said_at[-1] - line.said_at[0] > 9 / 50


async def test_connections_are_opened_no_faster_than_an_address_may() -> None:
    socket = replace(SOCKET, topics_per_connection=1, attempts_per_minute=3)
    async with world(socket, clock=PassingClock(200.0)) as here:
        await here.wants("A", "B", "C", "D")
        opened = [line.opened_at for line in here.venue.lines]
        assert [after - before > 50 for before, after in zip(opened, opened[2:], strict=False)] == [True] * 2


async def test_hundreds_of_connections_may_be_open() -> None:
    async with world(replace(SOCKET, topics_per_connection=1)) as here:
        await here.wants(*(f"S{number}" for number in range(150)))
        assert len(here.venue.open) == 150


# What ends


async def test_stopping_leaves_neither_a_task_nor_a_connection() -> None:
    async with world() as here:
        line = await here.wants(*TEN, "T")
        await line.ws.send_str("bye")
        await until(lambda: len(here.venue.lines) == 3)
        assert ours()
        await here.stream.stop()
        assert ours() == []
        await until(lambda: not here.venue.open)
        assert counted(here.metrics).value("sockets_open", **MARKET) == 0
        assert here.ear.lost == []


def ours() -> list[str]:
    """The tasks that belong to streams."""
    return [name for name in tasks() if name.startswith(("MarketStream.", "Link.", "Talk."))]


async def test_a_venue_that_goes_on_pushing_does_not_hold_up_the_end() -> None:
    async with world() as here:
        line = await here.wants("A")
        flooding = asyncio.create_task(flood(line))
        await until(lambda: len(here.ear.heard) > 1000)
        async with asyncio.timeout(60):
            await here.stream.stop()
        await flooding


async def flood(line: Line) -> None:
    """Push for as long as somebody takes it."""
    with suppress(ConnectionError):
        while not line.ws.closed:
            for _ in range(10):
                await line.push("a")
            await SystemClock().sleep(0)


# Which markets


SIMULATED = "http://127.0.0.1:9"


def pushed(environment: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """The markets that have sockets, with their base URLs."""
    found = pushed_markets(load_settings(environment))
    return {(exchange, market.name): url for exchange, market, url in found}


def test_six_markets_have_sockets() -> None:
    urls = pushed({})
    assert len(urls) == 6
    assert urls["binance", "perpetual"] == "wss://fstream.binance.com"
    assert ("extended", "perpetual") not in urls


def test_without_sockets_no_market_has_any() -> None:
    assert pushed({"LIVE": "rest"}) == {}


def test_a_market_at_another_address_has_none_of_the_venues_own_sockets() -> None:
    assert {exchange for exchange, _ in pushed({"BITGET_URL": SIMULATED})} == {"binance", "bingx"}
    assert ("binance", "perpetual") not in pushed({"BINANCE_PERPETUAL_URL": SIMULATED})


def test_a_market_at_another_address_has_the_sockets_that_are_there_too() -> None:
    urls = pushed({"BITGET_URL": SIMULATED, "BITGET_WS_URL": "ws://127.0.0.1:9"})
    assert urls["bitget", "spot"] == urls["bitget", "perpetual"] == "ws://127.0.0.1:9"


def test_a_mirror_of_binance_has_binances_own_sockets() -> None:
    urls = pushed({"BINANCE_SPOT_URL": "https://data-api.binance.vision"})
    assert urls["binance", "spot"] == "wss://stream.binance.com:9443"
