"""BingX's envelopes: `{"code":0,"msg":"","data":...}`, errors with HTTP 200 and a code, few real statuses.

Source: https://bingx-api.github.io/docs-v3 (error codes). Spot errors carry a timestamp and no data, swap
ones an empty object where a success has a list. An error:
{"code":109400,"msg":"Invalid parameters, err:symbol: This field must end with -USDT or -USDC.","data":{}}
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from tests.simulator.answers import Answer, html_answer, json_answer

BUSY = "The current system is busy, please try again later"
MESSAGES = {
    100204: "",
    100400: "this api is not exist,please refer to the API docs https://bingx-api.github.io/docs",
    100410: BUSY,
    100500: BUSY,
    100503: BUSY,
    101500: BUSY,
    109400: "Invalid parameters, err:limit: This field must be less than or equal to 1440. ",
    109415: "BTC-USDT is pause currently",
    109425: "BTC-USDT not exist, please verify it in api: /openApi/swap/v2/quote/contracts",
    109429: "Too many invalid requests",
    109500: BUSY,
    110500: BUSY,
}
"""Texts of codes that a fault may ask for; other codes come without one."""
STATUS_CODES = {500: 100500, 503: 100503}
FIRST_CODE = 1000
"""From here on a status is none of HTTP but a code of BingX."""


def success(data: Any, **extra: Any) -> Answer:
    """Return an answer that succeeded; `extra` are the envelope's further fields."""
    return json_answer({"code": 0, "msg": "", **extra, "data": data})


def page(rows: list[bytes], timestamp: int | None = None) -> Answer:
    """Return candles; with a timestamp (ms UTC) as spot does, which has no `msg`."""
    head = (
        b'{"code":0,"msg":"","data":['
        if timestamp is None
        else b'{"code":0,"timestamp":%d,"data":[' % timestamp
    )
    return Answer(200, head + b",".join(rows) + b"]}")


def swap_error(code: int, message: str) -> Answer:
    """Return an error of the swap endpoints."""
    return json_answer({"code": code, "msg": message, "data": {}})


def spot_error(code: int, message: str, timestamp: int) -> Answer:
    """Return an error of the spot endpoints; the timestamp is in ms UTC."""
    return json_answer({"code": code, "msg": message, "timestamp": timestamp})


def no_route() -> Answer:
    """Return what an unknown path gets: HTTP 200 and a code."""
    return json_answer({"code": 100400, "msg": MESSAGES[100400]})


def refusal(status: int) -> Answer:
    """Return the refusal of too many requests. The exact body is not documented."""
    return json_answer({"code": 100410, "msg": "Request rate limit exceeded", "data": None}, status)


def failure(status: int, retry_after: int | None) -> Answer:
    """Return the answer of a status, or of a BingX code with HTTP 200."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return replace(_failure(status), headers=headers)


def _failure(status: int) -> Answer:
    if status >= FIRST_CODE:
        return swap_error(status, MESSAGES.get(status, ""))
    if status in (418, 429):
        return refusal(status)
    if status in STATUS_CODES:
        return json_answer({"code": STATUS_CODES[status], "msg": BUSY, "debugMsg": ""}, status)
    if status == 403:
        return html_answer(status, "ERROR: The request could not be satisfied")
    return html_answer(status, f"{status} {HTTPStatus(status).phrase}")
