"""Log lines: for people or as JSON, with what is bound to the work, and never with a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from backend.telemetry.logs import LogFormat, MaskedFormatter, bind, bound, formatter
from backend.telemetry.masking import masker

SECRET = "hunter2-s3cret"


@contextmanager
def logging_to(form: logging.Formatter) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of the test's own and what it has written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(form)
    logger = logging.Logger("backend.test")
    logger.addHandler(handler)
    yield logger, stream


def json_line(stream: io.StringIO) -> dict[str, Any]:
    """The only line, which is a JSON object."""
    (line,) = stream.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_json_line_has_its_message_and_its_fields() -> None:
    with logging_to(formatter("json", masker([]))) as (log, stream):
        log.warning("%s took %d ms", "this", 5, extra={"status": 200, "milliseconds": 5.5, "error": None})
    line = json_line(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "message": "this took 5 ms",
        "level": "warning",
        "logger": "backend.test",
        "status": 200,
        "milliseconds": 5.5,
        "error": None,
    }


def test_a_line_says_what_is_bound_to_the_work() -> None:
    with logging_to(formatter("json", masker([]))) as (log, stream), bound(request_id="abc"):
        log.info("inside")
    assert json_line(stream)["request_id"] == "abc"


async def test_what_a_task_binds_stays_with_it() -> None:
    bind(job="ours")
    with logging_to(formatter("json", masker([]))) as (log, stream):
        log.info("still here")
    assert json_line(stream)["job"] == "ours"


def test_after_the_work_its_facts_are_forgotten() -> None:
    with logging_to(formatter("json", masker([]))) as (log, stream):
        with bound(request_id="abc"):
            pass
        log.info("outside")
    assert "request_id" not in json_line(stream)


def test_a_line_break_in_a_message_cannot_forge_a_line() -> None:
    with logging_to(formatter("json", masker([]))) as (log, stream):
        log.info('first\n{"message": "forged"}')
    assert json_line(stream)["message"] == 'first\n{"message": "forged"}'


def test_a_console_line_is_for_people() -> None:
    with logging_to(formatter("console", masker([]))) as (log, stream), bound(request_id="abc"):
        log.info("GET / 200", extra={"route": "/"})
    (line,) = stream.getvalue().splitlines()
    assert "GET / 200" in line
    assert "request_id=abc" in line
    assert "route" not in line


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_secret_is_hidden_wherever_it_stands(style: LogFormat) -> None:
    with logging_to(formatter(style, masker([SECRET]))) as (log, stream), bound(url=f"http://u:{SECRET}@h"):
        try:
            raise ValueError(f"wrong password {SECRET}")
        except ValueError:
            log.exception("in %s", {"password": SECRET}, extra={"detail": [SECRET]})
    assert "ValueError" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_the_command_line_hides_secrets_too() -> None:
    with logging_to(MaskedFormatter(masker([SECRET]))) as (log, stream):
        try:
            raise ValueError(SECRET)
        except ValueError:
            log.exception("with %s", SECRET)
    assert "ValueError" in stream.getvalue()
    assert SECRET not in stream.getvalue()
