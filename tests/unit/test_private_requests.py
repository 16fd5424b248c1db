"""Private questions over real HTTP: the server checks each signature over the bytes that came."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

import pytest

from backend.core.windows import DAY, MINUTE
from backend.errors import KeysRefused, ModeRefused, OrderAbsent, OutcomeUnknown
from backend.exchanges.base import Sign
from backend.exchanges.bingx.account import BINGX_ACCOUNT
from backend.exchanges.bitget.account import BITGET_ACCOUNT
from backend.exchanges.private.venue import Call, Flavour, PrivateVenue
from backend.net.rest.requester import Requester, open_session
from backend.net.rest.throttle import Throttle
from backend.telemetry.metrics import Metrics
from backend.trading.intents import has_never_arrived
from backend.trading.rows import Product, Wanted
from tests.fakes import FakeClock
from tests.private import KEYS, shown

NOW = 1_767_225_600_000
WANTED = Wanted(product=Product.PERPETUAL_USDT, start=NOW - DAY, end=NOW, cursor="12")


def digest(text: str) -> bytes:
    return hmac.new(KEYS.secret.encode(), text.encode(), hashlib.sha256).digest()


def bitget_signs(line: str, headers: Mapping[str, str]) -> bool:
    """Whether the request line was signed as Bitget wants it."""
    method, target, _ = line.split(" ")
    text = f"{headers['access-timestamp']}{method}{unquote(target)}"
    right = base64.b64encode(digest(text)).decode() == headers["access-sign"]
    return right and headers["access-passphrase"] == KEYS.passphrase


def bingx_signs(line: str, headers: Mapping[str, str]) -> bool:
    """Whether the request line was signed as BingX wants it: over the decoded query, as it came."""
    query = line.split(" ")[1].partition("?")[2]
    text, _, sign = query.rpartition("&signature=")
    return digest(unquote(text)).hex() == sign and headers["x-bx-apikey"] == KEYS.key


@dataclass
class Venue:
    """Refuses what is signed wrongly, and what `answers` has no answer for; counts what came."""

    signs: Callable[[str, Mapping[str, str]], bool]
    wrong: object
    otherwise: object
    answers: Mapping[str, object]
    lines: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        self.lines.append(head[0])
        self.headers.append(headers)
        path = head[0].split(" ")[1].partition("?")[0]
        said = self.answers.get(path, self.otherwise) if self.signs(head[0], headers) else self.wrong
        body = json.dumps(said).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def asking(venue: PrivateVenue, server: Venue) -> AsyncIterator[Requester]:
    clock = FakeClock()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening, open_session(5.0, "the-tests/1") as session:
        throttle = Throttle(venue.budget.limits, 1.0, clock)
        throttle.open_account("mine", venue.limits)
        yield Requester(
            venue=venue.name,
            market="account",
            base_url=f"http://127.0.0.1:{port}",
            session=session,
            budget=venue.budget,
            throttle=throttle,
            failure=venue.failure(KEYS),
            clock=clock,
            metrics=Metrics(),
            account="mine",
            venue_now=lambda: NOW,
        )


async def told_flavour(requester: Requester, venue: PrivateVenue, sign: Sign) -> Flavour | None:
    """The kind of an account, by asking."""
    for flavour in venue.flavours:
        try:
            await requester.ask(flavour.probe.signed(sign), flavour.probe.parse)
        except ModeRefused:
            continue
        return flavour
    return None


def bitget(answers: Mapping[str, object]) -> Venue:
    wrong = {"code": "40009", "msg": f"sign signature error {KEYS.key}"}
    return Venue(bitget_signs, wrong, {"code": "40085", "msg": "another kind of account"}, answers)


@pytest.mark.parametrize(
    ("path", "data", "name"),
    [
        ("/api/v3/account/assets", {"assets": []}, "unified"),
        ("/api/v2/mix/account/accounts", [], "classic"),
        ("/api/v2/other", [], None),
    ],
)
async def test_a_bitget_account_tells_its_kind_by_what_it_refuses(
    path: str, data: object, name: str | None
) -> None:
    server = bitget({path: {"code": "00000", "data": data}})
    async with asking(BITGET_ACCOUNT, server) as requester:
        flavour = await told_flavour(requester, BITGET_ACCOUNT, BITGET_ACCOUNT.sign(KEYS))
    assert (flavour.name if flavour else None) == name


@pytest.mark.parametrize("flavour", BITGET_ACCOUNT.flavours, ids=lambda flavour: flavour.name)
async def test_what_bitget_gets_is_what_was_signed_to_the_letter(flavour: Flavour) -> None:
    call: Call[object] = flavour.orders[WANTED.product].ask(WANTED)
    data: dict[str, object] = {"list": [], "entrustedList": []}
    server = bitget({call.request.path: {"code": "00000", "data": data}})
    sign = BITGET_ACCOUNT.sign_demo(KEYS)
    async with asking(BITGET_ACCOUNT, server) as requester:
        await requester.ask(call.signed(sign), call.parse)
    assert server.lines == [f"GET {sign(call.request, NOW).target} HTTP/1.1"]
    assert server.headers[0]["paptrading"] == "1"


async def test_what_bingx_gets_is_what_was_signed_to_the_letter() -> None:
    (flavour,) = BINGX_ACCOUNT.flavours
    call = flavour.orders[WANTED.product].ask(WANTED)
    answers = {call.request.path: {"code": 0, "data": {"orders": None}}}
    server = Venue(bingx_signs, {"code": 100001, "msg": "Signature verification failed"}, {}, answers)
    sign = BINGX_ACCOUNT.sign(KEYS)
    async with asking(BINGX_ACCOUNT, server) as requester:
        page = await requester.ask(call.signed(sign), call.parse)
    assert page.rows == ()
    assert server.lines == [f"GET {sign(call.request, NOW).target} HTTP/1.1"]


@pytest.mark.parametrize("flavour", BITGET_ACCOUNT.flavours, ids=lambda flavour: flavour.name)
async def test_an_order_never_arrived_when_the_venue_twice_says_so_late_enough(flavour: Flavour) -> None:
    call = flavour.order(WANTED.product, "BTCUSDT", "mine-1")
    server = bitget({call.request.path: {"code": "43001", "msg": "The order does not exist"}})
    last_moment = BITGET_ACCOUNT.acceptance.last_moment(NOW - MINUTE)
    absent: list[int] = []
    async with asking(BITGET_ACCOUNT, server) as requester:
        for moment in (NOW, last_moment + 1, last_moment + 2):
            with pytest.raises(OrderAbsent):
                await requester.ask(call.signed(BITGET_ACCOUNT.sign(KEYS)), call.parse)
            absent.append(moment)
            assert has_never_arrived(last_moment, absent) == (moment == last_moment + 2)


async def test_keys_are_shown_by_no_error_traceback_or_log(caplog: pytest.LogCaptureFixture) -> None:
    """Even where the venue says them again, and whatever the libraries log."""
    caplog.set_level(logging.DEBUG)
    call = BITGET_ACCOUNT.flavours[0].probe
    server = Venue(lambda *_: False, {"code": "40037", "msg": f"no key {KEYS.key} {KEYS.secret}"}, {}, {})
    async with asking(BITGET_ACCOUNT, server) as requester:
        with pytest.raises(KeysRefused) as refused:
            await requester.ask(call.signed(BITGET_ACCOUNT.sign(KEYS)), call.parse)
    assert "40037" in str(refused.value)
    told = "".join(traceback.format_exception(refused.value))
    assert not shown(told + caplog.text + repr(refused.value))
    assert shown(str(server.headers))  # they did travel
    assert len(server.lines) == 1  # what the keys may not do is not asked again


async def test_keys_are_shown_by_no_log_of_what_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    call = BINGX_ACCOUNT.flavours[0].probe
    server = Venue(lambda *_: False, {"code": 101500, "msg": f"busy {KEYS.key}"}, {}, {})
    async with asking(BINGX_ACCOUNT, server) as requester:
        with pytest.raises(OutcomeUnknown):
            await requester.ask(call.signed(BINGX_ACCOUNT.sign(KEYS)), call.parse)
    assert len(server.lines) > 1
    assert "101500" in caplog.text
    assert not shown(caplog.text)
