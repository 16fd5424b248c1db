"""Every deliberate error of the service: its code, its HTTP status and what the caller should do.

A class inherits its status. `code` is stable, and clients may rely on it. An error may have one of its
class's `narrower` codes instead. `about` is the sentence of a code in docs/reference/errors.md (`make docs`);
every code that a client can get has one. The message of an error is a sentence for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import ClassVar


class MarketDataError(Exception):
    """Base of the tree. `retry_after` is in seconds, None when unknown."""

    code = "internal_error"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    about = "A fault of the service: please report it."
    narrower: ClassVar[Mapping[str, str]] = {}

    def __init__(self, message: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.retry_after = retry_after


class ConfigurationError(MarketDataError):
    code = "invalid_configuration"
    about = ""


class InvalidRequest(MarketDataError):
    code = "invalid_request"
    status = HTTPStatus.BAD_REQUEST
    about = "The request cannot be read, or cannot be right: the message says what is accepted."
    narrower: ClassVar[Mapping[str, str]] = {
        "invalid_symbol": "`symbol` is not a valid symbol.",
        "unknown_exchange": "The service does not know this exchange.",
        "unknown_market": "The exchange has no such market.",
        "missing_time": "`refresh` needs `start_time` and `end_time`.",
        "invalid_time": "A time is neither Unix milliseconds nor ISO-8601.",
        "invalid_time_range": "The start is after the end, or no minute opens between them.",
        "contradictory_parameters": "Two parameters exclude each other.",
        "unknown_interval": "`interval` is not a known interval: the message lists all intervals.",
        "unknown_field": "`fields` contains an unknown name, or the same name twice.",
        "unknown_venue": "There are no accounts at this exchange.",
        "unknown_stage": "An extraction has no stage of this name: the message lists its stages.",
        "not_a_paper_account": "A test runs on a paper account: name one with `account`.",
        "watch_off": "Nobody watches accounts here: set `ACCOUNT_WATCH_SECONDS` above 0.",
        "invalid_idempotency_key": "`Idempotency-Key` has a wrong value: the message says which are valid.",
        "invalid_order": "The market's rules do not allow this order: the message says which one.",
        "missing_account": "There are several accounts, or none: choose one with `account`.",
        "too_many_follows": "The number of follows would exceed the limit: unfollow some series first.",
        "forming_unavailable": "This service receives no pushed candles of the series: leave `forming` out.",
        "unknown_parameter": "The route has no parameter of this name: the message lists its parameters.",
        "repeated_parameter": "A parameter appears more than once.",
        "invalid_json": "The body is not a JSON object.",
    }


class Misdirected(MarketDataError):
    code = "unknown_host"
    status = HTTPStatus.MISDIRECTED_REQUEST
    about = "`Host` is not a name of this service: use another name, or add yours to `SERVER_NAMES`."


class Unauthenticated(MarketDataError):
    code = "missing_key"
    status = HTTPStatus.UNAUTHORIZED
    about = "Send a key."
    narrower: ClassVar[Mapping[str, str]] = {
        "invalid_key": "The service does not know this key.",
    }


class Forbidden(MarketDataError):
    code = "missing_scope"
    status = HTTPStatus.FORBIDDEN
    about = "The key does not have the right for this request."
    narrower: ClassVar[Mapping[str, str]] = {
        "address_not_allowed": "The service accepts no requests from this address: see `ALLOWED_NETWORKS`.",
        "foreign_origin": "Web pages of this origin may not send this request: see `CORS_ORIGINS`.",
    }


class TooManyRequests(MarketDataError):
    code = "too_many_requests"
    status = HTTPStatus.TOO_MANY_REQUESTS
    about = "Wait, then send fewer requests."
    narrower: ClassVar[Mapping[str, str]] = {
        "too_many_attempts": "Your address tried too many keys: wait, then type the right key.",
    }


class NotFound(MarketDataError):
    code = "not_found"
    status = HTTPStatus.NOT_FOUND
    about = ""


class UnknownSymbol(NotFound):
    code = "unknown_symbol"
    about = "The exchange has no candles of this symbol."


class SeriesNotStored(NotFound):
    code = "not_stored"
    about = "Nothing is stored of this series: sync it first."


class UnknownJob(NotFound):
    code = "unknown_job"
    about = "No job has this id: see the list of jobs."


class UnknownAccount(NotFound):
    code = "unknown_account"
    about = "No account has this id: see the list of accounts."


class UnknownExtraction(NotFound):
    code = "unknown_extraction"
    about = "No extraction has this id: ask for the list of extractions."


class UnknownOrder(NotFound):
    code = "unknown_order"
    about = "The service has placed no order with this id."


class UnknownStrategy(NotFound):
    code = "unknown_strategy"
    about = "There is no strategy with this name."


class UnknownAlarm(NotFound):
    code = "unknown_alarm"
    about = "There is no alarm with this id."


class UnknownReplay(NotFound):
    code = "unknown_replay"
    about = "There is no replay with this id."


class UnknownTrigger(NotFound):
    code = "unknown_trigger"
    about = "The service has no trigger order with this id."


class UnknownTwap(NotFound):
    code = "unknown_twap"
    about = "The service has no TWAP order with this id."


class NotFollowed(NotFound):
    code = "not_followed"
    about = "Nobody follows this series."


class SeriesBusy(MarketDataError):
    code = "series_busy"
    status = HTTPStatus.CONFLICT
    about = "A job of the series is running: wait for its end, or cancel it."


class StrategyExists(MarketDataError):
    code = "strategy_exists"
    status = HTTPStatus.CONFLICT
    about = "A strategy has this name already: change it, or use another name."


class StrategyContended(MarketDataError):
    code = "strategy_contended"
    status = HTTPStatus.CONFLICT
    about = "Somebody else changed the strategy at this moment: read it and try again."


class AccountExists(MarketDataError):
    code = "account_exists"
    status = HTTPStatus.CONFLICT
    about = "The account exists already: remove it first, then add it with other keys."


class AccountFrozen(MarketDataError):
    code = "account_frozen"
    status = HTTPStatus.CONFLICT
    about = "The account is frozen: the service does not use its keys until you unfreeze it."


class AccountBusy(MarketDataError):
    code = "account_busy"
    status = HTTPStatus.CONFLICT
    about = "An extraction of the account runs: wait until it is over, or cancel it."


class RiskRefused(MarketDataError):
    code = "risk_refused"
    status = HTTPStatus.CONFLICT
    about = "The account's limits or its kill switch refuse the order: the service sent nothing."


class EntryUndecided(MarketDataError):
    code = "entry_undecided"
    status = HTTPStatus.CONFLICT
    about = "Nobody knows yet if an earlier order of this symbol exists: wait until that is known."


class OrderUndecided(MarketDataError):
    code = "order_undecided"
    status = HTTPStatus.CONFLICT
    about = "Nobody knows yet what became of the order, or the exchange has not ended it: try again."


class OrderFinished(MarketDataError):
    code = "order_finished"
    status = HTTPStatus.CONFLICT
    about = "The order has ended: nothing is left to change."


class KeyReused(MarketDataError):
    code = "key_reused"
    status = HTTPStatus.CONFLICT
    about = "This `Idempotency-Key` was used for another order: use a new key for a new order."


class AccountContended(MarketDataError):
    code = "account_contended"
    status = HTTPStatus.CONFLICT
    about = "Too many orders of this account are sent at once: the service did not send yours. Try again."


class LiveTradingOff(MarketDataError):
    code = "live_trading_off"
    status = HTTPStatus.FORBIDDEN
    about = "Orders of live accounts are off: set `LIVE_TRADING=true`."


class KeyMayWithdraw(MarketDataError):
    code = "key_may_withdraw"
    status = HTTPStatus.FORBIDDEN
    about = "The key may withdraw money: make a key without that right, or set `ALLOW_WITHDRAW_KEYS`."


class AlarmRefused(MarketDataError):
    code = "alarm_refused"
    status = HTTPStatus.BAD_REQUEST
    about = "The text is no alarm that can be carried out: the message says what is wrong."


class AlarmUnauthorised(MarketDataError):
    code = "alarm_unauthorised"
    status = HTTPStatus.FORBIDDEN
    about = "The alarm has no token, or one that is not that of a strategy."
    narrower: ClassVar[Mapping[str, str]] = {
        "sender_not_allowed": "Alarms from this address are not let in: see `WEBHOOK_ADDRESSES`.",
    }


class NoticeNotDelivered(MarketDataError):
    code = "notice_not_delivered"
    about = ""


class TradingOff(MarketDataError):
    code = "trading_off"
    status = HTTPStatus.FORBIDDEN
    about = "Accounts are off: set `MASTER_KEYS` and `API_KEYS`."


class KeysSealed(MarketDataError):
    code = "keys_sealed"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    about = "The service cannot open the account's keys: set the master key that sealed them."


class TooManyJobs(MarketDataError):
    code = "too_many_jobs"
    status = HTTPStatus.TOO_MANY_REQUESTS
    about = "Too many jobs are waiting: try again when some are done."


class TooManyStreams(MarketDataError):
    code = "too_many_streams"
    status = HTTPStatus.TOO_MANY_REQUESTS
    about = "Too many streams or long answers are open: close some, or try again later."


class Cancelled(MarketDataError):
    code = "cancelled"
    status = HTTPStatus.CONFLICT
    about = "Somebody cancelled the job: send the request again if you still need it."


class ExchangeError(MarketDataError):
    code = "exchange_error"
    status = HTTPStatus.BAD_GATEWAY
    about = ""


class ExchangeRefused(ExchangeError):
    code = "exchange_refused"
    about = "The exchange refuses this request: another attempt does not help."


class RegionBlocked(ExchangeRefused):
    code = "region_blocked"
    about = "The exchange does not serve this region: set another base URL or a proxy."


class KeysRefused(ExchangeRefused):
    code = "keys_refused"
    about = "The exchange refuses the account's keys, their rights, or requests from this address."


class ClockRefused(ExchangeRefused):
    code = "clock_refused"
    about = "The exchange says that our time is wrong: correct this machine's clock."


class ModeRefused(ExchangeRefused):
    code = "mode_refused"
    about = "This request needs another kind or mode of account."


class OrderAbsent(ExchangeRefused):
    code = "order_absent"
    about = "The exchange does not have this order."


class MalformedAnswer(ExchangeError):
    code = "malformed_answer"
    about = "The service cannot read the exchange's answer: try again."


class ExchangeUnavailable(ExchangeError):
    code = "exchange_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    about = "The exchange does not answer: try again later."


class OutcomeUnknown(ExchangeUnavailable):
    code = "outcome_unknown"
    about = "The exchange did not say whether it carried out the request: try again later."


class Maintenance(ExchangeUnavailable):
    code = "maintenance"
    about = "The exchange is under maintenance: try again much later."


class RateLimited(ExchangeUnavailable):
    code = "rate_limited"
    about = "The exchange's rate limit is used up: try again after `Retry-After`."


class Banned(RateLimited):
    code = "banned"
    about = (
        "The exchange has banned this address for a while: send nothing at all until `Retry-After` is over."
    )


class DatabaseUnavailable(MarketDataError):
    code = "database_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    about = "The database does not answer: try again later."


class Interrupted(MarketDataError):
    code = "interrupted"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    about = "The service is stopping: try again when it is back."


class LeaseLost(Interrupted):
    code = "lease_lost"
    about = "Another process works on the series now: wait for its result."


def error_named(code: str, message: str, retry_after: float | None = None) -> MarketDataError:
    """The error that was stored as code and message. MarketDataError if the code no longer exists."""
    kind = next((kind for kind in _kinds(MarketDataError) if kind.code == code), MarketDataError)
    return kind(message, code=code, retry_after=retry_after)


def told_codes() -> Iterator[tuple[HTTPStatus, str, str]]:
    """Every code that a client can get, as status, code and sentence."""
    for kind in _kinds(MarketDataError):
        codes = {kind.code: kind.about} if kind.about else {}
        for code, about in (codes | vars(kind).get("narrower", {})).items():
            yield kind.status, code, about


def _kinds(kind: type[MarketDataError]) -> Iterator[type[MarketDataError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)
