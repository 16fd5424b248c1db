"""Answers of Extended to an account."""

from __future__ import annotations

import json
from typing import Any

from backend.exchanges.base import Answer


def told(data: Any, *, cursor: object = None, status: int = 200) -> Answer:
    """A success, or a page where a cursor is given."""
    pagination = {} if cursor is None else {"pagination": {"cursor": cursor, "count": len(data)}}
    return Answer(status, {}, json.dumps({"status": "OK", "data": data} | pagination).encode())


def refused(code: object, status: int = 400, message: str = "no") -> Answer:
    """A refusal."""
    error = {"code": code, "message": message}
    return Answer(status, {}, json.dumps({"status": "ERROR", "error": error}).encode())
