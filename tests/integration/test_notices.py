"""Notices reach a webhook, a Telegram bot and a mail server, all of them real, each thing once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from backend.core.follow import Follow, Standing
from backend.core.job import Failure
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.errors import NoticeNotDelivered, RiskRefused
from backend.loops import Loops
from backend.net.notices.ways import EmailWay, TelegramWay, WebhookWay
from backend.net.rest.requester import open_session
from backend.services.notices.follow_alerts import FollowAlerts
from backend.services.notices.notices import MOST_TRIES, Notices
from backend.services.notices.ports import Way
from backend.services.orders.cancelling import Step
from backend.store.mongo import Database
from backend.store.trading.notices import MongoNotices
from backend.telemetry.metrics import Metrics
from backend.trading.notice import Notice, Topic
from backend.trading.risk import Limits
from tests.fakes import START, FakeClock
from tests.ordering import floor
from tests.simulator.private.faults import Met

TOKEN = "123456:dummy-token-of-tests"
NOTICE = Notice(id="x", topic=Topic.KILL_SWITCH, about="a", said="s", time=START, left=())


@dataclass
class People:
    """What reached whom."""

    status: int = 200
    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)

    async def post(self, request: web.Request) -> web.Response:
        if self.status == 200:
            self.posted.append((request.path, await request.json()))
        return web.Response(status=self.status)

    async def mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As much of https://www.rfc-editor.org/rfc/rfc5321 as a client needs that sends one mail."""
        writer.write(b"220 ready\r\n")
        lines: list[str] = []
        is_body = False
        while line := (await reader.readline()).decode():
            if is_body and line != ".\r\n":
                lines.append(line)
                continue
            if is_body:
                self.mails.append("".join(lines))
                is_body = False
            word = line[:4].upper().strip()
            is_body = is_body or word == "DATA"
            writer.write({"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 fine\r\n"))
            await writer.drain()
            if word == "QUIT":
                break
        writer.close()


@asynccontextmanager
async def people() -> AsyncIterator[tuple[People, str, int]]:
    """Somebody who is told, with the base URL and the port of the mail server."""
    there = People()
    application = web.Application()
    application.router.add_post("/{path:.*}", there.post)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = await asyncio.start_server(there.mail, "127.0.0.1", 0)
    try:
        yield there, f"http://127.0.0.1:{runner.addresses[0][1]}", server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()


@dataclass
class Telling:
    notices: Notices
    clock: FakeClock
    people: People
    store: MongoNotices


@asynccontextmanager
async def telling(database: Database) -> AsyncIterator[Telling]:
    clock = FakeClock(START)
    async with people() as (there, url, port), open_session(30, "the-tests/1") as session:
        store = MongoNotices(database)
        ways: dict[str, Way] = {
            "webhook": WebhookWay(f"{url}/hook", session),
            "telegram": TelegramWay(url, TOKEN, "42", session),
            "email": EmailWay(f"smtp://127.0.0.1:{port}", "service@example.com", "me@example.com"),
        }
        notices = Notices(store=store, ways=ways, clock=clock, loops=Loops(clock), metrics=Metrics())
        yield Telling(notices, clock, there, store)


async def test_a_notice_reaches_every_target_once(database: Database) -> None:
    async with telling(database) as here:
        here.notices.tell(Topic.ALARM_FAILED, "a1", "the limit is 100")
        await here.notices.deliver()
        await here.notices.deliver()
        told = dict(here.people.posted)
        assert told["/hook"] == {
            "topic": "alarm_failed",
            "title": "An alarm was not carried out",
            "text": "the limit is 100",
            "about": "a1",
            "time": told["/hook"]["time"],
            "count": 1,
        }
        assert told[f"/bot{TOKEN}/sendMessage"] == {
            "chat_id": "42",
            "text": "An alarm was not carried out\nthe limit is 100",
        }
        [mail] = here.people.mails
        assert "Subject: An alarm was not carried out" in mail
        assert "the limit is 100" in mail
        assert len(here.people.posted) == 2


async def test_what_happens_again_soon_is_counted_and_not_told_again(database: Database) -> None:
    async with telling(database) as here:
        for _ in range(3):
            here.notices.tell(Topic.ACCOUNT_TROUBLE, "a", "away")
            await here.notices.deliver()
            here.clock.advance(60)
        assert len(here.people.mails) == 1
        here.clock.advance(15 * 60)
        here.notices.tell(Topic.ACCOUNT_TROUBLE, "a", "away")
        await here.notices.deliver()
        assert len(here.people.mails) == 2


async def test_a_target_that_is_away_gets_it_later_and_the_others_only_once(database: Database) -> None:
    async with telling(database) as here:
        here.people.status = 500
        here.notices.tell(Topic.KILL_SWITCH, "a", "cancel")
        for _ in range(4):
            await here.notices.deliver()
            here.clock.advance(601)
        assert (len(here.people.mails), here.people.posted) == (1, [])
        here.people.status = 200
        await here.notices.deliver()
        assert [path for path, _ in here.people.posted] == [f"/bot{TOKEN}/sendMessage", "/hook"]
        here.clock.advance(601)
        await here.notices.deliver()
        assert (len(here.people.mails), len(here.people.posted)) == (1, 2)


