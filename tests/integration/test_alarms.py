"""Alarms at simulated venues over real HTTP and a real database: each carried out exactly once, in order."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from backend.clock import iso
from backend.errors import AlarmRefused, AlarmUnauthorised, StrategyExists, UnknownAccount, UnknownStrategy
from backend.services.alarms.ports import AlarmsWanted
from backend.store.mongo import Database
from backend.trading.alarms.alarm import Alarm, AlarmState
from backend.trading.alarms.strategy import By, Condition, Kind, Sizing, Strategy
from backend.trading.risk import Limits
from backend.trading.rows import Product
from tests.book_rows import Venue
from tests.ordering import VENUES, Floor, floor
from tests.simulator.markets import synthetic_market
from tests.simulator.private.faults import Met
from tests.simulator.private.rows import Pair
from tests.simulator.private.rows import Product as Simulated

EVERY_VENUE = pytest.mark.parametrize("venue", VENUES)
UNIT = Decimal("0.01")
TICKERS = {"classic": "BTCUSDT.P", "unified": "BTCUSDT.P", "bingx": "BTCUSDT.P"}


def words(position: int) -> tuple[str, str]:
    """How the sender tells a position."""
    return ("flat" if not position else "long" if position > 0 else "short"), str(abs(position))


def text(here: Floor, before: int, after: int, *, token: str, **other: object) -> bytes:
    """An alarm that moves the sender's position, in whole units."""
    (was, was_size), (goes, size) = words(before), words(after)
    fields: dict[str, object] = {
        "token": token,
        "ticker": "BTCUSDT.P",
        "action": "buy" if after > before else "sell",
        "quantity": str(abs(after - before)),
        "position": goes,
        "position_size": size,
        "prev_position": was,
        "prev_position_size": was_size,
        "fired_at": iso(here.clock.now()),
    }
    return json.dumps(fields | other).encode()


async def strategy(here: Floor, name: str = "ema", **other: Any) -> str:
    """A strategy whose unit is 0.01 BTC. Returns its token."""
    given: dict[str, Any] = {
        "id": name,
        "revision": 0,
        "token": "",
        "account": here.account.id,
        "product": here.product,
        "kind": Kind.TARGET,
        "sizing": Sizing(by=By.ALARM, amount=UNIT),
    }
    _, token = await here.first.strategies.add(Strategy(**(given | other)))
    return token


async def run(here: Floor, seconds: int = 30) -> None:
    """Let all processes carry out what there is."""
    for _ in range(seconds * 2):
        await asyncio.gather(*(one.runner.run() for one in here.processes))
        await here.first.watch.look()
        if await here.first.alarms.oldest_open() is None:
            return
        here.clock.advance(0.5)


async def alarms(here: Floor) -> list[Alarm]:
    """All alarms, oldest first."""
    return list(reversed(await here.first.alarms.list(AlarmsWanted(), 1000)))


def position(here: Floor) -> Decimal:
    """What the account holds of BTC at the venue, below zero for short."""
    product, quote = (Simulated.USDC, "USDC") if here.venue == "extended" else (Simulated.USDT, "USDT")
    sides = ("long", "short") if here.book.facts.hedged else ("net",)
    sizes = [here.book.size_of(product, Pair("BTC", quote), side) for side in sides]  # type: ignore[arg-type]
    return sum(sizes, Decimal(0))


@EVERY_VENUE
@pytest.mark.parametrize("hedged", [False, True])
async def test_alarms_lead_to_the_position_that_they_tell(
    venue: Venue, hedged: bool, database: Database
) -> None:
    async with floor(venue, database, hedged=hedged) as here:
        token = await strategy(here)
        reached = 0
        for target in (1, 3, -2, 0):
            await here.first.intake.receive(text(here, reached, target, token=token), token="", sender="test")
            await run(here)
            assert position(here) == target * UNIT
            reached = target
            here.clock.advance(5)
        assert [one.state for one in await alarms(here)] == [AlarmState.DONE] * 4
        assert len(here.orders()) == 5  # the turn from long to short is two
        assert all(count == 1 for count in here.book.accepted.values())


