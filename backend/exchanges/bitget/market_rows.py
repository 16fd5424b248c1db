"""What Bitget sends about markets: rows of candles, lists of symbols, the time, errors."""

from __future__ import annotations

import msgspec

from backend.exchanges.base import Amount, Moment


class SpotRow(msgspec.Struct, array_like=True, gc=False):
    open_time: Moment
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount
    usdt_volume: Amount
    quote_volume: Amount


class PerpetualRow(msgspec.Struct, array_like=True, gc=False):
    open_time: Moment
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount
    quote_volume: Amount


class Symbol(msgspec.Struct):
    """A spot symbol has `status`, a contract `symbolStatus`, `symbolType` and perhaps `launchTime`."""

    symbol: str
    base: str = msgspec.field(name="baseCoin")
    quote: str = msgspec.field(name="quoteCoin")
    status: str = ""
    symbol_status: str = msgspec.field(name="symbolStatus", default="")
    symbol_type: str = msgspec.field(name="symbolType", default="")
    launch_time: str | None = msgspec.field(name="launchTime", default=None)


class Symbols(msgspec.Struct):
    data: list[Symbol]


class TimeData(msgspec.Struct):
    server_time: Moment = msgspec.field(name="serverTime")


class ServerTime(msgspec.Struct):
    data: TimeData


class ErrorBody(msgspec.Struct):
    """The frame of every answer; only refusals are read through it."""

    code: str = ""
    msg: str = ""
