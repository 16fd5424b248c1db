"""Extended's envelopes: `{"status":"OK","data":...}`, and `{"status":"ERROR","error":{...}}` with HTTP 4xx.

Source: https://api.docs.extended.exchange (error responses). Which status comes with which code is not
documented; 404 for 1001 and 400 for 1005 are assumed. Errors without a code of their own carry the status.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from tests.simulator.answers import Answer, html_answer, json_answer

ERRORS = {
    1000: (404, "Asset not found."),
    1001: (404, "Market not found."),
    1002: (400, "Market is disabled."),
    1003: (404, "Market group not found."),
    1004: (404, "Account not found."),
    1005: (400, "Not supported interval."),
    1006: (500, "Application error."),
    1010: (500, "Maintenance mode."),
    1011: (400, "Post only mode."),
    1012: (400, "Reduce only mode."),
}
"""HTTP status and message by code."""
STATUSES = {
    400: (400, "Bad request."),
    401: (401, "Unauthorized."),
    403: (403, "Forbidden."),
    404: (404, "Not found."),
    422: (422, "Unprocessable entity."),
    429: (429, "Rate limit exceeded."),
    500: (1006, "Application error."),
}
"""Code and message by HTTP status; other statuses come from a proxy, as a page."""
FIRST_CODE = 1000
"""From here on a status is none of HTTP but a code of Extended."""


class Rejected(Exception):
    """A request that Extended answers with a status and an error object."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message

    @property
    def answer(self) -> Answer:
        """Return the answer."""
        error = {"code": self.code, "message": self.message}
        return json_answer({"status": "ERROR", "error": error}, self.status)


def success(data: Any) -> Answer:
    """Return an answer that succeeded."""
    return json_answer({"status": "OK", "data": data})


def page(rows: list[bytes]) -> Answer:
    """Return candles."""
    return Answer(200, b'{"status":"OK","data":[' + b",".join(rows) + b"]}")


def rejected(code: int) -> Rejected:
    """Return the rejection of a code."""
    status, message = ERRORS.get(code, (400, ""))
    return Rejected(status, code, message)


def refused(status: int) -> Answer:
    """Return the error object of a documented status."""
    return Rejected(status, *STATUSES[status]).answer


def failure(status: int, retry_after: int | None) -> Answer:
    """Return the answer of a status, or of one of Extended's codes with its status."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return replace(_failure(status), headers=headers)


def _failure(status: int) -> Answer:
    if status >= FIRST_CODE:
        return rejected(status).answer
    if status in STATUSES:
        return refused(status)
    return html_answer(status, f"{status} {HTTPStatus(status).phrase}")