@pytest.mark.parametrize("venue", [venue for venue in VENUES if venue != "extended"])
async def test_spot_is_bought_and_sold(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        token = await strategy(here, product=Product.SPOT)
        has = int(here.book.has(Simulated.SPOT, "BTC") / UNIT)
        await here.first.intake.receive(text(here, has, has + 100, token=token), token="", sender="test")
        await run(here)
        bought = here.book.has(Simulated.SPOT, "BTC") - has * UNIT
        assert Decimal("0.99") < bought <= 1  # less the fee
        here.clock.advance(2)
        await here.first.intake.receive(text(here, has + 100, has, token=token), token="", sender="test")
        await run(here)
        assert abs(here.book.has(Simulated.SPOT, "BTC") - has * UNIT) < UNIT
        assert [one.state for one in await alarms(here)] == [AlarmState.DONE] * 2


@EVERY_VENUE
async def test_a_delivery_that_comes_again_is_counted_and_not_repeated(
    venue: Venue, database: Database
) -> None:
    async with floor(venue, database) as here:
        token = await strategy(here)
        body = text(here, 0, 1, token=token)
        unnamed = json.dumps(
            {"token": token, "ticker": "ETHUSDT.P", "action": "buy", "position": "long"}
        ).encode()
        for _ in range(3):
            await here.first.intake.receive(body, token="", sender="test")
            await here.first.intake.receive(unnamed, token="", sender="test")
            await run(here)
            here.clock.advance(5)
        found = await alarms(here)
        assert [one.deliveries for one in found] == [3, 3]
        assert len(here.orders()) == 2
        here.clock.advance(61)
        _, is_repeated = await here.first.intake.receive(body, token="", sender="test")
        assert is_repeated
        _, is_repeated = await here.first.intake.receive(unnamed, token="", sender="test")
        assert not is_repeated


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_alarms_of_one_bar_end_in_the_same_position_however_they_arrive(
    order: Sequence[int], database: Database
) -> None:
    async with floor("bingx", database, processes=2) as here:
        token = await strategy(here)
        await here.first.intake.receive(text(here, 0, 2, token=token), token="", sender="test")
        await run(here)
        here.clock.advance(60)
        bar = [
            text(here, *step, token=token, bar_time=iso(here.clock.now()))
            for step in ((2, 0), (0, -1), (-1, -3))
        ]
        for place in order:
            await here.first.intake.receive(bar[place], token="", sender="test")
            await asyncio.gather(*(one.runner.run() for one in here.processes))
            here.clock.advance(1)
        await run(here)
        assert position(here) == -3 * UNIT
        assert not any(one.is_link_missing for one in await alarms(here))
        assert all(count == 1 for count in here.book.accepted.values())


async def test_a_missing_alarm_is_waited_for_then_told_and_made_good_by_the_target(
    database: Database,
) -> None:
    async with floor("bingx", database) as here:
        token = await strategy(here)
        await here.first.intake.receive(text(here, 0, 2, token=token), token="", sender="test")
        await run(here)
        here.clock.advance(60)
        lost = text(here, 2, 0, token=token)
        here.clock.advance(1)
        await here.first.intake.receive(text(here, 0, -1, token=token), token="", sender="test")
        await here.first.runner.run()
        assert position(here) == 2 * UNIT
        here.clock.advance(11)
        await run(here)
        assert position(here) == -1 * UNIT
        assert [one.is_link_missing for one in await alarms(here)] == [False, True]
        await here.first.intake.receive(lost, token="", sender="test")
        await run(here)
        assert position(here) == -1 * UNIT
        assert (await alarms(here))[-1].reason == "a later alarm was carried out already"


@EVERY_VENUE
@pytest.mark.parametrize("manner", ["accept_drop", "drop", "accept_error", "busy", "refuse", "late"])
async def test_however_the_venue_meets_the_orders_of_an_alarm_each_is_there_once(
    venue: Venue, manner: Any, database: Database
) -> None:
    async with floor(venue, database, processes=2) as here:
        token = await strategy(here)
        await here.first.intake.receive(text(here, 0, 1, token=token), token="", sender="test")
        await run(here)
        here.clock.advance(10)
        here.simulator.faults.private.placing = [Met(manner, delay=3000)]
        await here.first.intake.receive(text(here, 1, -1, token=token), token="", sender="test")
        await run(here, 600)
        found = (await alarms(here))[-1]
        assert found.state in (AlarmState.DONE, AlarmState.FAILED)
        assert all(count <= 1 for count in here.book.accepted.values())
        operations = await here.first.operations.of(found)
        assert [bool(one.intent) for one in operations] == [bool(leg.intent) for leg in found.legs]
        if found.state is AlarmState.DONE:
            assert position(here) == -1 * UNIT
        else:
            assert found.reason


async def test_a_process_that_dies_between_the_orders_of_an_alarm_is_followed_by_another(
    database: Database,
) -> None:
    async with floor("classic", database, processes=2) as here:
        token = await strategy(here)
        await here.first.intake.receive(text(here, 0, 1, token=token), token="", sender="test")
        await run(here)
        here.clock.advance(10)
        await here.first.intake.receive(text(here, 1, -2, token=token), token="", sender="test")
        runner = here.first.runner
        [alarm] = [one for one in await alarms(here) if one.state is AlarmState.RECEIVED]
        chosen = await runner._chosen([alarm])
        assert chosen is not None
        await runner._decided(chosen)
        planned = await here.first.alarms.load(alarm.id)
        assert planned is not None
        await runner._leg_placed(planned, 0, planned.legs[0])  # and it dies before it writes that
        here.clock.advance(61)
        for _ in range(20):
            await here.processes[1].runner.run()
            await here.processes[1].watch.look()
            here.clock.advance(1)
        assert position(here) == -2 * UNIT
        assert all(count == 1 for count in here.book.accepted.values())
        assert len(here.orders()) == 3


async def test_who_is_not_let_in(database: Database) -> None:
    async with floor("bingx", database) as here:
        token = await strategy(here)
        with pytest.raises(AlarmUnauthorised):
            await here.first.intake.receive(text(here, 0, 1, token="wrong"), token="", sender="test")
        with pytest.raises(AlarmUnauthorised):
            await here.first.intake.receive(text(here, 0, 1, token=token), token="wrong", sender="test")
        with pytest.raises(AlarmRefused, match="NaN"):
            await here.first.intake.receive(
                text(here, 0, 1, token=token).replace(b'"quantity": "1"', b'"quantity": NaN'),
                token="",
                sender="test",
            )
        with pytest.raises(AlarmRefused, match="quantity"):
            await here.first.intake.receive(
                text(here, 0, 1, token=token, quantity="x"), token="", sender="test"
            )
        found = await alarms(here)
        assert [one.state for one in found] == [AlarmState.REFUSED] * 4
        everything = str(
            [await database[name].find().to_list(None) for name in await database.list_collection_names()]
        )
        assert token not in everything
        assert here.orders() == []
        for _ in range(100):
            with pytest.raises(AlarmUnauthorised):
                await here.first.intake.receive(text(here, 0, 1, token="wrong"), token="", sender="test")
        assert len(await alarms(here)) <= 60


async def test_what_does_nothing_says_why(database: Database) -> None:
    async with floor("bingx", database) as here:
        never = Condition(left="price", op="<", right="1")
        tokens = {
            "off": await strategy(here, "off", enabled=False),
            "elsewhere": await strategy(here, "elsewhere", symbols={"SOLUSDT.P": "SOL-USDT"}),
            "condition": await strategy(here, "condition", conditions=(never,)),
            "late": await strategy(here, "late"),
            "removed": await strategy(here, "removed"),
        }
        late = text(here, 0, 1, token=tokens["late"])
        here.clock.advance(70)
        for name, token in tokens.items():
            body = late if name == "late" else text(here, 0, 1, token=token)
            await here.first.intake.receive(body, token="", sender=name)
        await here.first.strategies.remove("removed")
        await run(here)
        found = {one.strategy: one for one in await alarms(here)}
        assert {one.state for one in found.values()} == {AlarmState.IGNORED}
        for name, said in (
            ("off", "switched off"),
            ("elsewhere", "does not trade"),
            ("condition", "does not hold"),
            ("late", "older than 60 s"),
            ("removed", "was removed"),
        ):
            assert said in found[name].reason
        assert here.orders() == []


async def test_a_position_that_is_closed_already_does_not_keep_the_other_side_from_opening(
    database: Database,
) -> None:
    """The exchange's own stop-loss closed it between the decision and the order."""
    async with floor("classic", database) as here:
        token = await strategy(here)
        await here.first.intake.receive(text(here, 0, 1, token=token), token="", sender="test")
        await run(here)
        here.clock.advance(10)
        await here.first.intake.receive(text(here, 1, -1, token=token), token="", sender="test")
        [alarm] = [one for one in await alarms(here) if one.state is AlarmState.RECEIVED]
        chosen = await here.first.runner._chosen([alarm])
        assert chosen is not None
        await here.first.runner._decided(chosen)
        await here.first.executor.close(here.account.id, caller="test")
        here.clock.advance(2)
        await run(here)
        assert ((await alarms(here))[-1].state, position(here)) == (AlarmState.DONE, -1 * UNIT)


async def test_a_close_that_is_refused_keeps_the_other_side_from_opening(database: Database) -> None:
    async with floor("classic", database) as here:
        token = await strategy(here)
        await here.first.intake.receive(text(here, 0, 1, token=token), token="", sender="test")
        await run(here)
        here.clock.advance(10)
        here.simulator.faults.private.placing = [Met("refuse")]
        await here.first.intake.receive(text(here, 1, -1, token=token), token="", sender="test")
        await run(here)
        found = (await alarms(here))[-1]
        assert (found.state, position(here)) == (AlarmState.FAILED, UNIT)
        assert [leg.outcome for leg in found.legs] == ["refused", ""]


async def test_limits_and_refusals_fail_an_alarm_with_their_sentence(database: Database) -> None:
    async with floor("bingx", database) as here:
        token = await strategy(here)
        await here.first.accounts.change(
            here.account.id, label=None, frozen=None, limits=Limits(max_order_value=Decimal(100))
        )
        await here.first.intake.receive(text(here, 0, 1, token=token), token="", sender="test")
        await run(here)
        [found] = await alarms(here)
        assert (found.state, "the limit is 100" in found.reason) == (AlarmState.FAILED, True)
        assert here.orders() == []


async def test_the_leverage_of_a_strategy_is_set_before_an_entry(database: Database) -> None:
    async with floor("classic", database) as here:
        token = await strategy(here, leverage=25)
        await here.first.intake.receive(text(here, 0, 1, token=token), token="", sender="test")
        await run(here)
        setup = await here.first.setups.read(here.account.id, Product.PERPETUAL_USDT, here.symbol())
        assert (setup.long, setup.short) == (Decimal(25), Decimal(25))
        assert position(here) == UNIT


async def test_every_change_of_a_strategy_is_kept_and_old_tokens_are_worth_nothing(
    database: Database,
) -> None:
    async with floor("bingx", database) as here:
        token = await strategy(here)
        with pytest.raises(StrategyExists):
            await strategy(here)
        with pytest.raises(UnknownAccount):
            await strategy(here, "other", account="nobody")
        await here.first.strategies.change("ema", lambda one: replace(one, label="second"))
        _, newer = await here.first.strategies.new_token("ema")
        assert [one.revision for one in await here.first.strategies.revisions("ema")] == [3, 2, 1]
        with pytest.raises(AlarmUnauthorised):
            await here.first.intake.receive(text(here, 0, 1, token=token), token="", sender="test")
        alarm, _ = await here.first.intake.receive(text(here, 0, 1, token=newer), token="", sender="test")
        assert alarm.revision == 3
        await here.first.strategies.remove("ema")
        with pytest.raises(UnknownStrategy):
            await here.first.strategies.get("ema")
        await strategy(here)
        assert (await here.first.strategies.get("ema")).revision == 4


async def storm(here: Floor, count: int, names: int, seed: int) -> dict[str, int]:
    """Alarms of many strategies, each with its own market, arrive twice, late, in any order, anywhere.
    Returns the position that each strategy told last."""
    chance = random.Random(seed)
    tokens = {
        f"s{number}": await strategy(here, f"s{number}", symbols={"BTCUSDT.P": f"C{number}-USDT"})
        for number in range(names)
    }
    reached = dict.fromkeys(tokens, 0)
    for number in range(names):
        here.book.mark(Simulated.USDT, Pair(f"C{number}", "USDT"), Decimal(1000))
    waiting: list[bytes] = []
    for number in range(count):
        name = chance.choice(list(tokens))
        target = chance.choice([one for one in range(-3, 4) if one != reached[name]])
        waiting.append(text(here, reached[name], target, token=tokens[name], id=str(number)))
        reached[name] = target
        if chance.random() < 0.3:
            waiting.append(waiting[-1])
        if len(waiting) > 6 or number == count - 1:
            chance.shuffle(waiting)
            for body in waiting:
                process = chance.choice(here.processes)
                await process.intake.receive(body, token="", sender="test")
                if chance.random() < 0.3:
                    here.simulator.faults.private.placing = [
                        Met(chance.choice(("accept_drop", "accept_error", "plain", "accept_garbage")))
                    ]
                await asyncio.gather(*(one.runner.run() for one in here.processes))
                await chance.choice(here.processes).watch.look()
                here.clock.advance(1)
            waiting = []
    await run(here, 300)
    return reached


async def stormed(database: Database, count: int, names: int, seed: int) -> None:
    markets = [
        synthetic_market(
            *(f"C{number}", "USDT", "2020-01-01T00:00Z"),
            price=1000,
            volume=9,
            decimals=(2, 3),
            kind="perpetual",
        )
        for number in range(names)
    ]
    async with floor("bingx", database, hedged=False, processes=2, markets=markets) as here:
        reached = await storm(here, count, names, seed)
        found = await alarms(here)
        assert len(found) == count
        assert {one.state for one in found} <= {AlarmState.DONE, AlarmState.IGNORED}
        assert all(accepted == 1 for accepted in here.book.accepted.values())
        for number in range(names):
            held = here.book.size_of(Simulated.USDT, Pair(f"C{number}", "USDT"), "net")
            assert held == reached[f"s{number}"] * UNIT


async def test_a_storm_of_alarms_ends_where_plain_reading_ends(database: Database) -> None:
    await stormed(database, 40, 4, seed=7)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_thousand_alarms_of_twenty_strategies_end_where_plain_reading_ends(
    database: Database,
) -> None:
    await stormed(database, 1000, 20, seed=11)
