"""The form of log lines: for people, or one JSON object each. All code logs with `logging.getLogger`.

A line contains the facts that are bound to the current work: the id of the request or of the job. Values in
`extra` become fields of the JSON object. Secrets are hidden everywhere, also in tracebacks.
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
    """Add these facts to every log line inside the block."""
    return bound_contextvars(**facts)


def bind(**facts: str) -> None:
    """The same for the rest of this task."""
    bind_contextvars(**facts)


def configure(level: str, style: LogFormat, secrets: Iterable[str]) -> None:
    """Send log lines of `level` and above to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(style, masker(secrets)))
    logging.basicConfig(level=level, handlers=[handler])


def formatter(style: LogFormat, mask: Callable[[str], str]) -> logging.Formatter:
    """The formatter of a record, ours or a library's."""
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
