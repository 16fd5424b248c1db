"""What a private venue is: a value, made of facts and of a few pure functions. None does I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

from backend.errors import ExchangeError
from backend.exchanges.base import Answer, Budget, RateLimit, Request, Sign
from backend.exchanges.private.refusals import Acceptance, Meaning, Refusal, error_of
from backend.exchanges.private.socket_events import Event
from backend.trading.account_keys import Keys
from backend.trading.rows import (
    Balance,
    Bill,
    FeeRates,
    Fill,
    Held,
    KeyFacts,
    Order,
    Page,
    Position,
    Product,
    Setup,
    Wanted,
)
from backend.trading.rules import Rules
from backend.trading.tickets import MarginMode, Ticket

Said = TypeVar("Said", covariant=True)
Row = TypeVar("Row", covariant=True)


@dataclass(frozen=True, slots=True)
class Call(Generic[Said]):
    """A question to a venue, and how its answer is read. `parse` raises MalformedAnswer. `absent` makes what
    is told where the venue answers that there is no such thing; None where that is an error."""

    request: Request
    parse: Callable[[Answer], Said]
    absent: Callable[[], Said] | None = None

    def signed(self, sign: Sign) -> Request:
        """The request as a client sends it."""
        return replace(self.request, sign=sign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream(Generic[Row]):
    """A history that a venue tells by time.

    A question may reach over `span` ms at most and back `retention` ms, None where the venue names no end. A
    page holds at most `page_size` rows. `needs` is what has to be named besides the product. The rows stand
    in `parts` lists, each with pages of its own. Orders that ended without a fill are told for `unfilled` ms,
    None for as long as others.
    """

    ask: Callable[[Wanted], Call[Page[Row]]]
    span: int
    retention: int | None
    page_size: int
    needs: Literal["nothing", "symbol", "order"] = "nothing"
    parts: int = 1
    unfilled: int | None = None


Place = Callable[[Ticket, str], Call[str]]
"""Places an order. It takes a ticket and our own id of the order, and tells the venue's id, "" where the
venue says none."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Orders that need what only the market knows at the moment. The answer to `ask` is how to place them."""

    ask: Callable[[Ticket], Call[Place]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """How orders are placed and cancelled. Symbols are in the venue's spelling.

    `cancel` takes a product, a symbol, the venue's id and our own one; one of the two may be empty. Its
    answer proves nothing: whoever needs to know the order's state asks for the order. `rules` asks, without
    keys, for the steps and minima of a market. `trial` asks the venue what it would say to an order, which
    it does not place; None where there is no such question for the ticket's product.
    """

    place: Place | Prepared
    cancel: Callable[[Product, str, str, str], Call[None]]
    rules: Callable[[Product, str], Call[Rules]]
    trial: Callable[[Ticket, str], Call[str] | None] = lambda _ticket, _client_id: None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupCalls:
    """How a symbol is set. Each answer of `read` tells a part. `leverage` takes the side, `net` where the
    account holds one position a symbol. None: the venue does not offer it."""

    read: Callable[[Product, str], tuple[Call[Setup], ...]]
    leverage: Callable[[Product, str, Held, int], Call[None]]
    margin_mode: Callable[[Product, str, MarginMode], Call[None]] | None
    position_mode: Callable[[Product, bool], Call[None]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSocket:
    """One socket of an account. `name` tells it from the venue's others.

    A connection is opened at `path` below the base URL, with `headers`, and with the key that `listen_key`
    asks for where the venue wants one. Where there is a `login`, it is the first message, of the keys and the
    venue's time (ms); the messages of `subscribe` follow once the venue has admitted us. `read` returns the
    events in a frame, none for unimportant ones, and raises MalformedAnswer. `demo_url` is "" where demo
    accounts have none.

    Seconds: `ping` is the text that the venue wants to hear every `ping_every`; after `quiet_after` without a
    frame the connection is dead; one that is `life` old is renewed. Where the venue answers pings of the
    WebSocket protocol, one is sent each `heartbeat`, and its answer is waited for.
    """

    name: str
    base_url: str
    demo_url: str
    path: str
    read: Callable[[str | bytes], Sequence[Event]]
    listen_key: Call[str] | None = None
    login: Callable[[Keys, int], str] | None = None
    subscribe: tuple[str, ...] = ()
    headers: Callable[[Keys], Mapping[str, str]] = lambda _keys: {}
    heartbeat: float | None = None
    ping: str = ""
    ping_every: float = 0.0
    quiet_after: float
    life: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """A kind of account at a venue, and how it is read. Symbols are in the venue's spelling.

    Products that share a wallet or an endpoint have the same call; rows say what product they are of. What
    is missing from a mapping is not offered. `open_orders` takes a product and a page's cursor, "" at first.
    `order` takes a product, a symbol and our own id of an order: None, or OrderAbsent, where there is none.
    """

    name: str
    probe: Call[object]
    uid: Call[str]
    key: Callable[[Keys], Call[KeyFacts]]
    balances: Mapping[Product, Call[tuple[Balance, ...]]]
    positions: Mapping[Product, Call[tuple[Position, ...]]]
    fees: Callable[[Product, str], Call[FeeRates]]
    open_orders: Callable[[Product, str], Call[Page[Order]]]
    order: Callable[[Product, str, str], Call[Order | None]]
    orders: Mapping[Product, Stream[Order]]
    fills: Mapping[Product, Stream[Fill]]
    bills: Mapping[Product, Stream[Bill]]
    placing: Placing
    setup: SetupCalls
    sockets: tuple[AccountSocket, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateVenue:
    """A venue as an account sees it.

    `limits` are counted for an account, `budget` for the address: the market's own where the venue counts
    private questions with public ones. A demo account is asked at `demo_url`, and signs with `sign_demo`. The
    kind of an account is told by asking: it is the first of `flavours` whose `probe` is not answered by
    ModeRefused; any other failure tells nothing. `clock` asks for the venue's time (ms) without keys. Nobody
    could trade there before `began`.
    """

    name: str
    base_url: str
    demo_url: str
    budget: Budget
    limits: tuple[RateLimit, ...]
    sign: Callable[[Keys], Sign]
    sign_demo: Callable[[Keys], Sign]
    refusal: Callable[[Answer], Refusal | None]
    acceptance: Acceptance
    flavours: Sequence[Flavour]
    clock: Call[int]
    began: int

    def failure(
        self, keys: Keys | None, *, placing: bool = False
    ) -> Callable[[Answer], ExchangeError | None]:
        """What an answer means to an account if it is no success, in words that do not show its keys.

        To somebody who is `placing` an order, a refusal that is not in the venue's own words is no refusal:
        a machine between us and the venue may have sent it, after the venue accepted the order.
        """

        def failure(answer: Answer) -> ExchangeError | None:
            if (refusal := self.refusal(answer)) is None:
                return None
            if placing and not refusal.by_venue:
                refusal = replace(refusal, meaning=Meaning.UNKNOWN)
            if keys is not None:
                said, code = keys.hidden_in(refusal.said), keys.hidden_in(refusal.code)
                refusal = replace(refusal, said=said, code=code)
            return error_of(self.name, refusal)

        return failure
