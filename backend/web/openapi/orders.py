"""The routes of orders that the service places. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import HEADERS, answer, answer_header, errors, header, operation, ref
from backend.web.openapi.requests import Parameters, in_body, in_query
from backend.web.openapi.trading import ASKED, ID, ONE, SECURITY
from backend.web.server.json_schema import Json
from backend.web.trading import account_stream, readings, setups, triggers, twaps
from backend.web.trading import order_parameters as asked
from backend.web.trading.orders import IDEMPOTENCY_KEY

TAG = "orders"
ORDER: Json = ID | {"description": "The order's id at this service"}
SENT = ASKED | errors(HTTPStatus.INTERNAL_SERVER_ERROR)


def paths() -> dict[str, Json]:
    """All of them."""
    placed = answer(
        "The exchange has the order; with `trigger_price` it waits here",
        {"oneOf": [ref("IntentAnswer"), ref("TriggerAnswer")]},
        headers={"Location": answer_header("Where to ask for the order")},
    )
    unknown = answer("It was sent, and nobody knows yet if the order exists", ref("IntentAnswer"))
    dry = answer("With `dry_run=true`: what would be sent", ref("DryRunAnswer"))
    key = header(IDEMPOTENCY_KEY, "A repeated request with the same key is the same order, and sends nothing")
    one = {"200": answer("The order as it is known now", ref("IntentAnswer"))}
    return {
        "/stream/account": _stream(),
        "/orders": {
            "get": _operation(
                "listOpenOrders",
                "All open orders of an account, whoever placed them",
                {"200": answer("The exchange's own data", ref("OpenOrdersAnswer"))} | ASKED,
                in_query(readings.READING),
            ),
            "post": _operation(
                "placeOrder",
                "Place an order, at most once",
                {"200": dry, "201": placed, "202": unknown} | SENT,
                [*in_query(asked.TRYING), key],
                requestBody=in_body(asked.ORDERING, ()),
            ),
            "delete": _operation(
                "cancelOrders",
                "Cancel all open orders of an account, or of a symbol",
                {"200": answer("What is left", ref("CancelledAnswer"))} | SENT,
                in_query(asked.OF_ACCOUNT),
            ),
        },
        "/orders/{id}": {
            "parameters": [ORDER],
            "get": _operation("getOrder", "An order that the service placed", one | ONE),
            "patch": _operation(
                "amendOrder",
                "Give an open limit order another price or size: it is ended, and its rest placed anew",
                {"201": placed, "202": unknown} | SENT,
                [key],
                requestBody=in_body(asked.AMENDING, ()),
            ),
            "delete": _operation("cancelOrder", "Cancel an order, and read what it is then", one | SENT),
        },
        "/account/leverage": {
            "get": _operation(
                "getLeverage",
                "The leverage of open positions",
                {"200": answer("The exchange's own data", ref("LeverageAnswer"))} | ASKED,
                in_query(readings.READING),
            ),
            "patch": _setup("setLeverage", "Set the leverage of a symbol", asked.SETTING_LEVERAGE),
        },
        "/account/margin-mode": {
            "get": _read_setup("getMarginMode", "How a symbol is set: leverage and modes"),
            "patch": _setup("setMarginMode", "Set the margin mode of a symbol", asked.SETTING_MARGIN_MODE),
        },
        "/account/position-mode": {
            "get": _read_setup("getPositionMode", "The same: leverage and modes"),
            "patch": _setup(
                "setPositionMode",
                "Hold both sides of a symbol, or one position",
                asked.SETTING_POSITION_MODE,
            ),
        },
        "/intents": _get(
            "listIntents", "Orders that the service placed, newest first", "IntentsAnswer", asked.INTENTS
        ),
        "/triggers": _get(
            "listTriggers", "Orders that wait for a price, newest first", "TriggersAnswer", triggers.LISTING
        ),
        "/triggers/{id}": {
            "parameters": [ID | {"description": "The trigger order's id"}],
            "get": _operation(
                "getTrigger", "A trigger order", {"200": answer("As it is", ref("TriggerAnswer"))} | ONE
            ),
            "delete": _operation(
                "cancelTrigger",
                "Wait no longer; an order that was placed stays",
                {"200": answer("As it is", ref("TriggerAnswer"))} | ONE,
            ),
        },
        "/twap": {
            "get": _operation(
                "listTwaps",
                "TWAP orders of an account, newest first",
                {"200": answer("The newest first", ref("TwapsAnswer"))} | STORED,
                in_query(twaps.LISTING),
            ),
            "post": _operation(
                "beginTwap",
                "Place an order in equal slices over some time",
                {
                    "201": answer(
                        "It is begun",
                        ref("TwapAnswer"),
                        headers={"Location": answer_header("Where to ask for it")},
                    )
                }
                | SENT,
                requestBody=in_body(twaps.BEGINNING, ()),
            ),
        },
        "/twap/{id}": {
            "parameters": [ID | {"description": "The TWAP order's id"}],
            "get": _operation(
                "getTwap", "How far a TWAP order is", {"200": answer("As it is", ref("TwapAnswer"))} | ONE
            ),
            "delete": _operation(
                "cancelTwap", "Place no more slices", {"200": answer("As it is", ref("TwapAnswer"))} | ONE
            ),
        },
        "/positions/close": _post(
            "closePositions",
            "Close all positions, or that of a symbol, by market orders",
            "ClosedAnswer",
            asked.OF_ACCOUNT,
        ),
        "/kill": _post(
            "killSwitch",
            "No entries, no orders, no positions: the kill switch of an account",
            "KilledAnswer",
            asked.KILLING,
        ),
        "/audit": _get("listAudit", "What was done in whose name, newest first", "AuditAnswer", asked.AUDIT),
    }


def _read_setup(name: str, summary: str) -> Json:
    answers = {"200": answer("The exchange's own data", ref("SetupAnswer"))} | ASKED
    return _operation(name, summary, answers, in_query(setups.READING_SETUP))


def _setup(name: str, summary: str, parameters: Parameters) -> Json:
    done = {"200": answer("As the exchange tells it afterwards", ref("SetupAnswer"))} | SENT
    return _operation(name, summary, done, requestBody=in_body(parameters, ()))


def _get(name: str, summary: str, shape: str, parameters: Parameters) -> Json:
    answers = {"200": answer("The newest first", ref(shape))} | STORED
    return {"get": _operation(name, summary, answers, in_query(parameters))}


def _post(name: str, summary: str, shape: str, parameters: Parameters) -> Json:
    done = {"200": answer("What was done", ref(shape))} | SENT
    return {"post": _operation(name, summary, done, requestBody=in_body(parameters, ()))}


def _stream() -> Json:
    kinds = (
        "AccountBeginning",
        "AccountSnapshot",
        "OrderRow",
        "FillRow",
        "OpenPosition",
        "Wallet",
        "AccountTrouble",
    )
    events = answer(
        "First `begin`, then `snapshot` unless the stream is resumed; then `order`, `fill`, `position`, "
        "`balance` and `trouble` as they happen, whoever caused them. Each has an id",
        {"oneOf": [ref(name) for name in kinds]},
        "text/event-stream",
    )
    socket: Json = {
        "description": "The same as a WebSocket. Each message is a JSON object: "
        '`{"event":"order","id":"...","data":{...}}`. Close codes are those of `/api/stream`',
        "headers": HEADERS,
    }
    return {
        "get": _operation(
            "streamAccount",
            "What happens in an account, as server-sent events or as a WebSocket, with no hole",
            {"101": socket, "200": events} | ONE | errors(HTTPStatus.TOO_MANY_REQUESTS),
            [
                *in_query(account_stream.PARAMETERS),
                header("Last-Event-ID", "Id of the last event that you have: the stream continues after it"),
            ],
        )
    }


def _operation(
    name: str, summary: str, answers: dict[str, Json], parameters: list[Json] | None = None, **more: object
) -> Json:
    return operation(TAG, name, summary, answers, parameters or (), security=SECURITY, **more)
