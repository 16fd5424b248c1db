"""Talks to one market of one exchange: throttled, bounded in time and size, retried where that helps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

import aiohttp
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from backend.clock import Clock
from backend.core.candles import Candle
from backend.core.coverage import Window
from backend.errors import Banned, ExchangeUnavailable, MalformedAnswer, RateLimited
from backend.exchanges.base import Answer, Market, Request
from backend.net.throttle import PATIENCE, Throttle

log = logging.getLogger(__name__)

Parsed = TypeVar("Parsed")
Session: TypeAlias = aiohttp.ClientSession

ATTEMPTS = 5
LARGEST_ANSWER = 64 * 1024 * 1024
CLOCK_READING_LASTS = 600.0
"""Seconds for which one reading of the exchange's clock is carried forward by the monotonic clock."""


def open_session(timeout: float, user_agent: str) -> Session:
    """Connections to exchanges; no answer may take longer than `timeout` seconds."""
    return Session(timeout=aiohttp.ClientTimeout(total=timeout), headers={"User-Agent": user_agent})


def helps_to_retry(error: BaseException) -> bool:
    """Whether the same request may well succeed a little later."""
    if isinstance(error, Banned) or not isinstance(error, ExchangeUnavailable | MalformedAnswer):
        return False
    return (error.retry_after or 0) <= PATIENCE


class MarketClient:
    """Fits `services.ports.CandleSource`."""

    def __init__(
        self,
        exchange: str,
        market: Market,
        base_url: str,
        session: Session,
        throttle: Throttle,
        clock: Clock,
    ) -> None:
        self._exchange = exchange
        self._market = market
        self._base_url = base_url
        self._session = session
        self._throttle = throttle
        self._clock = clock
        self._read_at: float | None = None
        self._reading = 0

    @property
    def page_size(self) -> int:
        return self._market.page_size

    async def candles(self, symbol: str, window: Window) -> Sequence[Candle]:
        """What the exchange sends for `window`, untouched. Raises ExchangeError or UnknownSymbol."""
        return await self._ask(self._market.candles_request(symbol, window), self._market.parse_candles)

    async def first_candle(self, symbol: str) -> int | None:
        """Open time of the oldest candle that the exchange has, None if it has none. Raises as `candles`."""
        rows = await self._ask(self._market.first_candle_request(symbol), self._market.parse_candles)
        return min((row.open_time for row in rows), default=None)

    async def now(self) -> int:
        """The exchange's time in ms, never ahead of it: read at times, carried on by a steady clock."""
        if self._read_at is None or self._clock.monotonic() - self._read_at > CLOCK_READING_LASTS:
            self._reading = await self._ask(self._market.time_request, self._market.parse_time)
            self._read_at = self._clock.monotonic()
        return self._reading + int((self._clock.monotonic() - self._read_at) * 1000)

    async def _ask(self, request: Request, parse: Callable[[bytes], Parsed]) -> Parsed:
        retrying = AsyncRetrying(
            retry=retry_if_exception(helps_to_retry),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=0.25, max=8, jitter=0.25),
            before_sleep=self._log_retry,
            sleep=self._clock.sleep,
            reraise=True,
        )
        return await retrying(self._attempt, request, parse)

    async def _attempt(self, request: Request, parse: Callable[[bytes], Parsed]) -> Parsed:
        await self._throttle.acquire(request.cost)
        answer = await self._send(request)
        self._throttle.learn(self._market.budget.used(answer.headers))
        failure = self._market.failure(answer)
        if failure is None:
            return parse(answer.body)
        if isinstance(failure, RateLimited):
            self._throttle.block(failure)
        raise failure

    async def _send(self, request: Request) -> Answer:
        try:
            async with self._session.get(
                self._base_url + request.path, params=request.params, allow_redirects=False
            ) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, headers, await self._read(response))
        except TimeoutError as error:
            raise ExchangeUnavailable(f"{self._exchange} did not answer in time") from error
        except aiohttp.ClientError as error:
            raise ExchangeUnavailable(f"{self._exchange} cannot be reached: {error}") from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise MalformedAnswer(f"{self._exchange} sent an answer of over {LARGEST_ANSWER} bytes")
        return bytes(body)

    def _log_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.info("%s: attempt %d failed: %s", self._exchange, state.attempt_number, error)
