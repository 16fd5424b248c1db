"""Keeping checked candles: on disk first, then in the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from backend.core.candles import Candle, held_by
from backend.core.coverage import Coverage
from backend.core.series import Series
from backend.precedence import Precedence
from backend.services.ports import CandleStore, Written
from backend.services.syncing.ledger import Ledger

CHUNK = 2_000


async def keep(
    series: Series,
    candles: Sequence[Candle],
    store: CandleStore,
    ledger: Ledger,
    precedence: Precedence | None = None,
) -> Written:
    """Store ascending candles in chunks, and claim them when all are on disk. What has `precedence` goes
    between the chunks.

    An interruption leaves candles that the ledger does not claim. That does no harm: they are written once
    more.
    """
    precedence = precedence or Precedence()
    inserted = replaced = 0
    for first in range(0, len(candles), CHUNK):
        async with precedence.turn():
            async for part in precedence.parts(candles[first : first + CHUNK]):
                written = await store.write(series, part)
                inserted += written.inserted
                replaced += written.replaced
    held = held_by(candles)

    def claimed(known: Coverage) -> Coverage:
        return known.with_held(held)

    await ledger.record(claimed, rewritten=bool(inserted or replaced))
    return Written(inserted, replaced)
