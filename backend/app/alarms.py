"""Builds what carries alarms out, and what tells people."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial

from backend.app.common import Common
from backend.app.stores import Stores
from backend.app.venues import USER_AGENT
from backend.core.proxy import proxy_to
from backend.net.notices.ways import EmailWay, TelegramWay, WebhookWay
from backend.net.proxies import Sessions
from backend.net.rest.requester import Session, open_session
from backend.services.accounts.accounts import Accounts
from backend.services.alarms.intake import Intake
from backend.services.alarms.operations import Operations
from backend.services.alarms.replays import Replays
from backend.services.alarms.runner import AlarmRunner
from backend.services.alarms.situations import Situations
from backend.services.alarms.strategies import Strategies
from backend.services.notices.notices import Notices
from backend.services.notices.ports import Way
from backend.services.orders.facts import MarketFacts
from backend.services.paper.paper_prices import MarketPrices
from backend.services.service import Alarms, Orders


async def build_notices(common: Common, stores: Stores, stack: AsyncExitStack) -> Notices:
    """What tells people, by every way that the settings name."""
    settings = common.settings
    sessions = Sessions(partial(open_session, settings.request_timeout, USER_AGENT))
    await stack.enter_async_context(sessions)

    def session(url: str) -> Session:
        return sessions.by(proxy_to("notices", url, {"NOTICES_PROXY": "", **settings.proxies}))

    ways: dict[str, Way] = {}
    if settings.notify_url:
        ways["webhook"] = WebhookWay(settings.notify_url, session(settings.notify_url))
    if settings.notify_telegram_token and settings.notify_telegram_chat:
        url = settings.notify_telegram_url
        token, chat = settings.notify_telegram_token, settings.notify_telegram_chat
        ways["telegram"] = TelegramWay(url, token, chat, session(url))
    if settings.notify_smtp and settings.notify_email_from and settings.notify_email_to:
        addresses = settings.notify_email_from, settings.notify_email_to
        ways["email"] = EmailWay(settings.notify_smtp, *addresses)
    return Notices(
        store=stores.notices, ways=ways, clock=common.clock, loops=common.loops, metrics=common.metrics
    )


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
            prices=prices,
            clock=common.clock,
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
