"""Builds what tells people."""

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
from backend.services.notices.follow_alerts import FollowAlerts
from backend.services.notices.notices import Notices
from backend.services.notices.ports import Way
from backend.services.service import Following, Telling


async def build_telling(
    common: Common, stores: Stores, following: Following, stack: AsyncExitStack
) -> Telling:
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
    notices = Notices(
        store=stores.notices, ways=ways, clock=common.clock, loops=common.loops, metrics=common.metrics
    )
    alerts = FollowAlerts(
        follows=following.follows.all, tell=notices.tell, clock=common.clock, loops=common.loops
    )
    return Telling(notices=notices, follow_alerts=alerts)
