"""Starts the background tasks that the role of this process needs."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress

from backend.app.common import cancel
from backend.errors import DatabaseUnavailable
from backend.services.running.fleet import WORK_WEIGHT, Fleet, Role
from backend.services.service import Service

GRACE_SECONDS = 6.0
"""Seconds that running work has to finish when the process must stop."""


async def start(service: Service, role: Role, fleet: Fleet, stack: AsyncExitStack) -> None:
    """What starts last ends first: first the sources of candles end, then the code that stores them, then
    jobs and the announcements to other processes."""
    following, streaming, worker = service.following, service.streaming, service.jobs.worker
    if await _enrol(role, fleet, stack):
        worker.start()
        stack.push_async_callback(worker.stop, GRACE_SECONDS)
        if role != "command":
            following.appender.start(following.keeper.hurry)
            stack.push_async_callback(following.appender.stop)
            following.keeper.start()
            stack.push_async_callback(following.keeper.stop, GRACE_SECONDS)
            if service.telling.notices.is_on:
                service.telling.notices.start()
                stack.push_async_callback(service.telling.notices.stop)
                service.telling.follow_alerts.start()
                stack.push_async_callback(service.telling.follow_alerts.stop)
            if service.trading is not None:
                service.trading.extractions.start()
                stack.push_async_callback(service.trading.extractions.stop)
                service.trading.orders.watch.start()
                stack.push_async_callback(service.trading.orders.watch.stop)
                service.trading.orders.twaps.start()
                stack.push_async_callback(service.trading.orders.twaps.stop)
                service.trading.orders.triggers.start()
                stack.push_async_callback(service.trading.orders.triggers.stop)
                service.trading.watch.start()
                stack.push_async_callback(service.trading.watch.stop)
                if service.trading.watch.is_on:
                    service.trading.listening.start()
                    stack.push_async_callback(service.trading.listening.stop)
                service.trading.alarms.runner.start()
                stack.push_async_callback(service.trading.alarms.runner.stop)
                service.trading.alarms.replays.start()
                stack.push_async_callback(service.trading.alarms.replays.stop)
                service.trading.paper.start()
                stack.push_async_callback(service.trading.paper.stop)
    streaming.live.start(following.appender.add, following.confirmer.ended)
    stack.push_async_callback(following.confirmer.stop)
    stack.push_async_callback(streaming.live.stop)
    if role in ("all", "api"):
        service.reading.catalogue.start()
        stack.push_async_callback(service.reading.catalogue.stop)
        service.changes.start()
        stack.push_async_callback(service.changes.stop)
    streaming.ledger_watch.start()
    stack.push_async_callback(streaming.ledger_watch.stop)


async def _enrol(role: Role, fleet: Fleet, stack: AsyncExitStack) -> bool:
    """Announce this process to the others that share the database. Returns whether it must run jobs."""
    works = role != "api"
    with suppress(DatabaseUnavailable):
        others = await fleet.join()
        if role in ("command", "follow"):
            works = not any(one.works for one in others)
        if role == "command" and works:
            await fleet.join(WORK_WEIGHT)
        if role == "follow" and works:
            await fleet.become("worker")
    stack.push_async_callback(fleet.leave)
    stack.push_async_callback(cancel, fleet.stay())
    return works
