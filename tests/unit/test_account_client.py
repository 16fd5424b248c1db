"""A venue is asked in an account's name: its kind, its clock, its budgets, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from backend.errors import (
    ClockRefused,
    ExchangeRefused,
    InvalidRequest,
    KeysRefused,
    ModeRefused,
    OutcomeUnknown,
)
from backend.exchanges.private.registry import PRIVATE_VENUES
from backend.net.private.account_client import ATTEMPTS, AccountClient
from backend.net.private.account_venues import AccountVenues, VenueWay
from backend.net.rest.requester import open_session
from backend.net.rest.throttle import Throttle
from backend.telemetry.metrics import Metrics
from backend.trading.account import Mode
from backend.trading.history import Kind
from backend.trading.rows import Product
from tests.account_venue import ScriptedBitget, refused, scripted_bitget, told
from tests.bitget_rows import MIX_ACCOUNT, MIX_ORDER
from tests.fakes import FakeClock
from tests.private import KEYS, shown

BITGET = PRIVATE_VENUES["bitget"]
WALLET = "/api/v2/mix/account/accounts"
PROBE = "/api/v3/account/assets"


@asynccontextmanager
async def asking(skew: int = 0) -> AsyncIterator[tuple[AccountClient, ScriptedBitget, FakeClock]]:
    """A client of a scripted venue whose clock is `skew` ms ahead."""
    clock = FakeClock()
    async with (
        scripted_bitget(lambda: clock.now() + skew) as venue,
        open_session(5.0, "the-tests/1") as session,
    ):
        way = VenueWay(
            venue=BITGET,
            mode=Mode.LIVE,
            base_url=venue.url,
            session=session,
            throttle=Throttle(BITGET.budget.limits, 1.0, clock),
            clock=clock,
            metrics=Metrics(()),
        )
        venues = AccountVenues({("bitget", Mode.LIVE): way})
        yield venues.stranger("a1", "bitget", Mode.LIVE, KEYS), venue, clock


async def test_the_kind_of_an_account_is_told_by_asking() -> None:
    async with asking() as (client, venue, _):
        assert (await client.identity()).flavour == "classic"
        venue.become_unified()
        assert (await client.identity()).flavour == "unified"


async def test_another_failure_does_not_tell_the_kind() -> None:
    async with asking() as (client, venue, _):
        venue.answers[PROBE] = refused("40037")
        with pytest.raises(KeysRefused):
            await client.identity()
        assert WALLET not in venue.paths()
        venue.answers |= {PROBE: refused("40085"), WALLET: refused("40085")}
        with pytest.raises(ModeRefused):
            await client.identity()


async def test_a_question_before_the_kind_is_known_is_refused() -> None:
    async with asking() as (client, _, _):
        with pytest.raises(ModeRefused):
            await client.balances([Product.SPOT])


async def test_requests_are_signed_by_the_venues_clock() -> None:
    async with asking(skew=3_600_000) as (client, venue, clock):
        await client.identity()
        stamps = [int(one.headers["ACCESS-TIMESTAMP"]) for one in venue.asked if "ACCESS-SIGN" in one.headers]
        assert stamps
        assert all(abs(stamp - clock.now() - 3_600_000) < 60_000 for stamp in stamps)


async def test_a_refused_time_is_mended_once() -> None:
    async with asking() as (client, venue, _):
        await client.identity()
        venue.answers[WALLET] = [refused("40008", "Request timestamp expired"), told([MIX_ACCOUNT])]
        read_before = len(venue.asked)
        found = await client.balances([Product.PERPETUAL_USDT])
        assert found[Product.PERPETUAL_USDT][0].coin == "USDT"
        assert "/api/v2/public/time" in [one.path for one in venue.asked[read_before:]]
        venue.answers[WALLET] = refused("40008")
        with pytest.raises(ClockRefused):
            await client.balances([Product.PERPETUAL_USDT])


@pytest.mark.parametrize(
    ("said", "error", "attempts"),
    [
        (refused("40009", "sign signature error"), KeysRefused, 1),
        (refused("40014", "permission"), KeysRefused, 1),
        (refused("40808", "parameter"), ExchangeRefused, 1),
        (refused("40015", "system is abnormal"), OutcomeUnknown, ATTEMPTS),
        (b"half an ans", OutcomeUnknown, ATTEMPTS),
    ],
)
async def test_what_may_pass_is_asked_three_times_and_authentication_once(
    said: object, error: type[Exception], attempts: int
) -> None:
    async with asking() as (client, venue, _):
        await client.identity()
        venue.answers[WALLET] = said
        before = venue.paths().count(WALLET)
        with pytest.raises(error) as failed:
            await client.balances([Product.PERPETUAL_USDT])
        assert venue.paths().count(WALLET) - before == attempts
        assert not shown(str(failed.value))


async def test_a_rate_limit_of_an_account_is_waited_for() -> None:
    async with asking() as (client, venue, clock):
        await client.identity()
        venue.answers[WALLET] = [refused("429", "Too many requests"), told([MIX_ACCOUNT])]
        before = clock.monotonic()
        await client.balances([Product.PERPETUAL_USDT])
        assert clock.monotonic() > before


async def test_open_orders_are_read_page_by_page_until_nothing_new_comes() -> None:
    async with asking() as (client, venue, _):
        await client.identity()
        path = "/api/v2/mix/order/orders-pending"

        def page(*ids: str) -> object:
            rows = [MIX_ORDER | {"orderId": one, "status": "live"} for one in ids]
            return told({"entrustedList": rows, "endId": ids[-1] if ids else None})

        venue.answers[path] = [page("9", "8"), page("7"), page()]
        found = await client.open_orders(Product.PERPETUAL_USDT)
        assert [row.order_id for row in found] == ["9", "8", "7"]


async def test_what_a_venue_offers_of_its_history_is_told() -> None:
    async with asking() as (client, _, _):
        await client.identity()
        offer = client.offer(Kind.FILLS, Product.SPOT)
        assert offer is not None
        assert offer.needs == "symbol"
        assert client.offer(Kind.BILLS, Product.PERPETUAL_COIN) is not None


async def test_an_unknown_venue_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no accounts at"):
        AccountVenues({}).stranger("a1", "kraken", Mode.LIVE, KEYS)


async def test_a_client_shows_no_keys() -> None:
    async with asking() as (client, _, _):
        assert not shown(f"{client!r} {client}")
        assert asyncio.get_running_loop().is_running()
