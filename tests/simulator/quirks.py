"""What an exchange's documents leave open; every default is what the reference assumes."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulator.bingx_rules import BingxRules
from tests.simulator.bitget_rules import BitgetRules
from tests.simulator.extended_rules import ExtendedRules


@dataclass(slots=True)
class Quirks:
    """Switches of undocumented behaviour; change the attributes at any time.

    `omit_empty`: no exchange has a candle for a minute without trades, `history` included.
    `binance_perpetual_unread`: Binance USD-M refuses parameters that it does not know, as spot does.
    `bitget`, `bingx` and `extended` are those exchanges' own.
    """

    omit_empty: bool = False
    binance_perpetual_unread: bool = False
    bitget: BitgetRules = field(default_factory=BitgetRules)
    bingx: BingxRules = field(default_factory=BingxRules)
    extended: ExtendedRules = field(default_factory=ExtendedRules)
