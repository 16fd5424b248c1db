"""The markets that can be synced, and the way from a user's words to a series."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import TypeVar

from backend.clock import Clock
from backend.core.series import Series
from backend.errors import InvalidRequest
from backend.services.venue_ports import CandleSource

Choice = TypeVar("Choice")

DEFAULT_EXCHANGE = "binance"
DEFAULT_MARKET = "spot"


class Markets:
    """Candle sources by exchange and market."""

    def __init__(self, sources: Mapping[str, Mapping[str, CandleSource]]) -> None:
        self._sources = sources

    def source(self, series: Series) -> CandleSource:
        return self._sources[series.exchange][series.market]

    def known_now(self, series: Series, clock: Clock) -> int:
        """The time (ms) at the exchange of `series` where it is known without asking, else by `clock`."""
        known = self.source(series).known_now()
        return clock.now() if known is None else known

    def named(self, exchange: str, market: str) -> CandleSource:
        """The source of a market; InvalidRequest lists the known ones."""
        return _named(_named(self._sources, "exchange", exchange), "market", market)

    def names(self) -> list[tuple[str, str]]:
        """Every exchange with each of its markets."""
        return [(exchange, market) for exchange, markets in self._sources.items() for market in markets]

    def series(self, symbol: str, exchange: str = DEFAULT_EXCHANGE, market: str = DEFAULT_MARKET) -> Series:
        """The series of a user's words; InvalidRequest says what is accepted."""
        source = self.named(exchange, market)
        try:
            return Series(exchange, market, source.canonical(symbol))
        except ValueError as error:
            raise InvalidRequest(str(error), code="invalid_symbol") from error


def _named(choices: Mapping[str, Choice], what: str, name: str) -> Choice:
    if name in choices:
        return choices[name]
    raise InvalidRequest(
        f"unknown {what} {reprlib.repr(name)}: give one of {', '.join(sorted(choices))}",
        code=f"unknown_{what}",
    )
