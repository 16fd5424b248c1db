"""Reads a client's `Accept` and `Accept-Encoding` headers. Pure.

https://www.rfc-editor.org/rfc/rfc9110#name-content-negotiation
"""

from __future__ import annotations

from backend.formats import FORMATS, Format

CODINGS = ("zstd", "gzip")
"""If weights are equal, the first one is chosen."""

ANY = "*"

MEDIA_TYPES = {one.media_type.partition(";")[0]: one for one in FORMATS.values() if one.name != "columns"}
"""Formats by media type; `columns` is JSON as well and has to be asked for by name."""


def accepted_format(accept: str) -> Format:
    """The format that an `Accept` header prefers; JSON if it names none of ours."""
    named = [(weight, MEDIA_TYPES[kind]) for kind, weight in weighed(accept) if kind in MEDIA_TYPES]
    liked = [one for one in named if one[0] > 0]
    return max(liked, key=lambda one: one[0])[1] if liked else FORMATS["json"]


def accepted_coding(accept_encoding: str) -> str | None:
    """The coding that an `Accept-Encoding` header prefers; None for none."""
    weights = dict(weighed(accept_encoding))
    anything = weights.get(ANY, 0.0)
    best = max(CODINGS, key=lambda coding: weights.get(coding, anything))
    weight = weights.get(best, anything)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


def weighed(header: str) -> list[tuple[str, float]]:
    """The items of a header with their weights, in order; a weight that cannot be read is 0."""
    choices = []
    for item in header.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weights = [_weight(part[2:]) for part in parameters if part.startswith("q=")]
        if name:
            choices.append((name, weights[0] if weights else 1.0))
    return choices


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
