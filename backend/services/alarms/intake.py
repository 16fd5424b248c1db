"""Lets alarms in: for which strategy, and what they say. Then they are stored, and nothing else is done.

The sender waits for three seconds and sends again only after a 5xx. So an alarm is stored durably before the
answer, and a stored one is never answered by an error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import uuid4

from backend.clock import Clock
from backend.errors import AlarmRefused, AlarmUnauthorised, UnknownAccount
from backend.precedence import Precedence
from backend.services.accounts.accounts import Accounts
from backend.services.alarms.ports import AlarmStore, StrategyStore
from backend.telemetry.metrics import Metrics
from backend.trading.account import Account
from backend.trading.account_keys import HIDDEN
from backend.trading.alarms.alarm import Alarm, AlarmState
from backend.trading.alarms.signal import (
    TOKEN,
    InvalidAlarm,
    Signal,
    digest_of,
    fields_of,
    read_signal,
    without_token,
)
from backend.trading.alarms.strategy import Strategy, symbol_of, token_digest
from backend.trading.notice import Topic

log = logging.getLogger(__name__)

REPEATED_MS = 60_000
"""An alarm that names no time and no id is the same one if its text comes again so soon."""
KEPT_BODY = 2000
"""Characters that are kept of a text that is no alarm."""
SHORTEST_SECRET = 16
"""Shorter words of a text that is no alarm are no tokens, and are kept."""
REFUSALS_PER_MINUTE = 60
"""Refused alarms that are kept; others are counted only."""


class Intake:
    """`arrived` is called when there is something to do. All may raise DatabaseUnavailable."""

    def __init__(
        self,
        *,
        alarms: AlarmStore,
        strategies: StrategyStore,
        accounts: Accounts,
        clock: Clock,
        metrics: Metrics,
        arrived: Callable[[], None],
        precedence: Precedence,
        tell: Callable[[Topic, str, str], None] = lambda _topic, _about, _said: None,
    ) -> None:
        self._alarms = alarms
        self._strategies = strategies
        self._accounts = accounts
        self._clock = clock
        self._metrics = metrics
        self._arrived = arrived
        self._precedence = precedence
        self._tell = tell
        self._refused: list[int] = []

    async def receive(self, body: bytes, *, token: str, sender: str) -> tuple[Alarm, bool]:
        """Store an alarm. `token` is that of the address, "" where the text has it. Returns the alarm, and
        whether it was there already. Raises AlarmRefused and AlarmUnauthorised."""
        with self._precedence.first():
            return await self._receive(body, token, sender)

    async def _receive(self, body: bytes, token: str, sender: str) -> tuple[Alarm, bool]:
        try:
            fields = fields_of(body)
        except InvalidAlarm as error:
            raise await self._refuse(str(error), _text(body, token), sender) from None
        strategy = await self._strategies.by_token(token_digest(token or fields.get(TOKEN, "")))
        if strategy is None:
            self._metrics.alarm("bad_token")
            # The token may stand in a field of another name.
            shown = {name: text if len(text) < SHORTEST_SECRET else HIDDEN for name, text in fields.items()}
            await self._keep_refused("the token is not that of a strategy", without_token(shown), sender)
            raise AlarmUnauthorised("the token is not that of a strategy: see its alert template")
        return await self.accept(strategy, fields, sender=sender)

    async def accept(
        self, strategy: Strategy, fields: dict[str, str], *, sender: str, account: Account | None = None
    ) -> tuple[Alarm, bool]:
        """Store an alarm of a strategy, for its own account or another one. Raises AlarmRefused."""
        body = without_token(fields)
        try:
            signal = read_signal(fields)
        except InvalidAlarm as error:
            raise await self._refuse(str(error), body, sender, strategy) from None
        if account is None:
            try:
                account = await self._accounts.get(strategy.account)
            except UnknownAccount:
                reason = f"the account of strategy {strategy.id} was removed"
                raise await self._refuse(reason, body, sender, strategy) from None
        now = self._clock.now()
        alarm_id = digest_of(f"{strategy.id} {account.id}", fields)
        if not signal.is_named:
            if known := await self._alarms.repeated(alarm_id, now - REPEATED_MS):
                return await self._known(known), True
            alarm_id = f"{alarm_id}{now:x}"
        alarm = self._alarm(alarm_id, strategy, account, signal, body, sender, now)
        if not await self._alarms.add(alarm):
            return await self._known(alarm_id), True
        self._metrics.alarm(alarm.state.value)
        self._arrived()
        return alarm, False

    def _alarm(
        self,
        alarm_id: str,
        strategy: Strategy,
        account: Account,
        signal: Signal,
        body: str,
        sender: str,
        now: int,
    ) -> Alarm:
        symbol = symbol_of(strategy, signal.ticker, account.venue)
        reason = ""
        if symbol is None:
            reason = f"the strategy does not trade {signal.ticker[:50]!r}"
        elif not strategy.enabled:
            reason = "the strategy is switched off"
        return Alarm(
            id=alarm_id,
            strategy=strategy.id,
            revision=strategy.revision,
            account=account.id,
            lane=f"{account.id}/{strategy.product}/{symbol or ''}",
            symbol=symbol or "",
            signal=signal,
            body=body,
            sender=sender,
            received=now,
            due=now,
            state=AlarmState.IGNORED if reason else AlarmState.RECEIVED,
            reason=reason,
            finished=now if reason else None,
            decided=now if reason else None,
        )

    async def _known(self, alarm_id: str) -> Alarm:
        known = await self._alarms.load(alarm_id)
        assert known is not None
        return known

    async def _refuse(
        self, reason: str, body: str, sender: str, strategy: Strategy | None = None
    ) -> AlarmRefused:
        self._metrics.alarm("refused")
        await self._keep_refused(reason, body, sender, strategy)
        return AlarmRefused(reason)

    async def _keep_refused(
        self, reason: str, body: str, sender: str, strategy: Strategy | None = None
    ) -> None:
        """Keep it without its token, unless too many are refused: then it is counted only."""
        now = self._clock.now()
        of = f"strategy {strategy.id}" if strategy else "no strategy"
        self._tell(Topic.ALARM_REFUSED, strategy.id if strategy else sender, f"{of}, from {sender}: {reason}")
        self._refused = [moment for moment in self._refused if moment > now - 60_000]
        if len(self._refused) >= REFUSALS_PER_MINUTE:
            return
        log.warning("an alarm from %s is refused: %s", sender, reason)
        self._refused.append(now)
        await self._alarms.add(
            Alarm(
                id=uuid4().hex,
                strategy=strategy.id if strategy else "",
                revision=strategy.revision if strategy else 0,
                account="",
                lane="",
                symbol="",
                signal=None,
                body=body,
                sender=sender,
                received=now,
                state=AlarmState.REFUSED,
                reason=reason,
                finished=now,
            )
        )


def _text(body: bytes, token: str) -> str:
    """The beginning of a text that is no alarm. A token may stand anywhere in it, so nothing that looks like
    one is kept."""
    text = body[:KEPT_BODY].decode(errors="replace")
    words = [word if len(word) < SHORTEST_SECRET else HIDDEN for word in text.replace('"', ' " ').split()]
    return " ".join(words).replace(token, HIDDEN) if token else " ".join(words)
