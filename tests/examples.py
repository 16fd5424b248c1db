"""How many examples a property test takes that needs more or fewer than most."""

from __future__ import annotations

from hypothesis import settings

THOROUGH = 100
"""Examples of most property tests in `make test-all`."""

QUICK = 25
"""Examples of most property tests in `make test`."""


def examples(thorough: int) -> int:
    """So many where most take THOROUGH, fewer where they take fewer."""
    most: int = settings().max_examples
    return thorough * most // THOROUGH
