"""Extended's private interface, and the testnet's as the same paths below `/testnet`.

Source: https://api.docs.extended.exchange. Reads need the API key alone; orders are signed (`stark.py`). What
the book holds in USDC is told in USD.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.simulator import extended_answers
from tests.simulator.answers import Admission, Answer, Question, json_answer
from tests.simulator.clock import SimulatorClock
from tests.simulator.extended_answers import Rejected
from tests.simulator.faults import Faults
from tests.simulator.private import extended_placing, stark
from tests.simulator.private.accounts import Account, Accounts, Asked, Refused
from tests.simulator.private.extended_placing import USD
from tests.simulator.private.extended_rows import (
    account_of,
    balance_row,
    funding_row,
    market_row,
    operation_row,
    order_row,
    pair_of,
    position_row,
    symbol_of,
    trade_row,
)
from tests.simulator.private.placing import Instead
from tests.simulator.private.rows import FINISHED, Order
from tests.simulator.private.setup import levers
from tests.simulator.private.shelf import Row
from tests.simulator.times import DAY

ROOT = "/api/v1"
TESTNET = "/testnet"
USER, MARKETS = f"{ROOT}/user/", f"{ROOT}/info/markets"
UNFILLED_KEPT = 7 * DAY
LARGEST, USUAL, OPERATIONS = 10_000, 100, 50


@dataclass(slots=True)
class PrivateExtended:
    """What accounts are told: those of the testnet, or of mainnet."""

    accounts: Accounts
    clock: SimulatorClock
    faults: Faults
    demo: bool = False

    def serves(self, path: str) -> bool:
        """Whether a path is private, or the testnet's; and the listing, where an account trades."""
        if path.startswith(f"{TESTNET}/"):
            return self.demo
        return not self.demo and (path.startswith(USER) or (path == MARKETS and bool(self._accounts())))

    def admit(self, question: Question) -> Admission:
        """Check who asks."""
        question = self._own(question)
        if question.path == MARKETS:
            return Admission(1, {})
        account = self._accounts().get(question.headers.get("x-api-key", ""))
        if account is None:
            return Admission(1, {}, extended_answers.refused(401))
        if not question.headers.get("user-agent"):
            return Admission(1, {}, extended_answers.refused(400))
        if question.method != "GET" and "trade" not in account.book.facts.rights:
            return Admission(1, {}, self._error(Refused("1009", "Action is not allowed.")))
        return Admission(1, {})

    def answer(self, question: Question) -> Answer:
        """Answer a question that was let pass."""
        question, now = self._own(question), self.clock.now()
        if question.path == MARKETS:
            return self._markets(question)
        private = self.faults.private
        account = self._accounts()[question.headers["x-api-key"]]
        if coded := private.take_code(question.path):
            return self._error(Refused(coded.code, coded.message))
        private.go_on(question.path, account.book, now)
        asked = Asked(account, question.path, dict(question.params), now, self.faults)
        try:
            return self._told(asked, question)
        except Refused as refused:
            return self._error(refused)
        except Instead as instead:
            return instead.answer

    def failure(self, status: int, retry_after: int | None = None) -> Answer:
        """Return Extended's answer of a status."""
        return extended_answers.failure(status, retry_after)

    def _told(self, asked: Asked, question: Question) -> Answer:
        parts = question.path.removeprefix(USER).split("/")
        match question.method, parts:
            case "POST", ["order"]:
                chain = stark.TESTNET if self.demo else stark.MAINNET
                return _success(extended_placing.place(asked, _body(question), chain))
            case "DELETE", ["order", number]:
                return _success(extended_placing.cancel(asked, number))
            case "DELETE", ["order"]:
                return _success(extended_placing.cancel(asked, ""))
            case "PATCH", ["leverage"]:
                return _success(extended_placing.set_leverage(asked, _body(question)))
            case "GET", _:
                return _read(asked, parts)
        raise Refused("404", "Not found.", 404)

    def _markets(self, question: Question) -> Answer:
        """The markets of the book of the first account: all that a name chooses."""
        book = next(iter(self._accounts().values())).book
        wanted = [value for name, value in question.params if name == "market"]
        pairs = [pair for product, pair in book.markets() if product is USD]
        rows = [
            market_row(pair, book.price_of(USD, pair))
            for pair in pairs
            if not wanted or symbol_of(pair) in wanted
        ]
        if wanted and not rows:
            return extended_answers.rejected(1001).answer
        return _success(rows)

    def _own(self, question: Question) -> Question:
        return replace(question, path=question.path.removeprefix(TESTNET)) if self.demo else question

    def _accounts(self) -> Accounts:
        """The accounts that have a Stark key."""
        return {
            key: account
            for key, account in self.accounts.items()
            if account.demo is self.demo and account.keys.secret.startswith("0x")
        }

    def _error(self, refused: Refused) -> Answer:
        code: Any = int(refused.code) if refused.code.isdigit() else refused.code
        statuses = {"1006": 500, "401": 401, "403": 403, "404": 404, "429": 429, "500": 500, "NOT_FOUND": 404}
        status = statuses.get(refused.code, refused.status)
        return Rejected(status, code, refused.message).answer


