"""The money of an account, and the positions that trades leave: every change of a balance is a bill."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from tests.simulator.private.rows import (
    Balance,
    Bill,
    Cause,
    Held,
    Numbers,
    Order,
    Pair,
    Position,
    Product,
    Side,
)
from tests.simulator.private.shelf import Shelf

ZERO = Decimal(0)
CENT = Decimal("1e-8")
"""To which profits, fees, margins and average prices are rounded, as venues do."""

Key = tuple[Product, Pair, Held]


@dataclass(slots=True)
class Open:
    """A position while it changes. `size` is below zero for a short one. `closing` waits in orders."""

    size: Decimal
    entry: Decimal
    leverage: int
    created: int
    updated: int
    closing: Decimal = ZERO


class Wallets:
    """Balances by wallet and coin. A unified account has one wallet; else each product has its own."""

    def __init__(self, bills: Shelf[Bill], *, unified: bool) -> None:
        self._bills = bills
        self._numbers = Numbers(Bill)
        self._unified = unified
        self._coins: dict[tuple[Product | None, str], Decimal] = defaultdict(Decimal)

    def wallet(self, product: Product) -> Product | None:
        """The name of a product's wallet; None for the only one."""
        return None if self._unified else product

    def has(self, product: Product, coin: str) -> Decimal:
        """What a product's wallet has of a coin."""
        return self._coins[self.wallet(product), coin]

    def coins(self, product: Product) -> Iterator[tuple[str, Decimal]]:
        """What a product's wallet has, coin by coin."""
        wallet = self.wallet(product)
        return (
            (coin, held) for (owner, coin), held in sorted(self._coins.items(), key=str) if owner == wallet
        )

    def change(
        self,
        product: Product,
        coin: str,
        kind: str,
        amount: Decimal,
        time: int,
        *,
        fee: Decimal = ZERO,
        pair: Pair | None = None,
        held: Held = "",
        order: Order | None = None,
    ) -> None:
        """Change a balance, and write the bill."""
        key = self.wallet(product), coin
        self._coins[key] += amount - fee
        side: Side | str = order.side if order else ""
        cause: Cause = order.cause if order else "normal"
        self._bills.put(
            Bill(
                number=self._numbers.next(time),
                product=product,
                pair=pair,
                coin=coin,
                kind=kind,
                side=side,
                held=order.held if order else held,
                opens=order.opens if order else False,
                cause=cause,
                amount=amount,
                fee=fee,
                balance=self._coins[key],
                order=order.number if order else 0,
                time=time,
            )
        )


class Positions:
    """Open positions, and the last price of each market."""

    def __init__(self) -> None:
        self._open: dict[Key, Open] = {}
        self.marks: dict[tuple[Product, Pair], Decimal] = {}

    def get(self, key: Key) -> Open | None:
        return self._open.get(key)

    def items(self) -> list[tuple[Key, Open]]:
        return list(self._open.items())

    def trade(
        self, key: Key, side: Side, size: Decimal, price: Decimal, *, opens: bool, leverage: int, time: int
    ) -> Decimal:
        """Open more of a position or close some of it; return the profit in the settled coin."""
        held = self._open.get(key)
        signed = size if side == "buy" else -size
        if held is None:
            self._open[key] = Open(signed, price, leverage, time, time)
            return ZERO
        held.updated = time
        if opens:
            cost = held.entry * held.size + price * signed
            held.size += signed
            held.entry = (cost / held.size).quantize(CENT)
            return ZERO
        profit = gain(key[1], held.entry, price, -signed)
        held.size += signed
        held.closing -= size
        if not held.size:
            del self._open[key]
        return profit

    def told(self, product: Product, *, hedged: bool) -> list[Position]:
        """A product's open positions, as they stand at the last prices."""
        return [
            self._position(key, held, hedged=hedged) for key, held in self._open.items() if key[0] is product
        ]

    def _position(self, key: Key, held: Open, *, hedged: bool) -> Position:
        product, pair, side = key
        mark = self.marks[product, pair]
        return Position(
            product=product,
            pair=pair,
            held=side,
            size=abs(held.size) if hedged else held.size,
            entry=held.entry,
            mark=mark,
            unrealised=gain(pair, held.entry, mark, held.size),
            leverage=held.leverage,
            margin=margin_of(pair, held.size, held.entry, held.leverage),
            created=held.created,
            updated=held.updated,
        )


def gain(pair: Pair, entry: Decimal, price: Decimal, size: Decimal) -> Decimal:
    """What a position brings in its settled coin; `size` is below zero for a short one."""
    if pair.quote != "USD":
        return (size * (price - entry)).quantize(CENT)
    return (size * (price - entry) / price).quantize(CENT)


def margin_of(pair: Pair, size: Decimal, price: Decimal, leverage: int) -> Decimal:
    """What a position of this size holds back in its settled coin."""
    worth = abs(size) if pair.quote == "USD" else abs(size) * price
    return (worth / leverage).quantize(CENT)


def balance(coin: str, held: Decimal, frozen: Decimal, unrealised: Decimal) -> Balance:
    """A coin of a wallet as venues tell it."""
    return Balance(coin, held, held - frozen, frozen, held + unrealised, unrealised)


def both(one: Balance, other: Balance) -> Balance:
    """The same coin in two wallets."""
    return Balance(one.coin, *(mine + theirs for mine, theirs in zip(one[1:], other[1:], strict=True)))
