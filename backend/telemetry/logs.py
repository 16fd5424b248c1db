"""How log lines look: for people, or as one JSON object each. Whoever logs uses `logging.getLogger`.

A line says what was bound to the work under way: the request's id, the job's. What a call passes in `extra`
becomes fields of the JSON object. Secrets are hidden in all of it, tracebacks included.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Literal

from structlog.contextvars import bind_contextvars, bound_contextvars, merge_contextvars
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import EventRenamer, JSONRenderer, TimeStamper, format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor, WrappedLogger

from backend.telemetry.masking import masker

LogFormat = Literal["console", "json"]


def bound(**facts: str) -> AbstractContextManager[object]:
    """Let every line that the work inside logs say these facts too."""
    return bound_contextvars(**facts)


def bind(**facts: str) -> None:
    """The same for all that this task still does."""
    bind_contextvars(**facts)


def configure(level: str, style: LogFormat, secrets: Iterable[str]) -> None:
    """Send what is logged from `level` on to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(style, masker(secrets)))
    logging.basicConfig(level=level, handlers=[handler])


def formatter(style: LogFormat, mask: Callable[[str], str]) -> logging.Formatter:
    """What makes a line of a record, ours or a library's."""
    facts: list[Processor] = [merge_contextvars, add_log_level, add_logger_name]
    if style == "json":
        facts.append(ExtraAdder())
    return ProcessorFormatter(
        foreign_pre_chain=[*facts, TimeStamper(fmt="iso", utc=True), format_exc_info],
        processors=[ProcessorFormatter.remove_processors_meta, _masking(mask), *_rendering(style)],
    )


class MaskedFormatter(logging.Formatter):
    """Plain lines without secrets, for the command line."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        super().__init__("%(message)s")
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(super().format(record))


def _rendering(style: LogFormat) -> list[Processor]:
    if style == "json":
        return [EventRenamer("message"), JSONRenderer()]
    return [ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain_traceback, pad_event_to=0)]


def _masking(mask: Callable[[str], str]) -> Processor:
    def process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        plain = (int, float, type(None))
        return {
            name: value if isinstance(value, plain) else mask(str(value)) for name, value in event.items()
        }

    return process