def _success(data: Any) -> Answer:
    return json_answer({"status": "OK"} if data is None else {"status": "OK", "data": data})


def _body(question: Question) -> dict[str, Any]:
    try:
        body = json.loads(question.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused("400", "Bad request.")
    return body


def _read(asked: Asked, parts: Sequence[str]) -> Answer:
    book, market = asked.book, asked.params.get("market", "")
    match parts:
        case ["account", "info"]:
            return _success(_info(asked.account, asked))
        case ["balance"]:
            balances = [one for one in book.balances(USD) if one.coin == "USDC"]
            if not balances or not balances[0].equity:
                raise Refused("404", "Balance not found.", 404)
            return _success(balance_row(balances[0], asked.now))
        case ["positions"]:
            rows = asked.positions(USD)
            return _success([position_row(one, asked) for one in rows if market in ("", symbol_of(one.pair))])
        case ["leverage"]:
            lever = levers(asked, USD, pair_of(market))
            return _success([{"market": market, "leverage": str(lever.long)}])
        case ["fees"]:
            rate = book.facts.rates[USD]
            return _success(
                [{"market": market, "makerFeeRate": str(rate.maker), "takerFeeRate": str(rate.taker)}]
            )
        case ["orders"]:
            return _success([order_row(one, asked) for one in _chosen(asked, _orders(asked, open_=True))])
        case ["orders", "external", own]:
            found = book.order_of(client_id=own)
            hidden = found is None or asked.faults.private.hides(found.number, asked.now)
            return _success([] if found is None or hidden else [order_row(found, asked)])
        case ["orders", "history"]:
            return _page(asked, _orders(asked, open_=False), order_row)
        case ["orders", number] if number.isdigit():
            found = book.order_of(number=int(number))
            if found is None or asked.faults.private.hides(found.number, asked.now):
                raise Refused("404", "Order not found.", 404)
            return _success(order_row(found, asked))
        case ["trades"]:
            return _page(asked, book.fills.of(USD), trade_row)
        case ["funding", "history"]:
            if not (since := asked.params.get("startTime", "")).isdigit():
                raise Refused("400", "startTime is required.")
            bills = [row for row in book.bills.of(USD) if row.kind == "funding" and row.time >= int(since)]
            return _page(asked, bills, funding_row)
        case ["assetOperations"]:
            bills = [
                row for row in book.bills.of(USD) if row.kind.startswith("transfer") and row.coin == "USDC"
            ]
            return _page(asked, bills, operation_row, size=OPERATIONS)
    raise Refused("404", "Not found.", 404)


def _info(account: Account, asked: Asked) -> dict[str, Any]:
    return {
        "status": "ACTIVE",
        "l2Key": hex(stark.public_key(int(account.keys.secret, 16))),
        "l2Vault": account.keys.passphrase,
        "accountId": account_of(asked),
        "accountIndex": 0,
        "description": "Main account",
        "bridgeStarknetAddress": "0x1",
    }


def _orders(asked: Asked, *, open_: bool) -> list[Order]:
    """Orders that are finished are told with a fill, or for seven days."""
    if open_:
        return [row for row in asked.book.open.values() if row.product is USD]
    return [
        row
        for row in asked.book.orders.of(USD)
        if row.status in FINISHED and (row.filled or row.updated > asked.now - UNFILLED_KEPT)
    ]


def _chosen(asked: Asked, rows: Sequence[Row]) -> list[Row]:
    """The rows that are told, newest first."""
    if asked.faults.private.take_empty(asked.path):
        return []
    market = asked.params.get("market", "")
    named = [row for row in rows if not market or (row.pair and symbol_of(row.pair) == market)]
    return sorted(asked.faults.private.told(named, asked.now), reverse=True)


def _page(
    asked: Asked, rows: Sequence[Row], tell: Callable[[Row, Asked], dict[str, Any]], *, size: int = 0
) -> Answer:
    """Rows behind the cursor's."""
    limit, cursor = asked.params.get("limit", str(USUAL)), asked.params.get("cursor", "")
    if not limit.isdigit() or not 0 < int(limit) <= LARGEST or (cursor and not cursor.isdigit()):
        raise Refused("400", "Bad request.")
    below = [row for row in _chosen(asked, rows) if not cursor or row.number < int(cursor)]
    page = below[: asked.capped(size or int(limit))]
    data = [tell(row, asked) for row in page]
    pagination = {"count": len(page), **({"cursor": page[-1].number} if page else {})}
    return json_answer({"status": "OK", "data": data, "pagination": pagination})
