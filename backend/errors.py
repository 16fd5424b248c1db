"""Every deliberate error of the service, named for what the caller should do.

    MarketDataError
    ├── ConfigurationError          mend a setting and start again
    ├── InvalidRequest              mend the request
    ├── Misdirected                 name the service as it is called, or have that name added to SERVER_NAMES
    ├── Unauthenticated             send a key that is known
    ├── Forbidden                   ask whoever runs the service
    ├── TooManyRequests             wait, then send fewer
    ├── NotFound                    ask for something else
    │   ├── UnknownSymbol             the exchange has no candles of it
    │   ├── SeriesNotStored           sync it first
    │   ├── UnknownJob                ask for the list of jobs
    │   └── NotFollowed               follow it first
    ├── SeriesBusy                  wait until the job under way is over, or cancel it
    ├── TooManyJobs                 try again when some are done
    ├── TooManyStreams              close some, or try again later
    ├── Cancelled                   somebody cancelled the job: ask again if it is still wanted
    ├── ExchangeError
    │   ├── ExchangeRefused           the exchange will not answer this: retrying does not help
    │   │   └── RegionBlocked           name another base URL or a proxy
    │   ├── MalformedAnswer           the exchange sent garbage: try again
    │   └── ExchangeUnavailable       try again later
    │       ├── Maintenance             try again much later
    │       └── RateLimited             try again at a known moment
    │           └── Banned                likewise, and until then send nothing at all
    ├── DatabaseUnavailable         try again later
    └── Interrupted                 the service was told to stop: try again when it is back
        └── LeaseLost                 another process works on the series now: leave it to that one

`code` is the stable word that clients may rely on; the message is a sentence for people.
HTTP statuses are the business of `web/server/base.py` alone.
"""

from __future__ import annotations

from collections.abc import Iterator


class MarketDataError(Exception):
    """Base of the tree. `code` names the kind; `retry_after` is in seconds, None when unknown."""

    code = "internal_error"

    def __init__(self, message: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.retry_after = retry_after


class ConfigurationError(MarketDataError):
    code = "invalid_configuration"


class InvalidRequest(MarketDataError):
    code = "invalid_request"


class Misdirected(MarketDataError):
    code = "unknown_host"


class Unauthenticated(MarketDataError):
    code = "missing_key"


class Forbidden(MarketDataError):
    code = "missing_scope"


class TooManyRequests(MarketDataError):
    code = "too_many_requests"


class NotFound(MarketDataError):
    code = "not_found"


class UnknownSymbol(NotFound):
    code = "unknown_symbol"


class SeriesNotStored(NotFound):
    code = "not_stored"


class UnknownJob(NotFound):
    code = "unknown_job"


class NotFollowed(NotFound):
    code = "not_followed"


class SeriesBusy(MarketDataError):
    code = "series_busy"


class TooManyJobs(MarketDataError):
    code = "too_many_jobs"


class TooManyStreams(MarketDataError):
    code = "too_many_streams"


class Cancelled(MarketDataError):
    code = "cancelled"


class ExchangeError(MarketDataError):
    code = "exchange_error"


class ExchangeRefused(ExchangeError):
    code = "exchange_refused"


class RegionBlocked(ExchangeRefused):
    code = "region_blocked"


class MalformedAnswer(ExchangeError):
    code = "malformed_answer"


class ExchangeUnavailable(ExchangeError):
    code = "exchange_unavailable"


class Maintenance(ExchangeUnavailable):
    code = "maintenance"


class RateLimited(ExchangeUnavailable):
    code = "rate_limited"


class Banned(RateLimited):
    code = "banned"


class DatabaseUnavailable(MarketDataError):
    code = "database_unavailable"


class Interrupted(MarketDataError):
    code = "interrupted"


class LeaseLost(Interrupted):
    code = "lease_lost"


def error_named(code: str, message: str, retry_after: float | None = None) -> MarketDataError:
    """The error that was written down as its code and message; MarketDataError for a code that is no more."""
    kind = next((kind for kind in _kinds(MarketDataError) if kind.code == code), MarketDataError)
    return kind(message, code=code, retry_after=retry_after)


def _kinds(kind: type[MarketDataError]) -> Iterator[type[MarketDataError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)
