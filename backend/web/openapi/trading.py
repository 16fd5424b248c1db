"""The routes of accounts. Pure."""

from __future__ import annotations

from http import HTTPStatus

from backend.trading.rows import Product
from backend.web.openapi.codes import STORED
from backend.web.openapi.parts import answer, answer_header, errors, operation, ref
from backend.web.openapi.requests import Parameters, in_body, in_query
from backend.web.server.json_schema import TEXT, Json
from backend.web.trading import accounts as adding
from backend.web.trading import readings as reading

TAG = "accounts"
ID: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": TEXT | {"minLength": 1},
    "description": "The account's id",
}
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
        "/account/leverage": _get(
            "getLeverage", "The leverage of open positions", "LeverageAnswer", reading.READING
        ),
        "/account/fees": _get("getFees", "The trading fees of a symbol", "FeesAnswer", reading.FEES),
        "/orders": _get("listOpenOrders", "Open orders", "OpenOrdersAnswer", reading.READING),
    }


def _get(name: str, summary: str, shape: str, parameters: Parameters) -> Json:
    found = {"200": answer("The exchange's own data", ref(shape))}
    return {"get": _operation(name, summary, found | ASKED, in_query(parameters))}


def _operation(
    name: str, summary: str, answers: dict[str, Json], parameters: list[Json] | None = None, **more: object
) -> Json:
    return operation(TAG, name, summary, answers, parameters or (), security=SECURITY, **more)
