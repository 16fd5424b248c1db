"""Binance spot: `klines`, `exchangeInfo`, `time` and `ping` under `/api/v3`.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api (market data endpoints, general
information on limits) and .../errors. A row, as `klines` sends it:
[1717200000000,"67540.01000000","67561.22000000","67530.00000000","67555.10000000","12.41230000",1717200059999,
"838412.11930000",1034,"6.10020000","412003.51900000","0"]
"""

from __future__ import annotations

from typing import Any

from tests.simulator.answers import Question
from tests.simulator.archive import FOREVER, Archive
from tests.simulator.binance_info import exchange_info
from tests.simulator.binance_interface import Asked, Facts
from tests.simulator.binance_params import (
    Rejected,
    grid_of,
    limit_of,
    microseconds,
    named,
    require,
    symbol_of,
    time_of,
    zone_of,
)
from tests.simulator.binance_quotes import spot_depth, spot_ticker
from tests.simulator.pages import Selection
from tests.simulator.rows import Row

DEFAULT_LIMIT, MAXIMUM_LIMIT = 500, 1000
WEIGHTS = {
    "/api/v3/klines": 2,
    "/api/v3/exchangeInfo": 20,
    "/api/v3/time": 1,
    "/api/v3/ping": 1,
    "/api/v3/ticker/24hr": 2,
}
DEPTH_WEIGHTS = ((100, 5), (500, 25), (1000, 50), (5000, 250))
"""Weight of `depth` by its limit."""

KLINES_NAMES = ("symbol", "interval", "startTime", "endTime", "timeZone", "limit")


def row(candle: Row, following: int) -> bytes:
    """Print a candle as `klines` does; `following` is the open time of the next one, ms UTC."""
    return _printed(candle, candle.open_time, following - 1)


def micro_row(candle: Row, following: int) -> bytes:
    """Print a candle with times in µs."""
    return _printed(candle, candle.open_time * 1000, following * 1000 - 1)


def _printed(candle: Row, open_time: int, close_time: int) -> bytes:
    _, opened, high, low, close, volume, quote, trades, taker, taker_quote = candle
    return (
        f'[{open_time},"{opened}","{high}","{low}","{close}","{volume}",{close_time},'
        f'"{quote}",{trades},"{taker}","{taker_quote}","0"]'
    ).encode()


def _asked(question: Question, archive: Archive) -> Asked:
    render = micro_row if _micro(question) else row
    params = named(question.params, KLINES_NAMES)
    require(params, "symbol", "interval")
    market = archive.served(symbol_of(params["symbol"]))
    if market is None:
        raise Rejected(-1121, "Invalid symbol.")
    grid = grid_of(params["interval"])
    wanted = _selection(params, archive.faults.page_cap or MAXIMUM_LIMIT)
    return Asked(market, grid.shifted(zone_of(params.get("timeZone", "0"))), wanted, render)


def _selection(params: dict[str, str], cap: int) -> Selection:
    """Return what is asked for by the four range rules: without a start the newest rows, else the oldest."""
    limit = limit_of(params["limit"], MAXIMUM_LIMIT) if "limit" in params else DEFAULT_LIMIT
    return Selection(
        start=time_of(params, "startTime", 0),
        end=time_of(params, "endTime", FOREVER),
        limit=min(limit, cap),
        newest="startTime" not in params,
    )


def _info(question: Question, archive: Archive, weight_limit: int | None) -> Any:
    _micro(question)
    return exchange_info(question, archive.named(archive.listed()), archive.clock.now(), weight_limit)


def _time(question: Question, archive: Archive, _: int | None) -> Any:
    micro = _micro(question)
    named(question.params, ())
    now = archive.clock.now()
    return {"serverTime": now * 1000 if micro else now}


def _ping(question: Question, _: Archive, __: int | None) -> Any:
    _micro(question)
    named(question.params, ())
    return {}


def _micro(question: Question) -> bool:
    return microseconds(question.headers.get("x-mbx-time-unit"))


def _weight(question: Question) -> int:
    if question.path != "/api/v3/depth":
        return WEIGHTS.get(question.path, 1)
    limit = dict(question.params).get("limit", "100")
    return next((weight for most, weight in DEPTH_WEIGHTS if limit.isdecimal() and int(limit) <= most), 250)


SPOT = Facts(
    prefix="/api/v3/",
    default_limit=6000,
    too_much="Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
    "Please use WebSocket Streams for live updates to avoid polling the API.",
    banned="Way too much request weight used; IP banned until {until}. "
    "Please use WebSocket Streams for live updates to avoid bans.",
    weight=_weight,
    asked=_asked,
    payloads={
        "exchangeInfo": _info,
        "time": _time,
        "ping": _ping,
        "ticker/24hr": spot_ticker,
        "depth": spot_depth,
    },
)
