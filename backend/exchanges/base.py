"""What an exchange is: a value. Facts are fields, behaviour is a few pure functions, and none does I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from backend.core.candles import Candle
from backend.core.coverage import Window
from backend.errors import MarketDataError


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `capacity` units of `unit` in any `seconds`."""

    unit: str
    capacity: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What one IP address may spend at a venue; markets that share a budget name the same one.

    `used` reads what the venue says was used, per unit, from an answer's headers.
    """

    name: str
    limits: tuple[RateLimit, ...]
    used: Callable[[Mapping[str, str]], Mapping[str, int]] = lambda _headers: {}


@dataclass(frozen=True, slots=True)
class Request:
    """A GET to `path` below the market's base URL. `cost` counts units of each rate limit."""

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    cost: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Market:
    """One kind of trading at a venue: where its candles are and how they are asked for.

    `page_size` is the most candles that one `candles_request` may ask for. `first_candle_request` asks for
    the oldest candle the venue has. The parsers raise MalformedAnswer.
    """

    name: str
    base_url: str
    url_setting: str
    budget: Budget
    page_size: int
    candles_request: Callable[[str, Window], Request]
    parse_candles: Callable[[bytes], Sequence[Candle]]
    first_candle_request: Callable[[str], Request]
    time_request: Request
    parse_time: Callable[[bytes], int]
    failure: Callable[[Answer], MarketDataError | None]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A venue and its markets by name."""

    name: str
    markets: Mapping[str, Market]
