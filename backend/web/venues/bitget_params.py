"""Reads the parameters of Bitget's interface; refusals are Bitget's own. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from backend.clock import LATEST
from backend.core.interval import DAY, INTERVALS, Interval
from backend.core.selection import Selection
from backend.core.shifted_interval import shifted
from backend.core.windows import HOUR, Window
from backend.web.venues.venue_handler import Asked, Query, VenueRefusal, first, natural
from backend.web.venues.venue_parameters import END, LIMIT, START, SYMBOL, VenueParameter

GRANULARITY = VenueParameter("granularity", "The interval, in Bitget's spelling")
PRODUCT = VenueParameter("productType", "`USDT-FUTURES`; the service stores no others")
PRICE = VenueParameter("kLineType", "The service stores only traded prices")

SPOT_PARAMETERS = (SYMBOL, GRANULARITY, START, END, LIMIT)
CONTRACT_PARAMETERS = (*SPOT_PARAMETERS, PRODUCT, PRICE)
LISTING_PARAMETERS = (SYMBOL, PRODUCT)

DEFAULT_LIMIT = 100
HONG_KONG = 8 * HOUR
"""Long candles open by this clock, unless their name ends in "utc"."""

LONGEST_SPAN = 90 * DAY
"""What one answer of a contract's history reaches back at most."""

PRODUCTS = ("USDT-FUTURES", "USDC-FUTURES", "COIN-FUTURES", "SUSDT-FUTURES", "SCOIN-FUTURES", "SUSDC-FUTURES")
STORED_PRODUCT = "USDT-FUTURES"
OTHER_PRICES = ("mark", "index", "premium")
"""In lower case alone: MARK is answered with traded prices."""

_SYMBOL = re.compile(r"[^\W_]+")
_UTC = {f"{name.upper()}utc": name for name in ("6h", "12h", "1d", "3d", "1w")} | {"1Mutc": "1M"}
_SHORT = {name: name for name in ("1m", "3m", "5m", "15m", "30m")}
_LONG = {"1H": "1h", "2H": "2h", "4H": "4h", "6H": "6h", "12H": "12h", "1D": "1d", "3D": "3d", "1W": "1w"}


@dataclass(frozen=True, slots=True)
class Rules:
    """In what spot and contracts differ.

    `granularities` has our spelling of an interval for each of Bitget's. `most` is what an answer holds at
    most of an interval, whatever its limit. `needs_end` says that history wants an `endTime`, `span` how far
    it reaches back.
    """

    granularities: Mapping[str, str]
    most: Mapping[str, int]
    needs_end: bool
    span: int | None


SPOT = Rules(
    granularities={name.replace("m", "min"): name for name in _SHORT}
    | {name: name for name in ("1h", "4h", "6h", "12h")}
    | {"1day": "1d", "3day": "3d", "1week": "1w", "1M": "1M"}
    | _UTC,
    most={"1d": 300, "3d": 100, "1w": 100, "1M": 100},
    needs_end=True,
    span=None,
)
CONTRACTS = Rules(
    granularities=_SHORT | _LONG | {"1M": "1M"} | _UTC,
    most={},
    needs_end=False,
    span=LONGEST_SPAN,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """History never looks at `startTime`."""

    rules: Rules
    largest_limit: int
    history: bool


def refusal(code: str, message: str, now: int) -> VenueRefusal:
    return VenueRefusal({"code": code, "msg": message, "requestTime": now, "data": None})


def unknown_symbol(symbol: str, now: int) -> VenueRefusal:
    return refusal("40034", f"Parameter {symbol} does not exist", now)


def candles(query: Query, endpoint: Endpoint, now: int) -> Asked:
    """What `candles` or `history-candles` asks for."""
    symbol = _symbol(query, now)
    rules = endpoint.rules
    interval = _interval(first(query, GRANULARITY), rules, now)
    limit = _limit(query, endpoint, now)
    if endpoint.history and rules.needs_end and not first(query, END):
        raise refusal("40019", "Parameter endTime cannot be empty", now)
    start, end = _moment(query, START, now), _moment(query, END, now)
    if start is not None and end is not None and start > end and not endpoint.history:
        raise refusal("40707", "Start time is greater than end time", now)
    end = LATEST + 1 if end is None else end
    if endpoint.history:
        start = _reach(interval, rules.span, min(end, now))
    window = Window(start or 0, end)
    limit = min(limit, rules.most.get(interval.name, limit))
    return Asked(symbol, Selection(window, interval, limit, newest=True))


def is_stored_product(query: Query, now: int) -> bool:
    """Whether `productType` names the contracts that can be stored here."""
    product = first(query, PRODUCT)
    if not product:
        raise refusal("400172", "Parameter verification failed", now)
    if product.upper() not in PRODUCTS:
        raise refusal("40019", f"Parameter {product} cannot be empty", now)
    return product.upper() == STORED_PRODUCT


def is_traded_price(query: Query) -> bool:
    return first(query, PRICE) not in OTHER_PRICES


def _reach(interval: Interval, span: int | None, end: int) -> int:
    return 0 if span is None else max(0, interval.start(max(0, end - span)))


def _symbol(query: Query, now: int) -> str:
    symbol = first(query, SYMBOL)
    if not symbol:
        raise refusal("400172", "Parameter verification failed", now)
    if not _SYMBOL.fullmatch(symbol):
        raise unknown_symbol(symbol, now)
    return symbol


def _interval(text: str, rules: Rules, now: int) -> Interval:
    name = rules.granularities.get(text)
    if name is None:
        known = ",".join(rules.granularities)
        message = f"Parameter verification failed k-line time range should be [{known}]"
        raise refusal("400171", message, now)
    return INTERVALS[name] if text.endswith("utc") else shifted(INTERVALS[name], HONG_KONG)


def _limit(query: Query, endpoint: Endpoint, now: int) -> int:
    if not first(query, LIMIT):
        return DEFAULT_LIMIT
    limit = natural(first(query, LIMIT))
    if limit is None or not 0 < limit <= endpoint.largest_limit:
        bounds = f"limit should be between (0, {endpoint.largest_limit}]"
        raise refusal("40053", f"Value range verification failed: {bounds}", now)
    return limit


def _moment(query: Query, parameter: VenueParameter, now: int) -> int | None:
    text = first(query, parameter)
    if not text:
        return None
    moment = natural(text)
    if moment is None:
        raise refusal("40020", f"Parameter {parameter.name} error", now)
    return min(moment, LATEST)
