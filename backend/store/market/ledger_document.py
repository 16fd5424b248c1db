"""How a ledger is written as a document, and read again. Pure.

{"_id": "binance.spot.BTCUSDT", "exchange": "binance", "market": "spot", "symbol": "BTCUSDT",
 "since": 1748736000000, "until": .., "held": {"674": true, "675": [0, 17, 21, 43200], "676": <bits>},
 "held_to": .., "tail": [start, end],
 "void": [{"start": .., "end": .., "reason": "no_data", "confirmed": .., "ask_again": ..}, ...],
 "lease": {"token": .., "owner": .., "until": <date>}}

Held minutes are in blocks of thirty days (`core/minutes.py`), so that a write sends only changed blocks:
`true` for a full block, minutes for a block with few runs, bits for a block with many runs. `tail` are the
minutes that were pushed later, after the last held minute. The next holder of the ledger moves them into the
blocks. `held_to` is where both end. Older versions wrote `held` as one list of windows.
"""

from __future__ import annotations

from backend.core.coverage import Coverage, Void
from backend.core.minutes import BLOCK, FULL, Minutes, bits_of, runs_of
from backend.core.windows import Window
from backend.store.mongo import Document

MOST_EDGES = 200
"""A block with more edges of runs is written as its bits, which take 5,400 bytes."""


def document_of(coverage: Coverage) -> Document:
    """All fields but the identity and the lease."""
    blocks = {str(number): _block(bits) for number, bits in coverage.held.blocks.items()}
    return {**_scalars(coverage), "void": _voids(coverage), "held": blocks}


def change_of(coverage: Coverage, saved: Coverage) -> Document:
    """The update that turns a ledger from `saved` into `coverage`, with all that is held in blocks."""
    now, before = coverage.held.blocks, saved.held.blocks
    changed = {f"held.{number}": _block(bits) for number, bits in now.items() if before.get(number) != bits}
    gone = {f"held.{number}": 1 for number in before.keys() - now.keys()}
    return {
        "$set": {**_scalars(coverage), "void": _voids(coverage), **changed},
        "$unset": {"tail": 1, **gone},
    }


def _scalars(coverage: Coverage) -> Document:
    held_to = coverage.held.end if coverage.held else None
    return {"since": coverage.since, "until": coverage.until, "held_to": held_to}


def _voids(coverage: Coverage) -> list[Document]:
    return [
        {
            "start": void.window.start,
            "end": void.window.end,
            "reason": void.reason,
            "confirmed": void.confirmed,
            "ask_again": void.ask_again,
        }
        for void in coverage.voids
    ]


def _block(bits: int) -> bool | list[int] | bytes:
    if bits == FULL:
        return True
    packed = bits.to_bytes(BLOCK // 8, "little")
    if (bits ^ bits >> 1).bit_count() > MOST_EDGES:
        return packed
    return [edge for run in runs_of(bits) for edge in run]


def _bits(block: bool | list[int] | bytes) -> int:
    if block is True:
        return FULL
    if isinstance(block, bytes):
        return int.from_bytes(block, "little")
    assert isinstance(block, list)
    return sum(bits_of(first, end) for first, end in zip(block[::2], block[1::2], strict=True))


def _held(document: Document) -> Minutes:
    held = document["held"]
    if isinstance(held, list):
        return Minutes.of(Window(start, end) for start, end in held)
    return blocks_of(document).united([Window(*document["tail"])] if document.get("tail") else [])


def blocks_of(document: Document) -> Minutes:
    """What is held by its blocks alone."""
    return Minutes({int(number): _bits(block) for number, block in document["held"].items()})


def coverage_of(document: Document) -> Coverage:
    """What a document says, of whatever version."""
    voids = tuple(
        Void(Window(void["start"], void["end"]), void["reason"], void["confirmed"], void["ask_again"])
        for void in document["void"]
    )
    return Coverage(document["since"], _held(document), voids, document["until"])
