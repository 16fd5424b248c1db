"""Parameters that several routes take: which series, and from when to when. Pure."""

from __future__ import annotations

from typing import NamedTuple

from backend.clock import LATEST
from backend.core.interval import INTERVALS, ONE_MINUTE, Interval
from backend.core.plan import whole_minutes
from backend.core.windows import Window
from backend.errors import InvalidRequest
from backend.formats.reader_request import read_interval
from backend.services.syncing.markets import DEFAULT_EXCHANGE, DEFAULT_MARKET
from backend.web.server.json_schema import TEXT, Json
from backend.web.server.parameters import Parameter, Values, invalid, moment, text

MOST_SYMBOLS = 500

SYMBOL = text("symbol", "`BTCUSDT`; also `btcusdt`, `BTC-USDT` or `BTC/USDT`", examples=["BTCUSDT"])
EXCHANGE = text("exchange", "The exchange", default=DEFAULT_EXCHANGE)
MARKET = text("market", "One of the exchange's markets", default=DEFAULT_MARKET)
MARKET_NAME = (EXCHANGE, MARKET)
START_TIME = moment("start_time", "First open time")
END_TIME = moment("end_time", "Last open time, included")


def _symbols(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_SYMBOLS:
        raise invalid(name, f"a list of 1 to {MOST_SYMBOLS}")
    return [SYMBOL.read(SYMBOL.name, symbol) for symbol in value]


_LIST: Json = {"type": "array", "items": SYMBOL.schema, "minItems": 1, "maxItems": MOST_SYMBOLS}
SYMBOLS = Parameter("symbols", "Several symbols, instead of `symbol`", _LIST, _symbols)


def interval(about: str) -> Parameter[Interval]:
    """`interval`; one minute if it is not given."""
    schema = TEXT | {"default": ONE_MINUTE.name, "examples": list(INTERVALS)}
    return Parameter(
        "interval", about, schema, lambda _, value: read_interval(str(value)), ONE_MINUTE, refusals=()
    )


def _interval(_: str, value: object) -> Interval:
    return read_interval(str(value))


class TimeRange(NamedTuple):
    """Bounds on open times in ms, both inclusive; None where the request leaves them open."""

    start: int | None
    end: int | None

    def window(self) -> Window:
        """The whole minutes inside, open ends running to the ends of time."""
        return whole_minutes(self.start or 0, LATEST if self.end is None else self.end)


def time_range(values: Values) -> TimeRange:
    """`start_time` and `end_time`."""
    bounds = TimeRange(values[START_TIME], values[END_TIME])
    if bounds.start is not None and bounds.end is not None and bounds.start > bounds.end:
        raise InvalidRequest("start_time is after end_time: exchange them", code="invalid_time_range")
    return bounds


def some_window(values: Values) -> Window | None:
    """The whole minutes of `time_range`, None where neither bound is given."""
    bounds = time_range(values)
    if bounds == (None, None):
        return None
    if not bounds.window().minutes:
        raise InvalidRequest("no minute opens from start_time to end_time", code="invalid_time_range")
    return bounds.window()


def symbols_of(values: Values) -> list[str]:
    """Whichever of `symbol` and `symbols` is given."""
    if SYMBOLS not in values:
        return [values[SYMBOL]]
    if SYMBOL in values:
        raise InvalidRequest("give either symbol or symbols", code="invalid_symbols")
    return values[SYMBOLS]
