"""`/accounts`: add with keys, list, change, remove. No answer contains anything of the keys."""

from __future__ import annotations

from decimal import Decimal

from backend.errors import InvalidRequest
from backend.trading.account import Account, Mode
from backend.trading.account_keys import LONGEST_KEY, Keys
from backend.trading.risk import Limits
from backend.web.server.json_schema import FLAG, TEXT
from backend.web.server.parameters import Parameter, Values, invalid, one_of, text
from backend.web.trading import account_shapes, account_views
from backend.web.trading.handler import TradingHandler
from backend.web.trading.order_parameters import LIMITS_SCHEMA, MONEY, fee, read_limits, read_money

LONGEST_LABEL = 100
MODES: dict[str, Mode] = {mode.value: mode for mode in Mode}


def _label(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_LABEL or not value.isprintable():
        raise invalid(name, f"a text of up to {LONGEST_LABEL} printable characters")
    return value


def _secret(name: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_KEY:
        raise invalid(name, f"a text of up to {LONGEST_KEY} characters")
    return value


def _frozen(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid(name, "true or false")
    return value


_LABELLED = TEXT | {"maxLength": LONGEST_LABEL}
_SECRET = TEXT | {"maxLength": LONGEST_KEY, "writeOnly": True}
VENUE = text("venue", "The exchange: `bitget` or `bingx`")
MODE = one_of(
    "mode",
    MODES,
    "`paper`: play money of this service at the exchange's prices, without keys; `demo`: the exchange's own "
    "play money; `live`",
    default=Mode.PAPER,
    shown="paper",
)
LABEL: Parameter[str] = Parameter("label", "What you call it", _LABELLED, _label, "")
KEY: Parameter[str] = Parameter("key", "The API key; a paper account has none", _SECRET, _secret, "")
SECRET: Parameter[str] = Parameter("secret", "Its secret", _SECRET, _secret, "")
PASSPHRASE: Parameter[str] = Parameter("passphrase", "Its passphrase, if it has one", _SECRET, _secret, "")
BALANCE: Parameter[Decimal] = Parameter(
    "balance",
    "Of a paper account: so many USDT in each wallet at first",
    MONEY,
    read_money,
    Decimal(10_000),
)
MAKER_FEE = fee("maker_fee", "Of a paper account: the part of a trade's value that a resting order pays")
TAKER_FEE = fee("taker_fee", "The same of an order that takes; left out, that of the exchange's first tier")
ADDING = (VENUE, MODE, LABEL, KEY, SECRET, PASSPHRASE, BALANCE, MAKER_FEE, TAKER_FEE)
NEW_LABEL: Parameter[str | None] = Parameter("label", "What you call it", _LABELLED, _label, None)
FROZEN: Parameter[bool | None] = Parameter(
    "frozen", "`true`: ask nothing with its keys from now on", FLAG, _frozen, None
)
LIMITS: Parameter[Limits | None] = Parameter(
    "limits",
    "The limits of entries, all at once: what is left out is no limit",
    LIMITS_SCHEMA,
    read_limits,
    None,
)
CHANGING = (NEW_LABEL, FROZEN, LIMITS)


class AccountsHandler(TradingHandler):
    async def get(self) -> None:
        self.query(())
        accounts = await self.trading.accounts.all()
        self.answer(
            account_shapes.AccountsAnswer(
                count=len(accounts), accounts=[account_views.account(one) for one in accounts]
            )
        )

    async def post(self) -> None:
        self.query(())
        accounts = self.trading.accounts
        values = self._read_body()
        if values[MODE] is Mode.PAPER:
            self._answer_added(await self._add_paper(values))
            return
        try:
            keys = Keys(values[KEY], values[SECRET], values[PASSPHRASE])
        except ValueError as error:
            raise InvalidRequest(str(error), code="invalid_key") from None
        self._answer_added(await accounts.add(values[VENUE], values[MODE], values[LABEL], keys))

    async def _add_paper(self, values: Values) -> Account:
        if any(values[one] for one in (KEY, SECRET, PASSPHRASE)):
            raise InvalidRequest(
                "a paper account has no keys: say mode demo or live, or leave the keys out",
                code="invalid_key",
            )
        return await self.trading.accounts.add_paper(
            values[VENUE],
            values[LABEL],
            values[BALANCE],
            maker=values[MAKER_FEE],
            taker=values[TAKER_FEE],
        )

    def _answer_added(self, added: Account) -> None:
        self.set_header("Location", f"{self.base_path}/accounts/{added.id}")
        self.answer(account_shapes.AccountAnswer(account=account_views.account(added)), 201)

    def _read_body(self) -> Values:
        """The parameters. A refusal repeats no unknown name: it may be a key in the wrong place."""
        try:
            return self.json_object(ADDING)
        except InvalidRequest as error:
            if error.code == "unknown_parameter":
                names = ", ".join(parameter.name for parameter in ADDING)
                raise InvalidRequest(f"known parameters are {names}", code=error.code) from None
            raise


class AccountHandler(TradingHandler):
    async def get(self, account_id: str) -> None:
        self.query(())
        account = await self.trading.accounts.get(account_id)
        self.answer(account_shapes.AccountAnswer(account=account_views.account(account)))

    async def patch(self, account_id: str) -> None:
        self.query(())
        accounts = self.trading.accounts
        values = self.json_object(CHANGING)
        account = await accounts.change(
            account_id, label=values[NEW_LABEL], frozen=values[FROZEN], limits=values[LIMITS]
        )
        self.answer(account_shapes.AccountAnswer(account=account_views.account(account)))

    async def delete(self, account_id: str) -> None:
        self.query(())
        account = await self.trading.accounts.remove(account_id)
        self.answer(account_shapes.AccountAnswer(account=account_views.account(account)))


class CheckHandler(TradingHandler):
    """Asks the exchange anew what the keys of an account may do."""

    async def post(self, account_id: str) -> None:
        self.query(())
        account = await self.trading.accounts.check(account_id)
        self.answer(account_shapes.AccountAnswer(account=account_views.account(account)))
