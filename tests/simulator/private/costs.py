"""What a key may do and what trading costs: facts of an account, fees, and what orders hold back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from tests.simulator.private.rows import FUTURES, Fees, Order, Product, Rates
from tests.simulator.private.wallets import CENT, ZERO, margin_of

FUTURES_RATES = Rates(Decimal("0.0002"), Decimal("0.0006"))
SPOT_RATES = Rates(Decimal("0.001"), Decimal("0.001"))


@dataclass(slots=True, kw_only=True)
class Facts:
    """What a key may do, whose it is, how the account is set.

    `rights` are of read, trade, transfer, withdraw. No `addresses` means from anywhere. `unified` is the kind
    of account at Bitget, `hedged` whether long and short positions stand side by side.
    """

    uid: str = "1684499912"
    rights: tuple[str, ...] = ("read",)
    addresses: tuple[str, ...] = ()
    registered: int = 1_600_000_000_000
    unified: bool = False
    hedged: bool = True
    rates: Mapping[Product, Rates] = field(
        default_factory=lambda: {Product.SPOT: SPOT_RATES, **dict.fromkeys(FUTURES, FUTURES_RATES)}
    )


def fee_of(order: Order, size: Decimal, price: Decimal, rate: Decimal) -> tuple[str, Decimal]:
    """The coin of a fee and how much it is: of spot in what is received, else in the settled coin."""
    if order.product is Product.SPOT:
        coin, worth = (order.pair.base, size) if order.side == "buy" else (order.pair.quote, size * price)
    else:
        coin, worth = order.pair.settled, size if order.pair.quote == "USD" else size * price
    return coin, (worth * rate).quantize(CENT)


def added(fees: Fees, coin: str, paid: Decimal) -> Fees:
    """Fees with another one."""
    sums = dict(fees)
    sums[coin] = sums.get(coin, ZERO) + paid
    return tuple(sums.items())


def frozen_by(order: Order) -> tuple[str, Decimal]:
    """What an open order holds back, and of which coin."""
    left, price = order.size - order.filled, order.price or ZERO
    if order.product is not Product.SPOT:
        needed = margin_of(order.pair, left, price, order.leverage) if order.opens else ZERO
        return order.pair.settled, needed
    return (order.pair.base, left) if order.side == "sell" else (order.pair.quote, left * price)
