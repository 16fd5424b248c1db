"""Compares the histories of an account with each other. At most one order's fills are in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.core.windows import Spans, Window, intersect
from backend.services.history.ports import HistoryStore, Ledger
from backend.trading.history import Kind, StreamName
from backend.trading.proof import BalanceChain, FeeSums, Proof, check_order
from backend.trading.rows import Product

MOST_DIFFERENCES = 100

FEE_WORDS = frozenset(("TRADING_FEE",))
"""BingX's word for a change that is a fee; Bitget tells the fee of a bill beside its amount."""


class Prover:
    """Compares stored rows, in the windows that are held."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store

    async def prove(self, account: str, ledger: Ledger, wallets: Sequence[Sequence[Product]]) -> Proof:
        """Compare everything that can be compared. `wallets` are groups of products that share a wallet."""
        proof = Proof(MOST_DIFFERENCES)
        for wallet in wallets:
            sums = {product: await self._prove_orders(proof, account, product, ledger) for product in wallet}
            await self._prove_bills(proof, account, ledger, sums)
        return proof

    async def _prove_orders(self, proof: Proof, account: str, product: Product, ledger: Ledger) -> FeeSums:
        """Compare orders with their fills; the sums of the fills' fees."""
        orders_held = held(ledger, Kind.ORDERS, product)
        fills_held = held(ledger, Kind.FILLS, product)
        sums = FeeSums(product, FEE_WORDS, _both(fills_held, held(ledger, Kind.BILLS, product)))
        async for order, fills in self._store.orders_with_fills(account, product):
            of_symbol = symbol_held(ledger, product, order.symbol if order else fills[0].symbol)
            check_order(proof, order, fills, orders_held=orders_held, fills_held=fills_held or of_symbol)
            for fill in fills:
                sums.add_fill(fill)
        return sums

    async def _prove_bills(
        self, proof: Proof, account: str, ledger: Ledger, sums: Mapping[Product, FeeSums]
    ) -> None:
        """Follow the balances of a wallet, coin by coin, and compare the fees that bills took."""
        bills_held: Spans | None = None
        for product in sums:
            own = held(ledger, Kind.BILLS, product)
            bills_held = own if bills_held is None else _both(bills_held, own)
        chain, coin = BalanceChain(MOST_DIFFERENCES, bills_held or ()), None
        async for bill in self._store.bills(account, list(sums)):
            sums[bill.product].add_bill(bill)
            if bill.coin != coin:
                chain.finish(proof)
                chain, coin = BalanceChain(MOST_DIFFERENCES, bills_held or ()), bill.coin
            chain.add(bill)
        chain.finish(proof)
        for one in sums.values():
            one.finish(proof)


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
