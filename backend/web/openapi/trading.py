"""The routes of accounts. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.formats.records import RECORD_FORMATS
from backend.trading.rows import Product
from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import answer, answer_header, errors, operation, ref
from backend.web.openapi.requests import Parameters, in_body, in_query
from backend.web.server.json_schema import TEXT, Json
from backend.web.trading import accounts as adding
from backend.web.trading import history
from backend.web.trading import readings as reading
from backend.web.trading.handler import ACCOUNT

TAG = "accounts"
ID: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": TEXT | {"minLength": 1},
    "description": "The account's id",
}
EXTRACTION: Json = ID | {"description": "The extraction's id"}
STAGE: Json = ID | {"schema": TEXT | {"enum": list(history.STAGES)}, "description": "The stage"}
FILE = TEXT | {"format": "binary"}
SECURITY: list[dict[str, list[str]]] = [{"ApiKey": []}, {"Bearer": []}]
"""Accounts are never open to everybody."""

ONE = STORED | errors(HTTPStatus.NOT_FOUND)
ASKED = ONE | errors(HTTPStatus.BAD_GATEWAY, HTTPStatus.CONFLICT)


def paths() -> dict[str, Json]:
    """All of them."""
    account = {"200": answer("The account", ref("AccountAnswer"))}
    added = {
        "201": answer(
            "The account is added",
            ref("AccountAnswer"),
            headers={"Location": answer_header("Address of the account")},
        )
    }
    listed = {"200": answer("Oldest first", ref("AccountsAnswer"))}
    return {
        "/accounts": {
            "get": _operation("listAccounts", "Your accounts at exchanges", listed | STORED),
            "post": _operation(
                "addAccount",
                "Add an account: the service asks the exchange for the key's rights, then seals the key",
                added | ASKED,
                requestBody=in_body(adding.ADDING, ()),
            ),
        },
        "/accounts/{id}": {
            "parameters": [ID],
            "get": _operation("getAccount", "One account", account | ONE),
            "patch": _operation(
                "changeAccount",
                "Name an account, or freeze it",
                account | ONE,
                requestBody=in_body(adding.CHANGING, ()),
            ),
            "delete": _operation(
                "removeAccount", "Forget an account and its keys; its stored history stays", account | ONE
            ),
        },
        "/accounts/{id}/check": {
            "parameters": [ID],
            "post": _operation(
                "checkAccount", "Ask the exchange again for the rights of the account's key", account | ASKED
            ),
        },
        "/account/balance": _get("getBalance", "All wallets", "BalanceAnswer", reading.ONE),
        **{
            f"/account/balance/{product}": _get(
                f"getWallet{product.name.title().replace('_', '')}",
                f"The wallet of {product}",
                "BalanceAnswer",
                reading.ONE,
            )
            for product in Product
        },
        "/account/positions": _get("getPositions", "Open positions", "PositionsAnswer", reading.READING),
        "/account/fees": _get("getFees", "The trading fees of a symbol", "FeesAnswer", reading.FEES),
        **_histories(),
        **_extractions(),
    }


def _histories() -> dict[str, Json]:
    """What is stored of an account."""
    files = {one.media_type: {"schema": FILE} for one in RECORD_FORMATS.values()}
    told = (
        (
            "/orders/history",
            "listOrderHistory",
            "All orders that are stored, oldest first",
            "OrderHistoryAnswer",
        ),
        ("/trades", "listTrades", "All fills that are stored, oldest first", "TradesAnswer"),
        (
            "/ledger",
            "listLedger",
            "All stored changes of balances: fees, funding, transfers, liquidations",
            "LedgerAnswer",
        ),
    )
    routes: dict[str, Json] = {}
    for path, name, summary, shape in told:
        page = answer("A page; in another `format` all rows", ref(shape))
        page["content"] |= files
        page["headers"] |= {"X-Complete": answer_header("Of all rows: whether the history is complete")}
        rows = {"200": page} | ONE | errors(HTTPStatus.TOO_MANY_REQUESTS)
        routes[path] = {"get": _operation(name, summary, rows, in_query(history.ROWS))}
    standing = {"200": answer("As it was when the exchange was asked last", ref("CompletenessAnswer"))}
    routes["/account/completeness"] = {
        "get": _operation(
            "getCompleteness",
            "How complete an account's history is, stream by stream, and whether it adds up",
            standing | ONE,
            in_query((ACCOUNT,)),
        )
    }
    return routes


def _extractions() -> dict[str, Json]:
    """What reads histories."""
    begun = answer(
        "It goes on, or has yet to begin",
        ref("ExtractionAnswer"),
        headers={"Location": answer_header("Where to ask for it")},
    )
    ended = {"200": answer("All orders, oldest first", ref("ExtractedOrders")), "202": begun}
    one = {"200": answer("How it stands", ref("ExtractionAnswer"))} | ONE
    stage = {"200": answer("What it did", ref("StageAnswer"))}
    return {
        "/extract-orders": {
            "get": _operation(
                "listExtractions",
                "The newest extractions",
                {"200": answer("The newest first", ref("ExtractionsAnswer"))} | STORED,
                in_query(history.LISTING),
            ),
            "post": _operation(
                "extractOrders",
                "Read the whole history of an account: only what is missing is asked for",
                ended | ASKED | errors(HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR),
                requestBody=in_body(history.EXTRACTING, ()),
            ),
        },
        "/extract-orders/{id}": {
            "parameters": [EXTRACTION],
            "get": _operation("getExtraction", "How far an extraction is, and how it ended", one),
            "delete": _operation("cancelExtraction", "Cancel an extraction; what came stays", one),
        },
        "/test/{id}": {
            "parameters": [STAGE],
            "post": _operation(
                "runStage",
                "Run one stage of an extraction alone, and wait for its end",
                stage | ASKED | errors(HTTPStatus.TOO_MANY_REQUESTS),
                in_query(history.STAGE),
            ),
        },
    }


def _get(name: str, summary: str, shape: str, parameters: Parameters) -> Json:
    answers = {"200": answer("The exchange's own data", ref(shape))}
    return {"get": _operation(name, summary, answers | ASKED, in_query(parameters))}


def _operation(
    name: str, summary: str, answers: dict[str, Json], parameters: list[Json] | None = None, **more: object
) -> Json:
    return operation(TAG, name, summary, answers, parameters or (), security=SECURITY, **more)
