"""What a Bitget key may do, and whose it is: of the classic account (v2) and of the unified one (v3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from backend.exchanges.bitget.account.asking import asked
from backend.exchanges.bitget.account.unified_rows import Rates
from backend.exchanges.private.venue import Call
from backend.exchanges.private.wire import Id, Told, When
from backend.trading.account_keys import Keys
from backend.trading.rows import FeeRates, KeyFacts, Product, Right

CLASSIC_INFO, UNIFIED_INFO = "/api/v2/spot/account/info", "/api/v3/account/info"
CLASSIC_RATES = "/api/v2/common/trade-rate"

LIMITS: Mapping[str, int] = {CLASSIC_INFO: 1, UNIFIED_INFO: 5, CLASSIC_RATES: 10}
"""Questions a second of an account."""

TRADING = frozenset(("coow", "cpow", "stow", "smow", "ttow", "uta_trade", "trade"))
TRANSFERRING = frozenset(("wtow", "transfer"))
"""The venue's words for what a key may write; v2 has four letters for each. Others are not known."""


class Info(msgspec.Struct, rename="camel"):
    user_id: Id
    ips: list[str] | str = ""
    authorities: list[str] = []
    permissions: list[str] = []
    perm_type: str = ""
    regis_time: When | None = None

    def facts(self) -> KeyFacts:
        ips = self.ips.split(",") if isinstance(self.ips, str) else self.ips
        return KeyFacts(
            rights=frozenset(self._rights()),
            addresses=tuple(address for ip in ips if (address := ip.strip())),
            registered=self.regis_time,
        )

    def _rights(self) -> Iterator[Right]:
        """Every valid key reads; what a read-only key could do besides is not its right."""
        yield Right.READ
        said = {word.lower() for word in (*self.authorities, *self.permissions)}
        if "only" not in self.perm_type.lower():
            yield from _told(said)
        elif any(map(_withdraws, said)):
            yield Right.WITHDRAW


def _told(said: Iterable[str]) -> Iterator[Right]:
    for word in said:
        if word in TRADING:
            yield Right.TRADE
        elif word in TRANSFERRING:
            yield Right.TRANSFER
        elif _withdraws(word):
            yield Right.WITHDRAW
        elif not _reads(word):
            yield Right.OTHER


def _withdraws(word: str) -> bool:
    return word == "wwow" or "withdraw" in word


def _reads(word: str) -> bool:
    """v2's words for reading end with "r"; `readonly` is an older one."""
    return word in ("readonly", "read") or (len(word) == 4 and word.endswith("r"))


def uid(path: str) -> Call[str]:
    """The account that a key belongs to."""
    return asked(path, {}, Told[Info], lambda said: str(said.data.user_id))


def classic_key(_keys: Keys) -> Call[KeyFacts]:
    return asked(CLASSIC_INFO, {}, Told[Info], lambda said: said.data.facts())


def unified_key(_keys: Keys) -> Call[KeyFacts]:
    return asked(UNIFIED_INFO, {}, Told[Info], lambda said: said.data.facts())


def classic_fees(product: Product, symbol: str) -> Call[FeeRates]:
    """What trading a symbol costs."""
    params = {"symbol": symbol, "businessType": "spot" if product is Product.SPOT else "mix"}
    return asked(CLASSIC_RATES, params, Told[Rates], lambda said: said.data.rates())
