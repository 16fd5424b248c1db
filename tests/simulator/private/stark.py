"""Stark signatures of Extended, in plain Python and by an implementation of its own.

Source: SNIP-12, revision 1, and the parameters of Starknet's curve (https://docs.starkware.co/starkex). A
verification takes about 50 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import NamedTuple

P = 2**251 + 17 * 2**192 + 1
"""The field."""
ORDER = 0x800000000000010FFFFFFFFFFFFFFFFB781126DCAE7B2321E66A241ADC64D2F
"""The order of the curve's group."""
ALPHA = 1
BETA = 0x6F21413EFBE40DE150E596D72F7A8C5609AD26C15C915C1F4CDFCB99CEE9E89
Point = tuple[int, int] | None
GENERATOR: Point = (
    0x1EF15C18599971B7BECED415A40F0C7DEACFD9B0D1819E03D723D8BC943CFCA,
    0x5668060AA49730B7BE4801DF46EC62DE53ECD11ABE43A32873000C36E8DC1F,
)

FULL_ROUNDS, PARTIAL_ROUNDS = 8, 83

ORDER_TYPE = 0x36DA8D51815527CABFAA9C982F564C80FA7429616739306036F1F9B608DD112
DOMAIN_TYPE = 0x1FF2F602E42168014D405A94F75E8A93D640751D71D16311266E140D8B0A210
"""Selectors of the types that are signed."""
MAINNET, TESTNET = "SN_MAIN", "SN_SEPOLIA"


class Order(NamedTuple):
    """What is signed of an order, in the order of its fields."""

    position: int
    base_asset: int
    base: int
    quote_asset: int
    quote: int
    fee_asset: int
    fee: int
    expiration: int
    salt: int


def order_hash(order: Order, public_key: int, chain: str) -> int:
    """The hash that the owner of a key signs."""
    return message_hash(poseidon([ORDER_TYPE, *order]), public_key, chain)


def message_hash(struct_hash: int, public_key: int, chain: str) -> int:
    """The hash of a typed message of a key."""
    domain = poseidon([DOMAIN_TYPE, text("Perpetuals"), text("v0"), text(chain), text("1")])
    return poseidon([text("StarkNet Message"), domain, public_key, struct_hash])


def text(short: str) -> int:
    """A short text as a number; a figure is the number itself."""
    return int(short) if short.isdigit() else int.from_bytes(short.encode(), "big")


def poseidon(numbers: Sequence[int]) -> int:
    """The hash of numbers of the field."""
    padded = [number % P for number in numbers] + [1]
    padded += [0] * (len(padded) % 2)
    state = [0, 0, 0]
    for place in range(0, len(padded), 2):
        state = _hades([state[0] + padded[place], state[1] + padded[place + 1], state[2]])
    return state[0]


def verified(public_key: int, number: int, r: int, s: int) -> bool:
    """Whether the owner of a public key signed a number. The key does not tell the sign of its y: both are
    tried."""
    if not (0 < r < 2**251 and 0 < s < ORDER and 0 <= number < 2**251):
        return False
    x = public_key % P
    y = _root((x * x * x + ALPHA * x + BETA) % P)
    if y is None:
        return False
    inverse = pow(s, -1, ORDER)
    of_number = _times(number * inverse % ORDER, GENERATOR)
    for candidate in (y, P - y):
        point = _plus(of_number, _times(r * inverse % ORDER, (x, candidate)))
        if point is not None and point[0] % ORDER == r:
            return True
    return False


def public_key(private_key: int) -> int:
    """The public key of a private one."""
    point = _times(private_key, GENERATOR)
    assert point is not None
    return point[0]


@cache
def _constants() -> tuple[int, ...]:
    number = 3 * (FULL_ROUNDS + PARTIAL_ROUNDS)
    return tuple(int.from_bytes(sha256(f"Hades{one}".encode()).digest(), "big") % P for one in range(number))


def _hades(state: list[int]) -> list[int]:
    constants, half = _constants(), FULL_ROUNDS // 2
    for turn in range(FULL_ROUNDS + PARTIAL_ROUNDS):
        a, b, c = ((one + constants[3 * turn + place]) % P for place, one in enumerate(state))
        is_full = turn < half or turn >= half + PARTIAL_ROUNDS
        if is_full:
            a, b = pow(a, 3, P), pow(b, 3, P)
        c = pow(c, 3, P)
        state = [(3 * a + b + c) % P, (a - b + c) % P, (a + b - 2 * c) % P]
    return state


def _plus(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2:
        if (y1 + y2) % P == 0:
            return None
        slope = (3 * x1 * x1 + ALPHA) * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def _times(number: int, point: Point) -> Point:
    made: Point = None
    while number:
        if number & 1:
            made = _plus(made, point)
        point, number = _plus(point, point), number >> 1
    return made


def _root(square: int) -> int | None:
    """A square root in the field, after Tonelli and Shanks; None where there is none."""
    if pow(square, (P - 1) // 2, P) != 1:
        return None
    odd, twos = P - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    factor, rest, root = pow(3, odd, P), pow(square, odd, P), pow(square, (odd + 1) // 2, P)
    while rest != 1:
        again, steps = rest, 0
        while again != 1:
            again, steps = again * again % P, steps + 1
        step = pow(factor, 1 << (twos - steps - 1), P)
        root, factor = root * step % P, step * step % P
        rest, twos = rest * factor % P, steps
    return root
