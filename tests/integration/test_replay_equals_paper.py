"""What ran on paper is replayed: the same trades at the same prices, the same fees, the same equity."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from backend.core.quotes import FundingPaid, FundingRate
from backend.core.windows import MINUTE
from backend.loops import Loops
from backend.services.alarms.replay_course import ReplayCourse
from backend.services.alarms.replays import Replays
from backend.store.mongo import Database
from backend.store.trading.replays import MongoReplays
from backend.trading.alarms.alarm import AlarmState
from backend.trading.alarms.replay import Result
from backend.trading.alarms.strategy import By, Sizing
from backend.trading.paper.paper_time import Bar
from backend.trading.rows import Fill, Product, Wanted
from tests.extracting import until
from tests.integration.test_alarms import alarms, run, strategy, text
from tests.integration.test_paper_accounts import paper
from tests.ordering import NOW, Floor

USDT = Product.PERPETUAL_USDT
BALANCE = 1_000_000


class Market:
    """Candles as they come: the price stands still in a minute but for what a candle reaches."""

    def __init__(self, here: Floor) -> None:
        self.here = here
        self.bars = here.first.prices.closed

    async def minutes(self, *candles: tuple[int, int, int]) -> None:
        """Some minutes pass, each with its price, its lowest and its highest one; then somebody looks."""
        clock = self.here.clock
        for price, low, high in candles:
            opened = -(-clock.now() // MINUTE) * MINUTE
            clock.advance((opened + MINUTE - 1 - clock.now()) / 1000)
            self.bars.append(
                Bar(opened + MINUTE, Decimal(price), Decimal(high), Decimal(low), Decimal(price), Decimal(9))
            )
            self.here.first.quotes.price = Decimal(price)

    async def alarm(self, before: int, after: int, token: str, price: int) -> None:
        """An alarm at the end of a minute; the next one opens at this price."""
        self.here.first.quotes.price = Decimal(price)
        await self.here.first.paper.look()
        body = text(self.here, before, after, token=token)
        await self.here.first.intake.receive(body, token="", sender="test")
        await run(self.here)


def told(fills: Sequence[Fill]) -> list[tuple[Any, ...]]:
    return [
        (fill.side, fill.size, fill.price, [(fee.coin, fee.paid) for fee in fill.fees], fill.realised)
        for fill in fills
    ]


async def replayed(here: Floor, database: Database) -> Result:
    replays = Replays(
        store=MongoReplays(database),
        alarms=here.first.alarms,
        strategies=here.first.strategies,
        accounts=here.first.accounts,
        course=ReplayCourse(accounts=here.first.accounts, prices=here.first.prices, clock=here.clock),
        clock=here.clock,
        loops=Loops(here.clock),
    )
    replays.start()
    begun = await replays.begin("ema", NOW - MINUTE, here.clock.now(), Decimal(BALANCE), caller="test")

    async def is_done() -> bool:
        return (await replays.get(begun.id)).status != "running"

    await until(is_done)
    await replays.stop()
    found = await replays.get(begun.id)
    assert found.result is not None, found.reason
    return found.result


async def test_what_ran_on_paper_is_the_same_again(database: Database) -> None:
    async with paper(database, balance=BALANCE) as here:
        market = Market(here)
        prices, every = here.first.prices, 20 * MINUTE
        due = (NOW // MINUTE + 4) * MINUTE
        prices.paid = FundingRate(Decimal("0.0007"), due, every)
        prices.payments = [FundingPaid(due + number * every, Decimal("0.0007")) for number in range(9)]
        token = await strategy(here, sizing=Sizing(by=By.ALARM, amount=Decimal(1)), stop_loss=Decimal("0.05"))
        await market.minutes((30_000, 29_900, 30_100))
        await market.alarm(0, 2, token, 30_000)
        await market.minutes((30_000, 29_900, 30_200), (30_400, 30_300, 30_500), (30_300, 30_200, 30_500))
        await market.alarm(2, 1, token, 30_350)
        await market.minutes((30_350, 30_300, 30_400), (29_500, 29_400, 30_000))
        await market.alarm(1, -3, token, 29_450)
        # Over half an hour nobody looks; the price rises through the stop of the short position.
        await market.minutes(*((29_450 + 100 * step, 29_400, 29_500 + 100 * step) for step in range(30)))
        await here.first.paper.look()
        assert [one.state for one in await alarms(here)] == [AlarmState.DONE] * 3
        _, source = await here.first.accounts.source(here.account.id)
        fills = (await source.fills(Wanted(product=USDT, start=0, end=here.clock.now() + MINUTE))).rows
        again = await replayed(here, database)
        assert told(again.fills) == told(fills)
        assert len(fills) >= 5
        bills = (await source.bills(Wanted(product=USDT, start=0, end=here.clock.now() + MINUTE))).rows
        paid = [row.amount for row in bills if row.kind == "funding"]
        assert len(paid) == 2
        assert again.funding == sum(paid)
        [wallet] = (await source.balances([USDT]))[USDT]
        assert again.equity[-1][1] == wallet.equity
        assert not any(one.differs for one in again.alarms)
