"""Builds what speaks for the user's accounts, where the settings turn it on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial

from backend.app.alarms import build_alarms
from backend.app.common import Common
from backend.app.stores import Stores
from backend.app.venues import USER_AGENT, Venues
from backend.core.proxy import Proxy, proxy_to
from backend.exchanges.private.registry import PRIVATE_VENUES
from backend.exchanges.private.venue import PrivateVenue
from backend.net.private.account_connection import AccountSockets
from backend.net.private.account_venues import AccountVenues, VenueWay
from backend.net.proxies import Sessions
from backend.net.rest.requester import Session, open_session
from backend.net.rest.throttle import Throttle
from backend.net.sockets.socket_connection import open_socket_session
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.readings import Readings
from backend.services.accounts.vault import Vault
from backend.services.history.extractions import Extractions
from backend.services.history.histories import Histories
from backend.services.notices.notices import Notices
from backend.services.orders.amending import Amender
from backend.services.orders.cancelling import Canceller
from backend.services.orders.executor import Executor
from backend.services.orders.facts import MarketFacts
from backend.services.orders.permission import Permission
from backend.services.orders.settling import Settler
from backend.services.orders.setups import Setups
from backend.services.orders.triggers import Triggers
from backend.services.orders.twaps import Twaps
from backend.services.orders.watch import OrderWatch
from backend.services.paper.paper_accounts import PaperAccounts
from backend.services.paper.paper_keeper import PaperKeeper
from backend.services.paper.paper_prices import MarketPrices
from backend.services.running.fleet import Fleet
from backend.services.service import Orders, Trading
from backend.services.watching.account_watch import AccountWatch
from backend.services.watching.listening import Listening
from backend.settings import Settings
from backend.settings.by_exchange import account_socket_setting, account_url_setting
from backend.trading.account import Mode

log = logging.getLogger(__name__)


async def build_trading(
    common: Common,
    stores: Stores,
    venues: Venues,
    fleet: Fleet,
    notices: Notices,
    stack: AsyncExitStack,
) -> Trading | None:
    """None where accounts are off, which is said in one log line; nothing of them is held or asked then."""
    settings = common.settings
    if not settings.accounts_are_on:
        missing = [name for name in ("MASTER_KEYS", "API_KEYS") if not getattr(settings, name.lower())]
        level = logging.WARNING if settings.master_keys else logging.INFO
        log.log(level, "accounts are off: %s is not set", " and ".join(missing))
        return None
    sessions = Sessions(partial(open_session, settings.request_timeout, USER_AGENT))
    await stack.enter_async_context(sessions)
    lasting = await stack.enter_async_context(Sessions(partial(open_socket_session, USER_AGENT)))
    ways = AccountVenues(_ways(common, sessions, lasting, venues.throttles))
    vault = Vault(settings.master_keys)
    prices = MarketPrices(
        markets=venues.markets,
        quotes=venues.quotes,
        candles=stores.candles,
        rules=ways,
        clock=common.clock,
    )
    accounts = Accounts(
        store=stores.accounts,
        venues=ways,
        vault=vault,
        paper=PaperAccounts(store=stores.papers, prices=prices, venues=ways.traded, clock=common.clock),
        clock=common.clock,
        withdraw_allowed=settings.allow_withdraw_keys,
    )
    extractions = Extractions(
        store=stores.extractions,
        history=stores.history,
        accounts=accounts,
        clock=common.clock,
        loops=common.loops,
        metrics=common.metrics,
        owner=common.name,
        seconds=settings.lease_seconds,
        visit_hours=settings.account_visit_hours,
    )
    readings = Readings(accounts, common.clock)
    watch = AccountWatch(
        accounts=accounts,
        store=stores.snapshots,
        history=stores.history,
        clock=common.clock,
        loops=common.loops,
        every=settings.account_watch_seconds,
        precedence=common.precedence,
        tell=notices.tell,
    )
    facts = MarketFacts(readings=readings, quotes=venues.quotes, candles=stores.candles, clock=common.clock)
    orders = _build_orders(common, stores, accounts, facts, watch, notices)
    stack.push_async_callback(orders.executor.stop)
    alarms = build_alarms(common, stores, accounts, orders, facts, notices, prices)
    histories = Histories(accounts=accounts, store=stores.history, clock=common.clock)
    return Trading(
        accounts=accounts,
        readings=readings,
        histories=histories,
        extractions=extractions,
        orders=orders,
        paper=PaperKeeper(accounts=accounts, store=stores.papers, clock=common.clock, loops=common.loops),
        watch=watch,
        listening=Listening(
            accounts=accounts,
            hurry=watch.hurry,
            name=fleet.name,
            others=lambda: fleet.keepers,
            clock=common.clock,
            loops=common.loops,
        ),
        watch_store=stores.snapshots,
        alarms=alarms,
        now=common.clock.now,
    )


def _build_orders(
    common: Common,
    stores: Stores,
    accounts: Accounts,
    facts: MarketFacts,
    account_watch: AccountWatch,
    notices: Notices,
) -> Orders:
    """What places orders. The watch begins where this process does jobs."""
    settings, clock = common.settings, common.clock
    settler = Settler(
        intents=stores.intents,
        desks=stores.desks,
        audit=stores.audit,
        clock=clock,
        metrics=common.metrics,
        changed=account_watch.hurry,
        heard=notices.heard,
    )
    permission = Permission(accounts=accounts, live_allowed=settings.live_trading)
    executor = Executor(
        permission=permission,
        facts=facts,
        intents=stores.intents,
        desks=stores.desks,
        settler=settler,
        clock=clock,
        precedence=common.precedence,
    )
    watch = OrderWatch(
        accounts=accounts,
        intents=stores.intents,
        desks=stores.desks,
        settler=settler,
        clock=clock,
        loops=common.loops,
        precedence=common.precedence,
        metrics=common.metrics,
    )
    triggers = Triggers(
        executor=executor,
        facts=facts,
        accounts=accounts,
        store=stores.triggers,
        settler=settler,
        clock=clock,
        loops=common.loops,
    )
    canceller = Canceller(
        accounts=accounts,
        executor=executor,
        watch=watch,
        triggers=triggers,
        desks=stores.desks,
        settler=settler,
        clock=clock,
    )
    return Orders(
        executor=executor,
        canceller=canceller,
        amender=Amender(executor=executor, canceller=canceller),
        setups=Setups(accounts=accounts, permission=permission, settler=settler),
        watch=watch,
        twaps=Twaps(executor=executor, store=stores.twaps, settler=settler, clock=clock, loops=common.loops),
        triggers=triggers,
        intents=stores.intents,
        audit=stores.audit,
    )


def _ways(
    common: Common, sessions: Sessions, lasting: Sessions, throttles: Mapping[str, Throttle]
) -> dict[tuple[str, Mode], VenueWay]:
    """A venue that counts private questions with public ones shares their throttle, live and demo alike.
    `lasting` are the sessions of sockets."""
    settings = common.settings
    known = dict(throttles)
    ways = {}
    for venue in PRIVATE_VENUES.values():
        budget = venue.budget
        if budget.name not in known:
            known[budget.name] = Throttle(
                budget.limits, settings.rate_limit_share, common.clock, careful=budget.careful
            )
        for mode in (Mode.DEMO, Mode.LIVE):
            base_url = settings.account_urls[account_url_setting(venue.name, mode)]
            proxy = proxy_to(venue.name, base_url, settings.proxies)
            sockets = _sockets(settings, venue, mode)
            ways[venue.name, mode] = VenueWay(
                venue=venue,
                mode=mode,
                base_url=base_url,
                session=sessions.by(proxy),
                throttle=known[budget.name],
                clock=common.clock,
                metrics=common.metrics,
                proxy=proxy,
                sockets=AccountSockets(
                    urls=sockets,
                    session=partial(_socket_session, common, lasting, venue.name),
                    clock=common.clock,
                ),
            )
    return ways


def _sockets(settings: Settings, venue: PrivateVenue, mode: Mode) -> dict[str, str]:
    """The base URLs of a venue's sockets by their names.

    The documented sockets tell of the documented venue only: an account at another address hears something
    if its sockets have another address too.
    """
    if not settings.account_sockets:
        return {}
    is_demo = mode is Mode.DEMO
    own = settings.account_urls[account_url_setting(venue.name, mode)] == (
        venue.demo_url if is_demo else venue.base_url
    )
    urls = {}
    for socket in (one for flavour in venue.flavours for one in flavour.sockets):
        documented = socket.demo_url if is_demo else socket.base_url
        if not documented:
            continue
        url = settings.account_socket_urls[account_socket_setting(venue.name, socket.name, mode)]
        if own or url != documented:
            urls[socket.name] = url
    return urls


def _socket_session(common: Common, lasting: Sessions, venue: str, url: str) -> tuple[Session, Proxy | None]:
    proxy = proxy_to(venue, url, common.settings.proxies)
    return lasting.by(proxy), proxy
