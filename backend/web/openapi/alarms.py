"""The routes of alarms and strategies. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import answer, answer_header, errors, operation, ref
from backend.web.openapi.requests import in_body, in_query
from backend.web.openapi.trading import ID, ONE, SECURITY
from backend.web.server.json_schema import Json
from backend.web.trading import strategy_parameters as asked

TAG = "alarms"
NAME: Json = ID | {"description": "The strategy's name"}


def paths() -> dict[str, Json]:
    """All of them."""
    changed = STORED | errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
    new = ref("NewStrategyAnswer")
    one = {"200": answer("The strategy", ref("StrategyAnswer"))}
    told = {"200": answer("The alarm, and the orders that it led to", ref("AlarmAnswer"))}
    return {
        "/webhook": {"post": _webhook("receiveAlarm")},
        "/webhook/{id}": {
            "parameters": [ID | {"description": "The strategy's token"}],
            "post": _webhook("receiveAlarmByToken"),
        },
        "/strategies": {
            "get": _operation(
                "listStrategies",
                "All strategies",
                {"200": answer("By name", ref("StrategiesAnswer"))} | STORED,
            ),
            "post": _operation(
                "addStrategy",
                "Make a strategy; its token is told only now",
                {"201": answer("It is made", new, headers={"Location": answer_header("Its address")})}
                | changed,
                requestBody=in_body(asked.ADDING, ()),
            ),
        },
        "/strategies/{id}": {
            "parameters": [NAME],
            "get": _operation("getStrategy", "One strategy", one | ONE),
            "patch": _operation(
                "changeStrategy",
                "Change what is given; each change is a revision",
                one | changed,
                requestBody=in_body(asked.CHANGEABLE, ()),
            ),
            "delete": _operation("removeStrategy", "Take a strategy out of use; its alarms stay", one | ONE),
        },
        "/strategies/{id}/revisions": {
            "parameters": [NAME],
            "get": _operation(
                "listStrategyRevisions",
                "All revisions of a strategy, newest first",
                {"200": answer("The newest first", ref("StrategyRevisionsAnswer"))} | ONE,
            ),
        },
        "/strategies/{id}/token": {
            "parameters": [NAME],
            "post": _operation(
                "newToken",
                "Give a strategy another token; the old one is worth nothing from now on",
                {"200": answer("The token is told only now", new)} | changed,
            ),
        },
        "/strategies/{id}/alert-template": {
            "parameters": [NAME],
            "get": _operation(
                "alertTemplate",
                "What to paste into an alert on the chart",
                {"200": answer("Address and message", ref("AlertTemplateAnswer"))} | ONE,
            ),
        },
        "/strategies/{id}/test": {
            "parameters": [NAME],
            "post": _operation(
                "testStrategy",
                "Send an alarm through the whole way, on a paper account",
                told | changed,
                requestBody=in_body(asked.TESTING, ()),
            ),
        },
        "/strategies/{id}/replay": {
            "parameters": [NAME],
            "post": _operation(
                "replayStrategy",
                "Replay the stored alarms of a strategy against the stored candles",
                {
                    "202": answer(
                        "It is accepted",
                        ref("ReplayAnswer"),
                        headers={"Location": answer_header("Where to ask for it")},
                    )
                }
                | changed
                | errors(HTTPStatus.TOO_MANY_REQUESTS),
                requestBody=in_body(asked.REPLAYING, ()),
            ),
        },
        "/replays": {
            "get": _operation(
                "listReplays",
                "Replays, newest first, without their results",
                {"200": answer("The newest first", ref("ReplaysAnswer"))} | STORED,
                in_query(asked.REPLAYS),
            )
        },
        "/replays/{id}": {
            "parameters": [ID | {"description": "The replay's id"}],
            "get": _operation(
                "getReplay",
                "A replay: equity, trades, fees, and what differs from what really happened",
                {"200": answer("As it is", ref("ReplayAnswer"))} | ONE,
            ),
            "delete": _operation(
                "cancelReplay",
                "Cancel a replay; one that is over stays as it is",
                {"200": answer("As it is", ref("ReplayAnswer"))} | ONE,
            ),
        },
        "/alarms": {
            "get": _operation(
                "listAlarms",
                "Alarms, newest first",
                {"200": answer("The newest first", ref("AlarmsAnswer"))} | STORED,
                in_query(asked.ALARMS),
            )
        },
        "/alarms/{id}": {
            "parameters": [ID | {"description": "The alarm's id"}],
            "get": _operation("getAlarm", "An alarm with everything that followed from it", told | ONE),
        },
        "/operations": {
            "get": _operation(
                "listOperations",
                "Orders that alarms led to, those of the newest alarm first; the limit counts alarms",
                {"200": answer("With fees and profit", ref("OperationsAnswer"))} | STORED,
                in_query(asked.ALARMS),
            )
        },
    }


def _webhook(name: str) -> Json:
    return operation(
        TAG,
        name,
        "An alarm comes in: it is stored, and carried out after the answer. The address and the token let "
        "it in; the content type does not matter",
        {"200": answer("It is stored", ref("AlarmReceived"))} | STORED,
        requestBody={
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object", "additionalProperties": True},
                }
            },
        },
    )


def _operation(
    name: str, summary: str, answers: dict[str, Any], parameters: Sequence[Json] = (), **more: Any
) -> Json:
    return operation(TAG, name, summary, answers, parameters, security=SECURITY, **more)
