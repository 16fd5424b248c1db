"""The type of an exchange: a value. Facts are fields, behaviour is a few pure functions, and nothing does
I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar

import msgspec

from backend.clock import LATEST
from backend.core.candles import Candle, is_sound, unreadable
from backend.core.series import Listing, canonical_symbol
from backend.core.windows import Window
from backend.errors import MalformedAnswer, MarketDataError, RegionBlocked
from backend.exchanges.sockets import Socket

Amount = Annotated[float, msgspec.Meta(ge=0, le=1e18)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Moment = Annotated[int, msgspec.Meta(ge=0, le=LATEST)]
"""The valid range of prices and volumes, counts, and times in ms on the wire."""

LONGEST_SAID = 500
"""Most characters of a venue's own words in a message."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Decoded = TypeVar("Decoded")
Row = TypeVar("Row")


class HasOpenTime(Protocol):
    """The part of a row with its minute."""

    open_time: int


class OpenedFirst(msgspec.Struct, array_like=True, gc=False):
    """A row whose first place is its open time."""

    open_time: Moment


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `capacity` units of `unit` in any `seconds`."""

    unit: str
    capacity: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What one IP address may spend at a venue; markets that share a budget name the same one.

    `used` reads the used units from an answer's headers. If the venue's way of counting is not certain,
    `careful` is the first part of the limits, and the part after a refusal.
    """

    name: str
    limits: tuple[RateLimit, ...]
    used: Callable[[Mapping[str, str]], Mapping[str, int]] = lambda _headers: {}
    careful: float = 1.0


Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Signed:
    """A request exactly as it is sent: `target` is the path with the query. Its parts may contain keys and
    signatures, so `repr` shows none."""

    target: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to `path` below the market's base URL. `cost` is the number of units for each rate limit.

    The rest is for private calls. `sign` signs the request for the venue's time (ms), again for each attempt;
    None for a public request. `repeatable`: sending the request twice has the same effect as once. A request
    that is not repeatable is sent once, whatever happens to the answer. By default only a GET is repeatable.
    `urgent` requests go before others that wait for the budget.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    cost: Mapping[str, int] = field(default_factory=dict)
    method: Method = "GET"
    body: bytes = field(default=b"", repr=False)
    sign: Sign | None = field(default=None, repr=False)
    repeatable: bool | None = None
    urgent: bool = False

    @property
    def may_be_repeated(self) -> bool:
        """Whether a client may send it again if it does not know the result."""
        return self.method == "GET" if self.repeatable is None else self.repeatable


Sign = Callable[[Request, int], Signed]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Market:
    """One kind of trading at a venue: where its candles are, and the requests for them.

    Requests take the venue's own spelling of a symbol. `page_size(age)` is the most minutes that one
    `candles_request` may ask for when the oldest of them opened `age` ms ago; `candles_request` gets the
    venue's time as well, for venues that keep young and old candles in different places.
    `earliest_request(symbol)` asks for the oldest candle there is, where the venue can say. Otherwise it is
    None, and `newest_before_request(symbol, end)` asks for the newest `search_rows` candles before `end`.
    The parsers raise MalformedAnswer; `failure` is asked first and says what an answer means if it is no
    success. `canonical` brings a user's spelling to ours. `spellings` are the venue's for a symbol that it
    does not list, likeliest first; None where they are ours. `socket` is None where no candles are pushed.
    `ended` are the venue's words for the state of a symbol that is traded no more, the usual one first.
    """

    name: str
    base_url: str
    url_setting: str
    budget: Budget
    page_size: Callable[[int], int]
    candles_request: Callable[[str, Window, int], Request]
    parse_candles: Callable[[bytes], Sequence[Candle]]
    symbols_request: Request
    parse_symbols: Callable[[bytes], Sequence[Listing]]
    time_request: Request
    parse_time: Callable[[Answer], int]
    failure: Callable[[Answer], MarketDataError | None]
    earliest_request: Callable[[str], Request] | None = None
    newest_before_request: Callable[[str, int], Request] | None = None
    search_rows: int = 1
    canonical: Callable[[str], str] = canonical_symbol
    spellings: Callable[[str], Sequence[str]] | None = None
    socket: Socket | None = None
    ended: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A venue and its markets by name."""

    name: str
    markets: Mapping[str, Market]


def decode(decoder: msgspec.json.Decoder[Decoded], body: bytes | str, venue: str) -> Decoded:
    """Parse a body or a frame, or raise MalformedAnswer with the venue's name."""
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        raise MalformedAnswer(f"{venue} sent an answer that cannot be read: {error}") from error


