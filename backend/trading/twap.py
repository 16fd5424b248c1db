"""An order that is placed in equal slices over some time (TWAP: time-weighted average price). Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from backend.trading.account import Mode
from backend.trading.money import round_down
from backend.trading.rules import Rules
from backend.trading.tickets import InvalidTicket, Ticket

MOST_SLICES = 500

TwapStatus = Literal["running", "done", "cancelled", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Twap:
    """Slice number k of `sizes` is due at `started` + k * `interval` (ms by the service's clock). `next` is
    the number of the slice that is due next: those before it are over. `placed` and `skipped` count them."""

    id: str
    account: str
    mode: Mode
    ticket: Ticket
    sizes: tuple[Decimal, ...]
    interval: int
    started: int
    caller: str
    next: int = 0
    placed: int = 0
    skipped: int = 0
    status: TwapStatus = "running"
    reason: str = ""

    @property
    def due(self) -> int:
        """The moment (ms) of the next slice."""
        return self.started + self.next * self.interval

    @property
    def slice_key(self) -> str:
        """The idempotency key of the next slice: whoever places it, and however often, it is one order."""
        return f"twap {self.id} {self.next}"

    def is_late(self, now: int) -> bool:
        """Whether the slice after the next one is due already: then the next one is left out."""
        return now >= self.due + self.interval

    def slice(self) -> Ticket:
        """The ticket of the next slice."""
        return replace(self.ticket, size=self.sizes[self.next])

    def after(self, *, placed: bool) -> Twap:
        """The same with the next slice over."""
        number = self.next + 1
        return replace(
            self,
            next=number,
            placed=self.placed + placed,
            skipped=self.skipped + (not placed),
            status="done" if number == len(self.sizes) else "running",
        )


def slice_sizes(ticket: Ticket, slices: int, rules: Rules) -> tuple[Decimal, ...]:
    """The sizes of the slices, each a multiple of the market's step; together as much as the ticket's size
    has steps. The first ones are a step larger where the size cannot be divided. Raises InvalidTicket."""
    if ticket.size is None:
        raise InvalidTicket("a TWAP order needs size")
    if ticket.take_profit is not None or ticket.stop_loss is not None:
        raise InvalidTicket("a TWAP order takes no take_profit and no stop_loss")
    steps = int(round_down(ticket.size, step=rules.size_step) / rules.size_step)
    each, more = divmod(steps, slices)
    least = max(rules.least_size, rules.size_step)
    if each * rules.size_step < least:
        raise InvalidTicket(f"{slices} slices are too many: each would be smaller than {least}")
    return tuple((each + (number < more)) * rules.size_step for number in range(slices))
