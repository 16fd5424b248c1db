"""What is stored of an account's history, and how complete it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.clock import Clock
from backend.services.accounts.accounts import Accounts
from backend.services.history.ports import HistoryStore, Ledger, Place, RowsWanted
from backend.trading.account import Account
from backend.trading.history import (
    TOO_LATE,
    Kind,
    Row,
    Standing,
    StreamLedger,
    StreamName,
    standing,
)
from backend.trading.proof import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """The state of an account's history: every stream, the time of the last reading (ms), and the proof."""

    account: Account
    streams: Sequence[tuple[StreamName, Standing]]
    read: int | None
    proof: Proof | None
    proved: int | None

    @property
    def is_complete(self) -> bool:
        """Whether everything that the venue can tell is held, without doubt."""
        return all(stands.is_complete for _, stands in self.streams)


class Histories:
    """All may raise UnknownAccount and DatabaseUnavailable."""

    def __init__(self, *, accounts: Accounts, store: HistoryStore, clock: Clock) -> None:
        self._accounts = accounts
        self._store = store
        self._clock = clock

    async def completeness(self, account_id: str) -> Completeness:
        """The state of an account's history at its last reading; the present state if it was never read."""
        account = await self._accounts.get(account_id)
        known = await self._store.load(account_id)
        first, now = self._accounts.began(account), known.read or self._clock.now()
        # Our clock may be a little behind the venue's, by which windows are asked for.
        today = self._clock.now() + TOO_LATE
        streams = [
            (
                name,
                standing(
                    known.ledger.get(name, StreamLedger()),
                    self._accounts.offer(account, name.kind, name.product),
                    first,
                    now,
                    today,
                ),
            )
            for name in self._names(account, known.ledger)
        ]
        return Completeness(
            account=account, streams=streams, read=known.read, proof=known.proof, proved=known.proved
        )

    async def page(
        self, kind: Kind, wanted: RowsWanted, after: Place | None, limit: int
    ) -> Sequence[tuple[Place, Row]]:
        """Up to `limit` stored rows behind a place, oldest first."""
        await self._accounts.get(wanted.account)
        return await self._store.page(kind, wanted, after, limit)

    def _names(self, account: Account, ledger: Ledger) -> list[StreamName]:
        """Every stream: those of products, and where symbols have their own, those of known symbols."""
        names = []
        for product in self._accounts.products(account):
            for kind in Kind:
                own = sorted(name for name in ledger if name[:2] == (kind, product) and name.symbol)
                names += own or [StreamName(kind, product)]
        return names
