"""The JSON of parts that several answers share."""

from __future__ import annotations

from backend.clock import LATEST, iso
from backend.core.job import Failure
from backend.core.windows import MINUTE, Window
from backend.web.api import common_shapes

MOST_WINDOWS = 1000
ALL_TIME = Window(0, LATEST)


def failure_shape(failure: Failure | None) -> common_shapes.Failure | None:
    return failure and common_shapes.Failure(code=failure.code, message=failure.message)


def window_shape(start: int, end: int) -> common_shapes.Window:
    return common_shapes.Window(iso(start), iso(end - MINUTE), (end - start) // MINUTE)


def maybe_iso(moment: int | None) -> str | None:
    return None if moment is None else iso(moment)