class Rows(msgspec.Struct, Generic[Row]):
    """The envelope of rows at most venues; its other fields are not read."""

    data: list[Row]


class RowReader(Generic[Row]):
    """Reads pages of candles: as a whole, or row by row if one of the rows is impossible.

    `page` types a whole body, `raw_page` one whose rows are not read; `rows` are its rows and `candle` what a
    row says. `opened` types as much of a row as tells its minute.
    """

    def __init__(
        self,
        venue: str,
        *,
        row: type[Row],
        opened: type[HasOpenTime],
        page: Any,
        raw_page: Any,
        rows: Callable[[Any], Sequence[Any]],
        candle: Callable[[Row], Candle],
    ) -> None:
        self._venue = venue
        self._rows = rows
        self._candle = candle
        self._page = msgspec.json.Decoder(page, strict=False)
        self._raw_page = msgspec.json.Decoder(raw_page)
        self._row = msgspec.json.Decoder(row, strict=False)
        self._opened = msgspec.json.Decoder(opened, strict=False)

    def read(self, body: bytes) -> list[Candle]:
        """The rows of an answer as they came. An impossible row has no prices.

        Raises MalformedAnswer where nothing can be read.
        """
        try:
            return [self._candle(row) for row in self._rows(self._page.decode(body))]
        except UNREADABLE as error:
            candles = self._one_by_one(body)
            if not any(is_sound(candle) for candle in candles):
                raise MalformedAnswer(f"{self._venue} sent an answer that cannot be read: {error}") from error
            return candles

    def _one_by_one(self, body: bytes) -> list[Candle]:
        candles = []
        for raw in self._rows(decode(self._raw_page, body, self._venue)):
            try:
                candles.append(self._candle(self._row.decode(raw)))
            except UNREADABLE:
                with suppress(*UNREADABLE):
                    candles.append(unreadable(self._opened.decode(raw).open_time))
        return candles


class HasPrices(HasOpenTime, Protocol):
    """A row about a price."""

    open: float
    high: float
    low: float
    close: float


def price_candle(row: HasPrices) -> Candle:
    """A candle of a price that nobody trades at: whatever else its row has does not count trades."""
    return Candle(
        open_time=row.open_time, open=row.open, high=row.high, low=row.low, close=row.close, volume=0.0
    )


def refusal(decoder: msgspec.json.Decoder[Decoded], body: bytes, otherwise: Decoded) -> Decoded:
    """Parse the body of a refusal; `otherwise` if it is not the venue's own (HTML, empty)."""
    try:
        return decoder.decode(body)
    except UNREADABLE:
        return otherwise


def excerpt(said: str) -> str:
    """A venue's words, cut for a message."""
    return said if len(said) <= LONGEST_SAID else f"{said[:LONGEST_SAID]}..."


def region_blocked(venue: str, url_setting: str, answered: str) -> RegionBlocked:
    """The venue does not serve this region. The message names two settings that can help."""
    ways = f"set {url_setting} to a base URL that does, or {venue.upper()}_PROXY to a proxy elsewhere"
    return RegionBlocked(f"{venue} does not serve this address: {ways} ({answered})")


def whole_number(text: Any) -> int | None:
    """A header's number, None if it is not a number."""
    return int(text) if isinstance(text, str) and re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


def date_header(answer: Answer) -> int | None:
    """The moment of the Date header, ms; read as UTC where it names no zone, None where there is none."""
    try:
        moment = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, OverflowError):
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return int(aware.timestamp() * 1000)
