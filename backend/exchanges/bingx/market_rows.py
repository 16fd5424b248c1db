"""What BingX sends about markets: rows of candles, lists of symbols, the time, errors."""

from __future__ import annotations

from typing import Generic

import msgspec

from backend.exchanges.base import Amount, Moment, Row


class SpotRow(msgspec.Struct, array_like=True, gc=False):
    open_time: Moment
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount
    close_time: Moment
    quote_volume: Amount


class SwapRow(msgspec.Struct, gc=False):
    open_time: Moment = msgspec.field(name="time")
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount


class OpenedSwapRow(msgspec.Struct, gc=False):
    open_time: Moment = msgspec.field(name="time")


class MarkRow(msgspec.Struct, gc=False, rename="camel"):
    """Its volume is 0, and its close time is its open time."""

    open_time: Moment
    open: Amount
    high: Amount
    low: Amount
    close: Amount


class OpenedMarkRow(msgspec.Struct, gc=False, rename="camel"):
    open_time: Moment


class Candles(msgspec.Struct, Generic[Row]):
    """Where there is no candle, `data` is null or absent."""

    data: list[Row] | None = None


class SpotSymbol(msgspec.Struct):
    symbol: str
    status: int
    time_online: Moment = msgspec.field(name="timeOnline", default=0)


class SpotSymbolList(msgspec.Struct):
    symbols: list[SpotSymbol]


class SpotSymbols(msgspec.Struct):
    data: SpotSymbolList


class Contract(msgspec.Struct):
    symbol: str
    asset: str
    currency: str
    status: int
    launch_time: Moment = msgspec.field(name="launchTime", default=0)


class Contracts(msgspec.Struct):
    data: list[Contract]


class TimeData(msgspec.Struct):
    server_time: Moment = msgspec.field(name="serverTime")


class ServerTime(msgspec.Struct):
    data: TimeData


class ErrorBody(msgspec.Struct):
    """The frame of every answer; code 0 is a success."""

    code: int = 0
    msg: str = ""
