"""Reads the parameters of TradingView's UDF protocol. Pure."""

from __future__ import annotations

import re
import reprlib
from http import HTTPStatus

from backend.clock import LATEST
from backend.core.interval import INTERVALS, Interval
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.windows import Window
from backend.errors import InvalidRequest
from backend.services.syncing.markets import DEFAULT_EXCHANGE, DEFAULT_MARKET, Markets
from backend.web.venues.venue_handler import Query, VenueRefusal, first, natural
from backend.web.venues.venue_parameters import VenueParameter

SYMBOL = VenueParameter("symbol", "`BINANCE:BTCUSDT`; a perpetual contract ends in `.P`")
RESOLUTION = VenueParameter("resolution", "The interval, in TradingView's spelling")
FROM = VenueParameter("from", "First time, Unix seconds")
TO = VenueParameter("to", "End, not included, Unix seconds")
COUNTBACK = VenueParameter("countback", "Number of bars before `to`; used instead of `from`")
QUERY, TYPE, EXCHANGE, LIMIT = (
    VenueParameter(name, "Text to search for") for name in ("query", "type", "exchange", "limit")
)

SEARCH_PARAMETERS = (QUERY, TYPE, EXCHANGE, LIMIT)
HISTORY_PARAMETERS = (SYMBOL, RESOLUTION, FROM, TO, COUNTBACK)

MOST_BARS = 50_000
MOST_FOUND = 1000
DEFAULT_FOUND = 30
PERPETUAL = ".P"
"""How TradingView's own symbols end that are perpetual contracts."""

MARKET_TYPES = {"spot": "spot", "perpetual": "swap"}
"""TradingView's word for each market."""

RESOLUTIONS = {
    **{str(minutes): f"{minutes}m" for minutes in (1, 3, 5, 15, 30)},
    **{str(60 * hours): f"{hours}h" for hours in (1, 2, 4, 6, 8, 12)},
    "1D": "1d",
    "3D": "3d",
    "1W": "1w",
    "1M": "1M",
}
"""Our interval for each resolution."""

LETTERS = {"D": "1D", "W": "1W", "M": "1M"}
LAST_SECOND = LATEST // 1000

_SECONDS = re.compile(r"-?[0-9]{1,15}", re.ASCII)


def refusal(message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> VenueRefusal:
    return VenueRefusal({"s": "error", "errmsg": message}, status)


def unknown_symbol(text: str) -> VenueRefusal:
    return refusal(f"unknown_symbol: nothing is stored of {reprlib.repr(text)}", HTTPStatus.NOT_FOUND)


def ticker(series: Series) -> str:
    """A series as TradingView would call it: "BINANCE:BTCUSDT", "BITGET:BTCUSDT.P"."""
    return f"{series.exchange.upper()}:{series.symbol}{PERPETUAL if series.market == 'perpetual' else ''}"


def series(query: Query, markets: Markets) -> Series:
    """The series that `symbol` names; without a prefix it is one of Binance."""
    text = first(query, SYMBOL)
    prefix, _, name = text.rpartition(":")
    market = "perpetual" if name.upper().endswith(PERPETUAL) else DEFAULT_MARKET
    symbol = name[: -len(PERPETUAL)] if market == "perpetual" else name
    try:
        return markets.series(symbol, prefix.lower() or DEFAULT_EXCHANGE, market)
    except InvalidRequest as error:
        raise unknown_symbol(text) from error


def history(query: Query) -> Selection:
    """The bars that are wanted: `countback` of them before `to`, or all from `from` to without `to`."""
    interval = _interval(first(query, RESOLUTION))
    end = _moment(query, TO)
    if COUNTBACK.name not in query:
        start = _moment(query, FROM)
        return Selection(Window(min(start, end), end), interval, limit=MOST_BARS + 1)
    limit = natural(first(query, COUNTBACK))
    if limit is None or not 0 < limit <= MOST_BARS:
        raise refusal(f"countback must be a whole number from 1 to {MOST_BARS}")
    return Selection(Window(0, end), interval, limit, newest=True)


def before(wanted: Selection) -> Selection:
    """The newest bar before those that are wanted."""
    return Selection(Window(0, wanted.window.start), wanted.interval, limit=1, newest=True)


def matches(query: Query, series: Series) -> bool:
    """Whether a search means this series."""
    exchange, kind = first(query, EXCHANGE), first(query, TYPE)
    return (
        exchange.lower() in ("", series.exchange)
        and kind in ("", MARKET_TYPES[series.market])
        and first(query, QUERY).upper() in ticker(series)
    )


def most_found(query: Query) -> int:
    """How many series a search may find."""
    if not first(query, LIMIT):
        return DEFAULT_FOUND
    limit = natural(first(query, LIMIT))
    if limit is None or not 0 < limit <= MOST_FOUND:
        raise refusal(f"limit must be a whole number from 1 to {MOST_FOUND}")
    return limit


def _interval(text: str) -> Interval:
    name = RESOLUTIONS.get(LETTERS.get(text, text))
    if name is None:
        raise refusal(f"unknown resolution {reprlib.repr(text)}: give one of {', '.join(RESOLUTIONS)}")
    return INTERVALS[name]


def _moment(query: Query, parameter: VenueParameter) -> int:
    """Unix seconds as ms. Charts that are scrolled far back ask for times before 1970."""
    text = first(query, parameter)
    if not _SECONDS.fullmatch(text) or int(text) > LAST_SECOND:
        raise refusal(f"{parameter.name} must be Unix seconds up to {LAST_SECOND}")
    return max(0, int(text)) * 1000
