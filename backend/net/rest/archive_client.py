"""Downloads files of Binance's public archive: bounded in time and size, checksum verified, rows checked."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from backend.clock import Clock
from backend.core.archive_file import ArchiveFile, BadZip, only_text
from backend.core.archive_rows import BadRow, candles_of
from backend.core.candles import Candle
from backend.core.proxy import Proxy
from backend.core.series import PRICES_ONLY
from backend.core.windows import Spans
from backend.errors import ExchangeRefused, ExchangeUnavailable, MalformedAnswer, RateLimited
from backend.exchanges.binance.archive import CHECKSUM, checksum_of, files_for
from backend.net.proxies import reaching
from backend.net.rest.attempts import Attempt, counted_attempt
from backend.net.rest.requester import Session, helps_to_retry
from backend.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

NAME = "binance-archive"
ATTEMPTS = 3
DOWNLOAD_SECONDS = 120.0
LARGEST_FILE = 32 * 1024 * 1024
"""Largest zip, in bytes. A month of minutes has about three million."""

LARGEST_CHECKSUM = 1024


class ArchiveClient:
    """The archive of one market. Fits `services.ports.CandleArchive`.

    `silence` is the longest time without data from the archive, in seconds.
    """

    def __init__(
        self,
        *,
        market: str,
        base_url: str,
        session: Session,
        clock: Clock,
        silence: float,
        metrics: Metrics,
        proxy: Proxy | None = None,
    ) -> None:
        self._market = market
        self._base_url = base_url
        self._session = session
        self._proxy = proxy
        self._clock = clock
        self._metrics = metrics
        self._reading = asyncio.Lock()
        self._timeout = aiohttp.ClientTimeout(total=DOWNLOAD_SECONDS, sock_connect=silence, sock_read=silence)

    def files(self, symbol: str, missing: Spans, now: int) -> Sequence[ArchiveFile]:
        """Whole months and days that are missing and published."""
        return files_for(self._market, symbol, missing, now)

    async def has(self, file: ArchiveFile) -> bool:
        """Whether the file is there (yet), by its checksum, in one attempt. Raises ExchangeError."""
        return await self._download(file.path + CHECKSUM, LARGEST_CHECKSUM) is not None

    async def candles(self, file: ArchiveFile) -> Sequence[Candle] | None:
        """The file's candles; None if it is not there. Raises MalformedAnswer, ExchangeUnavailable.

        Only one file is unzipped and parsed at a time: two would share the interpreter and use twice the
        memory.
        """
        body = await self._verified(file)
        if body is None:
            return None
        async with self._reading:
            return await asyncio.to_thread(_candles, file, body, self._market in PRICES_ONLY)

    async def _verified(self, file: ArchiveFile) -> bytes | None:
        """The published zip with a right checksum; None if the zip or its checksum does not exist."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(helps_to_retry),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=0.25, max=8, jitter=0.25),
            sleep=self._clock.sleep,
            reraise=True,
        )
        return await retrying(self._attempt, file)

    async def _attempt(self, file: ArchiveFile) -> bytes | None:
        checksum = await self._download(file.path + CHECKSUM, LARGEST_CHECKSUM)
        if checksum is None:
            return None
        expected = checksum_of(checksum, file.name)
        if expected is None:
            raise MalformedAnswer(f"{file.name}{CHECKSUM} has no checksum of it")
        body = await self._download(file.path, LARGEST_FILE)
        if body is not None and await asyncio.to_thread(_digest, body) != expected:
            raise MalformedAnswer(f"{file.name} does not have the checksum that {file.name}{CHECKSUM} gives")
        return body

    async def _download(self, path: str, largest: int) -> bytes | None:
        with counted_attempt(self._metrics, NAME, self._market, self._clock) as attempt:
            return await self._get(attempt, path, largest)

    async def _get(self, attempt: Attempt, path: str, largest: int) -> bytes | None:
        with reaching("the archive", self._proxy):
            async with self._session.get(
                f"{self._base_url}/{path}", timeout=self._timeout, allow_redirects=False
            ) as response:
                attempt.status = str(response.status)
                if response.status == 404:
                    return None
                _refuse(response.status, path)
                return await _bounded(response, path, largest)


def _refuse(status: int, path: str) -> None:
    if status == 200:
        return
    message = f"the archive answered {status} to {path}"
    if status in (403, 429):
        raise RateLimited(message)
    raise ExchangeUnavailable(message) if status >= 500 else ExchangeRefused(message)


async def _bounded(response: aiohttp.ClientResponse, path: str, largest: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > largest:
            raise MalformedAnswer(f"{path} has over {largest} bytes")
    return bytes(body)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _candles(file: ArchiveFile, body: bytes, prices_only: bool) -> list[Candle]:
    try:
        member, text = only_text(body, file.member)
        return candles_of(f"{file.name}: {member}", text, file.window, prices_only=prices_only)
    except BadZip as error:
        raise MalformedAnswer(f"{file.name}: {error}") from error
    except BadRow as error:
        raise MalformedAnswer(str(error)) from error
