"""From an alarm to orders: the wanted position, and the legs that lead there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from backend.trading.alarms.signal import Signal
from backend.trading.alarms.strategy import By, Kind, Strategy
from backend.trading.money import part_of, plain, times, total
from backend.trading.rows import Held, Product, Side
from backend.trading.tickets import Ticket

ZERO = Decimal(0)


class NotCarriedOut(Exception):
    """Nothing is to be done. The message is a sentence that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What an alarm meets: the market's `price`, the `equity` of the wallet in quote coins, and what is held,
    in base coins without a sign. `hedged`: long and short stand side by side. `candle` is the last stored
    minute."""

    price: Decimal
    equity: Decimal
    long: Decimal = ZERO
    short: Decimal = ZERO
    hedged: bool = False
    candle: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def position(self) -> Decimal:
        """The position with its sign."""
        return self.long - self.short


def legs_of(
    signal: Signal, strategy: Strategy, symbol: str, meets: Situation, *, is_old: bool
) -> tuple[Ticket, ...]:
    """The orders that an alarm leads to, in the order in which they are sent. An old alarm opens nothing.
    Raises NotCarriedOut."""
    values: dict[str, Decimal | None] = {f"alarm.{name}": value for name, value in signal.values().items()}
    values |= {
        f"candle.{name}": meets.candle.get(name) for name in ("open", "high", "low", "close", "volume")
    }
    values |= {"price": meets.price, "position": meets.position, "equity": meets.equity}
    for condition in strategy.conditions:
        if not (holds := condition.holds(values)):
            unknown = " (a value is not known)" if holds is None else ""
            raise NotCarriedOut(f"the condition {condition.sentence} does not hold{unknown}")
    wanted = wanted_position(signal, strategy, meets)
    if strategy.product is Product.SPOT and wanted < 0:
        wanted = ZERO
    legs = _legs(signal, strategy, symbol, meets, wanted)
    if not legs:
        raise NotCarriedOut(f"the position is {plain(meets.position)} already, as wanted")
    kept = tuple(leg for leg in legs if leg.closes or not is_old)
    if not kept:
        raise NotCarriedOut(f"the alarm is older than {strategy.max_age // 1000} s, so it opens nothing")
    return kept


def wanted_position(signal: Signal, strategy: Strategy, meets: Situation) -> Decimal:
    """The position that should be there afterwards, in base coins, below zero for a short one."""
    after = signal.after
    if after is not None and not after:
        return ZERO
    if strategy.kind is Kind.TARGET:
        direction = _sign(after) if after is not None else _direction(signal)
        told = abs(after) if after is not None else signal.quantity
        return direction * _size(signal, strategy, meets, told, direction)
    direction = _direction(signal)
    reached = meets.position + direction * _size(signal, strategy, meets, signal.quantity, direction)
    if after is None or signal.before is None or _sign(signal.before) != _sign(after):
        return reached
    # The sender's position stays on its side: so does ours, whatever our sizes are.
    return max(reached, ZERO) if after > 0 else min(reached, ZERO)


def _legs(
    signal: Signal, strategy: Strategy, symbol: str, meets: Situation, wanted: Decimal
) -> tuple[Ticket, ...]:
    sides: list[tuple[Held, Decimal, Decimal]] = [
        ("long", meets.long, max(wanted, ZERO)),
        ("short", meets.short, max(-wanted, ZERO)),
    ]
    closing = [(held, has - wants) for held, has, wants in sides if has > wants]
    opening = [(held, wants - has) for held, has, wants in sides if wants > has]
    return (
        *(_ticket(signal, strategy, symbol, meets, held, size, opens=False) for held, size in closing),
        *(_ticket(signal, strategy, symbol, meets, held, size, opens=True) for held, size in opening),
    )


def _ticket(
    signal: Signal,
    strategy: Strategy,
    symbol: str,
    meets: Situation,
    held: Held,
    size: Decimal,
    *,
    opens: bool,
) -> Ticket:
    side: Side = "buy" if (held == "long") is opens else "sell"
    if strategy.product is Product.SPOT:
        spends = opens
        return Ticket(
            product=strategy.product,
            symbol=symbol,
            side=side,
            size=None if spends else size,
            quote_size=times(size, meets.price) if spends else None,
        )
    direction = 1 if held == "long" else -1
    return Ticket(
        product=strategy.product,
        symbol=symbol,
        side=side,
        size=size,
        held=held if meets.hedged else "net",
        reduce_only=not opens and not meets.hedged,
        take_profit=_guard(signal.take_profit, strategy.take_profit, meets.price, direction)
        if opens
        else None,
        stop_loss=_guard(signal.stop_loss, strategy.stop_loss, meets.price, -direction) if opens else None,
        margin_mode=strategy.margin_mode,
    )


def _guard(told: Decimal | None, part: Decimal | None, price: Decimal, direction: int) -> Decimal | None:
    if told is not None:
        return told
    return None if part is None else times(price, 1 + direction * part)


def _size(
    signal: Signal, strategy: Strategy, meets: Situation, told: Decimal | None, direction: int
) -> Decimal:
    """So many base coins."""
    sizing = strategy.sizing
    if sizing.by is By.SIZE:
        return sizing.amount
    if sizing.by is By.ALARM:
        if told is None:
            raise NotCarriedOut("the alarm does not say how much, and the strategy's sizing needs it")
        return times(told, sizing.amount)
    if sizing.by is By.QUOTE:
        return part_of(sizing.amount, Decimal(1), meets.price)
    spent = times(max(meets.equity, ZERO), sizing.amount)
    if sizing.by is By.EQUITY:
        return part_of(spent, Decimal(1), meets.price)
    stop = _guard(signal.stop_loss, strategy.stop_loss, meets.price, -direction)
    distance = None if stop is None else times(Decimal(direction), total((meets.price, -stop)))
    if distance is None or distance <= 0:
        raise NotCarriedOut("sizing by risk needs a stop-loss on the losing side of the price")
    return part_of(spent, Decimal(1), distance)


def _direction(signal: Signal) -> int:
    if signal.action is None:
        raise NotCarriedOut("the alarm does not say whether to buy or to sell")
    return 1 if signal.action == "buy" else -1


def _sign(number: Decimal) -> int:
    return (number > 0) - (number < 0)
