"""Sends requests to a venue: throttled, bounded in time and size, repeated if that helps and is allowed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TypeAlias, TypeVar

import aiohttp
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)
from yarl import URL

from backend.clock import Clock
from backend.core.proxy import Proxy
from backend.errors import Banned, ExchangeUnavailable, MalformedAnswer, MarketDataError, RateLimited
from backend.exchanges.base import Answer, Budget, Request
from backend.net.proxies import reaching, way
from backend.net.rest.account_budget import PATIENCE
from backend.net.rest.attempts import counted_attempt
from backend.net.rest.throttle import Throttle, sane_wait
from backend.telemetry.metrics import Metrics
from backend.telemetry.traffic import current_traffic

log = logging.getLogger(__name__)

Parsed = TypeVar("Parsed")
Session: TypeAlias = aiohttp.ClientSession
Turn: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]

ATTEMPTS = 5
LARGEST_ANSWER = 64 * 1024 * 1024

LEAST_WAIT = 0.001
"""A shorter time for a place in the budget does not count as a wait (seconds)."""


def open_session(timeout: float, user_agent: str, proxy: Proxy | None = None) -> Session:
    """Connections to exchanges; no answer may take longer than `timeout` seconds, a proxy's part included.

    By itself aiohttp sends a GET, PUT or DELETE again when the connection breaks before the answer: nobody
    counts it, and an order might be changed twice. Here only who knows the request sends it again.
    """
    limit = aiohttp.ClientTimeout(total=timeout)
    session = Session(timeout=limit, headers={"User-Agent": user_agent}, **way(proxy))
    session._retry_connection = False  # there is no public way; tests/unit/test_requester.py holds it to that
    return session


def helps_to_retry(error: BaseException) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, Banned) or not isinstance(error, ExchangeUnavailable | MalformedAnswer):
        return False
    return (error.retry_after or 0) <= PATIENCE


class Requester:
    """Everything that calls to one market of a venue share. With an `account` its own budgets count too."""

    def __init__(
        self,
        *,
        venue: str,
        market: str,
        base_url: str,
        session: Session,
        budget: Budget,
        throttle: Throttle,
        failure: Callable[[Answer], MarketDataError | None],
        clock: Clock,
        metrics: Metrics,
        proxy: Proxy | None = None,
        account: str | None = None,
        venue_now: Callable[[], int] | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._venue = venue
        self._market = market
        self._base_url = base_url
        self._session = session
        self._budget = budget
        self._throttle = throttle
        self._failure = failure
        self._clock = clock
        self._metrics = metrics
        self._proxy = proxy
        self._account = account
        self._venue_now = venue_now or clock.now
        self._attempts = attempts

    async def ask(
        self, request: Request, parse: Callable[[Answer], Parsed], turn: Turn = nullcontext
    ) -> Parsed:
        """The parsed answer. Raises the meaning of the venue's answer if it is not a success. It is parsed
        in its `turn`.

        A repeatable request is sent again while that helps. Any other request is sent once. If no answer
        comes, the caller must find out the result by asking, never by sending again.
        """
        if not request.may_be_repeated:
            return await self.ask_once(request, parse, turn)
        retrying = AsyncRetrying(
            retry=retry_if_exception(helps_to_retry),
            stop=stop_after_attempt(self._attempts),
            wait=wait_exponential_jitter(multiplier=0.25, max=8, jitter=0.25),
            before_sleep=self._log_retry,
            sleep=self._clock.sleep,
            reraise=True,
        )
        return await retrying(self.ask_once, request, parse, turn)

    async def ask_once(
        self, request: Request, parse: Callable[[Answer], Parsed], turn: Turn = nullcontext
    ) -> Parsed:
        """The same in one attempt."""
        await self._wait_for_budget(request)
        current_traffic().requests += 1
        with counted_attempt(self._metrics, self._venue, self._market, self._clock) as attempt:
            answer = await self._send(request)
            attempt.status = str(answer.status)
            async with turn():
                return self._judged(answer, parse, self._failure)

    async def send(
        self,
        request: Request,
        parse: Callable[[Answer], Parsed],
        *,
        before: Callable[[int], Awaitable[None]],
        failure: Callable[[Answer], MarketDataError | None],
    ) -> Parsed:
        """Send a request that changes something, once. No byte leaves until `before` has returned: it gets
        the time (ms, by the venue's clock) with which the request is signed. `failure` judges the answer."""
        await self._wait_for_budget(request)
        moment = self._venue_now()
        await before(moment)
        current_traffic().requests += 1
        with counted_attempt(self._metrics, self._venue, self._market, self._clock) as attempt:
            answer = await self._send(request, moment)
            attempt.status = str(answer.status)
            return self._judged(answer, parse, failure)

    def _judged(
        self,
        answer: Answer,
        parse: Callable[[Answer], Parsed],
        failure_of: Callable[[Answer], MarketDataError | None],
    ) -> Parsed:
        self._throttle.learn(self._budget.used(answer.headers), self._account)
        failure = failure_of(answer)
        if failure is None:
            return parse(answer)
        failure.retry_after = sane_wait(failure)
        if isinstance(failure, RateLimited):
            self._throttle.block(failure, self._account)
        raise failure

    async def _wait_for_budget(self, request: Request) -> None:
        before = self._clock.monotonic()
        await self._throttle.acquire(request.cost, self._account, urgent=request.urgent)
        if (waited := self._clock.monotonic() - before) > LEAST_WAIT:
            traffic = current_traffic()
            traffic.waits += 1
            traffic.waited += waited
            self._metrics.waited(self._budget.name, waited)

    async def _send(self, request: Request, moment: int | None = None) -> Answer:
        with reaching(self._venue, self._proxy):
            async with self._sent(request, moment) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, headers, await self._read(response))

    def _sent(self, request: Request, moment: int | None) -> aiohttp.client._RequestContextManager:
        """A signed request is sent exactly as signed, with the venue's present time unless one is given."""
        if request.sign is None:
            url = self._base_url + request.path
            return self._session.request(
                request.method, url, params=request.params, data=request.body or None, allow_redirects=False
            )
        signed = request.sign(request, self._venue_now() if moment is None else moment)
        return self._session.request(
            request.method,
            URL(self._base_url + signed.target, encoded=True),
            headers=signed.headers,
            data=signed.body or None,
            allow_redirects=False,
        )

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise MalformedAnswer(f"{self._venue} sent an answer of over {LARGEST_ANSWER} bytes")
        return bytes(body)

    def _log_retry(self, state: RetryCallState) -> None:
        current_traffic().retries += 1
        error = state.outcome.exception() if state.outcome else None
        log.info("%s: attempt %d of the request failed: %s", self._venue, state.attempt_number, error)
