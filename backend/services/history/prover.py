"""Compares what the histories of an account say. No more than one order's fills are in memory at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from backend.core.windows import Spans, Window, intersect
from backend.services.history.ports import HistoryStore, Ledger
from backend.trading.history import Kind, StreamName
from backend.trading.proof import BalanceChain, FeeSums, Proof, check_order
from backend.trading.rows import Product

MOST_DIFFERENCES = 100

FEE_WORDS: Mapping[str, bool] = MappingProxyType({"TRADING_FEE": True})
"""BingX's word for a change that is a fee; Bitget tells the fee of a bill beside its amount."""


class Prover:
    """Proves what is stored of an account, as far as it is held."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store

    async def prove(self, account: str, ledger: Ledger, products: Sequence[Product]) -> Proof:
        """Compare all that can be compared."""
        proof = Proof(MOST_DIFFERENCES)
        for product in products:
            await self._prove_product(proof, account, product, ledger)
        return proof

    async def _prove_product(self, proof: Proof, account: str, product: Product, ledger: Ledger) -> None:
        orders_held = held(ledger, Kind.ORDERS, product)
        fills_held = held(ledger, Kind.FILLS, product)
        bills_held = held(ledger, Kind.BILLS, product)
        async for order, fills in self._store.orders_with_fills(account, product):
            of_symbol = symbol_held(ledger, product, order.symbol if order else fills[0].symbol)
            check_order(proof, order, fills, orders_held=orders_held, fills_held=fills_held or of_symbol)
        sums = FeeSums(product, FEE_WORDS, _both(fills_held, bills_held))
        async for fill in self._store.fills(account, product):
            sums.add_fill(fill)
        chain, coin = BalanceChain(MOST_DIFFERENCES, bills_held), None
        async for bill in self._store.bills(account, product):
            sums.add_bill(bill)
            if bill.coin != coin:
                chain.finish(proof)
                chain, coin = BalanceChain(MOST_DIFFERENCES, bills_held), bill.coin
            chain.add(bill)
        chain.finish(proof)
        sums.finish(proof)


def held(ledger: Ledger, kind: Kind, product: Product) -> Spans:
    """What is held of a stream that tells of all symbols; of one by symbols, what is held of all of them."""
    if whole := ledger.get(StreamName(kind, product)):
        return whole.held
    streams = [stream.held for name, stream in ledger.items() if name[:2] == (kind, product)]
    common = streams[0] if streams else ()
    for other in streams[1:]:
        common = _both(common, other)
    return common


def symbol_held(ledger: Ledger, product: Product, symbol: str) -> Spans:
    """What is held of the fills of one symbol."""
    stream = ledger.get(StreamName(Kind.FILLS, product, symbol))
    return stream.held if stream else ()


def _both(one: Spans, other: Spans) -> Spans:
    return tuple(part for window in other for part in intersect(one, Window(*window)))
