"""Builds what carries alarms out."""

from __future__ import annotations

from backend.app.common import Common
from backend.app.stores import Stores
from backend.services.accounts.accounts import Accounts
from backend.services.alarms.intake import Intake
from backend.services.alarms.operations import Operations
from backend.services.alarms.replay_course import ReplayCourse
from backend.services.alarms.replays import Replays
from backend.services.alarms.runner import AlarmRunner
from backend.services.alarms.situations import Situations
from backend.services.alarms.strategies import Strategies
from backend.services.notices.notices import Notices
from backend.services.orders.facts import MarketFacts
from backend.services.paper.paper_prices import MarketPrices
from backend.services.service import Alarms, Orders


def build_alarms(
    common: Common,
    stores: Stores,
    accounts: Accounts,
    orders: Orders,
    facts: MarketFacts,
    notices: Notices,
    prices: MarketPrices,
) -> Alarms:
    """What lets alarms in, and carries them out where this process does jobs."""
    runner = AlarmRunner(
        alarms=stores.alarms,
        strategies=stores.strategies,
        situations=Situations(accounts=accounts, facts=facts),
        executor=orders.executor,
        setups=orders.setups,
        watch=orders.watch,
        clock=common.clock,
        loops=common.loops,
        metrics=common.metrics,
        owner=common.name,
        tell=notices.tell,
    )
    strategies = Strategies(store=stores.strategies, accounts=accounts, clock=common.clock)
    return Alarms(
        strategies=strategies,
        replays=Replays(
            store=stores.replays,
            alarms=stores.alarms,
            strategies=strategies,
            accounts=accounts,
            course=ReplayCourse(accounts=accounts, prices=prices, clock=common.clock),
            clock=common.clock,
            loops=common.loops,
        ),
        intake=Intake(
            alarms=stores.alarms,
            strategies=stores.strategies,
            accounts=accounts,
            clock=common.clock,
            metrics=common.metrics,
            arrived=runner.hurry,
            precedence=common.precedence,
            tell=notices.tell,
        ),
        runner=runner,
        operations=Operations(alarms=stores.alarms, intents=stores.intents, history=stores.history),
        store=stores.alarms,
    )
