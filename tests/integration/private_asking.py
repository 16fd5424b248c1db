"""Asks a simulated venue as an account, by the values of `backend/exchanges/*/account`, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import aiohttp
from yarl import URL

from backend.exchanges.base import Answer, Request, Sign
from backend.exchanges.bingx.account import ACCOUNT, BINGX_ACCOUNT
from backend.exchanges.bitget.account import BITGET_ACCOUNT, CLASSIC, UNIFIED
from backend.exchanges.extended.account import ACCOUNT as EXTENDED
from backend.exchanges.extended.account import EXTENDED_ACCOUNT
from backend.exchanges.private.venue import Call, Flavour, PrivateVenue, Stream
from backend.trading.account_keys import Keys
from backend.trading.rows import Page, Product, Wanted
from tests.book_rows import Venue
from tests.simulator.private.running import DEMO_STARK_KEYS, STARK_KEYS, PrivateSimulator

Said = TypeVar("Said")

VALUES: dict[Venue, tuple[PrivateVenue, Flavour]] = {
    "classic": (BITGET_ACCOUNT, CLASSIC),
    "unified": (BITGET_ACCOUNT, UNIFIED),
    "bingx": (BINGX_ACCOUNT, ACCOUNT),
    "extended": (EXTENDED_ACCOUNT, EXTENDED),
}


@dataclass(frozen=True, slots=True)
class Client:
    """One account at one venue."""

    simulator: PrivateSimulator
    session: aiohttp.ClientSession
    venue: PrivateVenue
    flavour: Flavour
    keys: Keys
    sign: Sign
    url: str

    async def answer(self, call: Call[object], *, late: int = 0) -> Answer:
        """The answer to a question that was signed `late` ms ago."""
        signed = self.sign(call.request, self.simulator.clock.now() - late)
        target = URL(self.url + signed.target, encoded=True)
        async with self.session.request(call.request.method, target, headers=signed.headers) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, await response.read())

    async def raw(self, path: str, **params: object) -> Any:
        """The JSON of a path's answer, for what the values of the accounts do not ask."""
        said = {name: str(value) for name, value in params.items()}
        return json.loads((await self.answer(Call(Request(path, said), _nothing))).body)

    async def ask(self, call: Call[Said]) -> Said:
        """What an answer tells; raises what a refusal means."""
        answer = await self.answer(call)
        if failure := self.venue.failure(self.keys)(answer):
            raise failure
        return call.parse(answer)

    async def pages(self, stream: Stream[Said], wanted: Wanted) -> list[Said]:
        """The rows of a window, page after page, or by halves of the time where pages do not go on."""
        rows: list[Said] = []
        cursor: str | None = ""
        while cursor is not None:
            page: Page[Said] = await self.ask(stream.ask(replace(wanted, cursor=cursor)))
            if page.full:
                middle = (wanted.start + wanted.end) // 2
                assert wanted.start < middle, "more rows in a ms than a page can hold"
                halves = replace(wanted, end=middle), replace(wanted, start=middle)
                return [row for half in halves for row in await self.pages(stream, half)]
            rows += page.rows
            cursor = page.cursor
        return rows

    async def history(
        self,
        stream: Stream[Said],
        product: Product,
        start: int,
        end: int,
        *,
        symbol: str = "",
        order_id: str = "",
    ) -> list[Said]:
        """The rows of [start, end), cut in windows as long as the venue allows."""
        rows: list[Said] = []
        while start < end:
            until = min(start + stream.span, end)
            for part in range(stream.parts):
                wanted = Wanted(
                    product=product, start=start, end=until, symbol=symbol, order_id=order_id, part=part
                )
                rows += await self.pages(stream, wanted)
            start = until
        return rows


def _nothing(_answer: Answer) -> None:
    """The reading of an answer that is read elsewhere."""


@asynccontextmanager
async def client(
    simulator: PrivateSimulator, name: Venue, *, demo: bool = False, keys: Keys | None = None
) -> AsyncIterator[Client]:
    """A client of the simulator's account, or of its demo account."""
    venue, flavour = VALUES[name]
    own = keys or Keys(*(simulator.demo_keys if demo else simulator.keys))
    url = simulator.bingx_demo_url if demo and name == "bingx" else simulator.url
    if name == "extended":
        own = keys or Keys(*(DEMO_STARK_KEYS if demo else STARK_KEYS))
        url = simulator.extended_demo_url if demo else simulator.extended_url
    sign = (venue.sign_demo if demo else venue.sign)(own)
    async with aiohttp.ClientSession() as session:
        yield Client(simulator, session, venue, flavour, own, sign, url)
