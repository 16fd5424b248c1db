"""Proofs as documents."""

from __future__ import annotations

from decimal import Decimal

from backend.store.mongo import Document
from backend.trading.proof import Check, Difference, Proof
from backend.trading.rows import Product


def proof_document(proof: Proof) -> Document:
    """A proof as it is stored; money is text, since nobody adds it up."""
    return {
        "most": proof.most,
        "checked": {check.value: number for check, number in proof.checked.items()},
        "found": proof.found,
        "differences": [
            one._asdict()
            | {
                "check": one.check.value,
                "product": one.product.value,
                "expected": format(one.expected, "f"),
                "found": format(one.found, "f"),
            }
            for one in proof.differences
        ],
    }


def read_proof(document: Document) -> Proof:
    """The proof of a document."""
    return Proof(
        document["most"],
        {check: document["checked"].get(check.value, 0) for check in Check},
        document["found"],
        [
            Difference(
                Check(one["check"]),
                Product(one["product"]),
                one["symbol"],
                one["coin"],
                one["id"],
                one["time"],
                Decimal(one["expected"]),
                Decimal(one["found"]),
            )
            for one in document["differences"]
        ],
    )