async def test_nobody_is_told_for_ever(database: Database) -> None:
    async with telling(database) as here:
        here.people.status = 503
        here.notices.tell(Topic.KILL_SWITCH, "a", "cancel")
        for _ in range(MOST_TRIES + 2):
            await here.notices.deliver()
            here.clock.advance(601)
        here.people.status = 200
        await here.notices.deliver()
        assert here.people.posted == []


async def test_an_error_of_a_way_shows_no_secret() -> None:
    async with open_session(5, "the-tests/1") as session:
        for way in (
            TelegramWay("http://127.0.0.1:9", TOKEN, "42", session),
            EmailWay("smtp://user:dummy-password@127.0.0.1:9", "a@example.com", "b@example.com"),
        ):
            with pytest.raises(NoticeNotDelivered) as caught:
                await way.send("title", "text", NOTICE)
            assert "dummy" not in str(caught.value)


async def test_without_targets_nothing_is_kept(database: Database) -> None:
    clock = FakeClock(START)
    store = MongoNotices(database)
    notices = Notices(store=store, ways={}, clock=clock, loops=Loops(clock), metrics=Metrics())
    notices.tell(Topic.KILL_SWITCH, "a", "cancel")
    await notices.deliver()
    assert await database["notices"].count_documents({}) == 0


async def test_orders_alarms_and_the_kill_switch_are_told(database: Database) -> None:
    async with telling(database) as here, floor("bingx", database) as there:
        there.first.heard = here.notices.heard
        there.simulator.faults.private.placing = [Met("refuse"), Met("accept_drop")]
        refused = await there.place()
        unknown = await there.place()
        await there.first.canceller.kill(there.account.id, Step.ENTRIES, caller="test")
        await here.notices.deliver()
        told = {body["topic"]: body for path, body in here.people.posted if path == "/hook"}
        assert told.keys() == {"order_refused", "order_unknown", "kill_switch"}
        assert refused.id in told["order_refused"]["text"]
        assert told["order_unknown"]["about"] == unknown.id


async def test_limits_that_refuse_orders_are_one_notice_and_each_is_in_the_audit_trail(
    database: Database,
) -> None:
    async with telling(database) as here, floor("bingx", database) as there:
        there.first.heard = here.notices.heard
        limits = Limits(max_order_value=Decimal(100))
        await there.first.accounts.change(there.account.id, label=None, frozen=None, limits=limits)
        for _ in range(3):
            with pytest.raises(RiskRefused):
                await there.place()
        await here.notices.deliver()
        [told] = [body for path, body in here.people.posted if path == "/hook"]
        assert (told["topic"], told["about"], told["count"]) == ("risk_limit", there.account.id, 3)
        assert "the limit is 100" in told["text"]
        said = [row.outcome for _, row in await there.first.audit.list(None, None, 10)]
        assert said == ["over_limit"] * 3


async def test_follows_far_behind_are_told_with_the_reason(database: Database) -> None:
    symbols = ["BTCUSDT", "ETHUSDT", *(f"COIN{number}USDT" for number in range(6))]
    failure = Failure("exchange_unavailable", "binance cannot be reached")
    behind = [
        Standing(Follow(Series("binance", "spot", symbol), None, START, failure=failure), "failing", 0, lag)
        for lag, symbol in enumerate(symbols, 12 * MINUTE)
    ]
    fine = Standing(Follow(Series("bingx", "spot", "BTCUSDT"), None, START), "live", 0, 9 * MINUTE)
    standings: list[Standing] = [fine]

    async def follows() -> Sequence[Standing]:
        return standings

    async with telling(database) as here:
        alerts = FollowAlerts(
            follows=follows, tell=here.notices.tell, clock=here.clock, loops=Loops(here.clock)
        )
        await alerts.look()
        await here.notices.deliver()
        assert here.people.posted == []
        standings += behind
        await alerts.look()
        await here.notices.deliver()
        [told] = [body for path, body in here.people.posted if path == "/hook"]
        assert told["topic"] == "follow_behind"
        assert "COIN5USDT (binance spot) by 12 minutes: binance cannot be reached" in told["text"]
        assert told["text"].endswith("; and 3 more")


async def test_a_password_is_never_sent_without_tls() -> None:
    """The server offers no STARTTLS: a way with a password does not deliver, and says why without it."""
    async with people() as (there, _, port):
        way = EmailWay(f"smtp://me:dummy-password@127.0.0.1:{port}", "a@example.com", "b@example.com")
        with pytest.raises(NoticeNotDelivered) as caught:
            await way.send("title", "text", NOTICE)
        assert (there.mails, "dummy" in str(caught.value)) == ([], False)
        way = EmailWay(f"smtps://127.0.0.1:{port}", "a@example.com", "b@example.com")
        with pytest.raises(NoticeNotDelivered):
            await way.send("title", "text", NOTICE)
