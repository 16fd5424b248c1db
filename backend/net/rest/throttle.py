"""One venue's rate budget, shared by everything in this process that sends requests to the venue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.clock import Clock
from backend.errors import Banned, MarketDataError, RateLimited, UnknownAccount
from backend.exchanges.base import RateLimit
from backend.net.rest.account_budget import AccountBudget, refuse_a_long_wait
from backend.net.rest.sliding_window import SlidingWindow

WIDENING = 1.25
"""Growth of a careful pace after each window without a refusal."""

DEFAULT_BLOCK = 60.0
"""Seconds without requests after a refusal that names no time."""

LONGEST_REFUSAL = 900.0
LONGEST_BAN = 3 * 86_400.0
"""Longest time without requests after a refusal and after a ban, whatever time the venue named (seconds).
Windows of limits are minutes long. Binance documents bans of two minutes to three days; the others name no
time."""


def sane_wait(failure: MarketDataError) -> float | None:
    """The venue's wait in seconds, cut to a credible length."""
    if failure.retry_after is None:
        return None
    return min(failure.retry_after, LONGEST_BAN if isinstance(failure, Banned) else LONGEST_REFUSAL)


@dataclass(slots=True, eq=False)
class _Waiter:
    """A caller that waits for its booked moment. The moment may move to a later one."""

    cost: Mapping[str, int]
    account: AccountBudget | None
    urgent: bool
    moment: float


class Throttle:
    """Lets requests out so that no window of any limit ever holds more than `share` of its capacity.

    Windows slide: this is right for a venue that counts by wall-clock minute, and for one that counts the
    last sixty seconds. Deciding and booking are one step, so that no interleaving can overspend. The venue's
    numbers can only lower the budget, and a refusal stops everybody. If a venue's way of counting is not
    certain, it begins with the part `careful` of its limits. The part grows with every window without a
    refusal, and falls back after a refusal.

    Some limits count for an account and not for the address (`account_budget.py`). A request of an account
    first waits until its account has room, and is then booked in the windows of both at one moment: counted
    by the account before the address lets it out, it would meet there with the next ones.

    An urgent request goes before waiting ones, which move back by its cost.
    """

    def __init__(self, limits: Sequence[RateLimit], share: float, clock: Clock, careful: float = 1.0) -> None:
        self._windows = {limit.unit: SlidingWindow(limit.capacity * share, limit.seconds) for limit in limits}
        self._share = share
        self._accounts: dict[str, AccountBudget] = {}
        self._longest = max(limit.seconds for limit in limits)
        self._careful = self._pace = careful
        self._paced_at = clock.monotonic()
        self._clock = clock
        self._blocked_until = 0.0
        self._waiters: list[_Waiter] = []
        self._refusal = RateLimited("")
        self._parts: list[tuple[float, float]] = [(clock.monotonic(), 1.0)]

    @property
    def longest(self) -> float:
        """Seconds after which nothing of what was spent counts any more."""
        return self._longest

    @property
    def blocked(self) -> float:
        """Seconds without requests; 0 if the venue does not refuse."""
        return max(0.0, self._blocked_until - self._clock.monotonic())

    def used(self) -> dict[str, float]:
        """For each unit, the spent part of the budget; above 1 if others spend too."""
        now = self._clock.monotonic()
        return {
            unit: window.spent(now) / (window.capacity * self._pace * self._part(window, now))
            for unit, window in self._windows.items()
        }

    def open_account(self, name: str, limits: Sequence[RateLimit]) -> None:
        """Count for an account from now on. An open account keeps its state."""
        self._accounts.setdefault(name, AccountBudget(limits, self._share, self._clock))

    def close_account(self, name: str) -> None:
        """Stop counting for the account: no more requests are let out for it."""
        self._accounts.pop(name, None)

    async def acquire(
        self, cost: Mapping[str, int], account: str | None = None, *, urgent: bool = False
    ) -> None:
        """Wait until `cost` may be spent. The caller then sends the request at once.

        Who comes first goes first, of those who are urgent and of the others. Raises the refusal that blocks
        the venue, or the account, when it lasts for more than PATIENCE seconds; UnknownAccount for an account
        that is closed.
        """
        self._refuse_a_long_wait()
        own = None
        if account is not None:
            own = self._opened(account)
            await own.room_for(cost, urgent=urgent)
            self._opened(account)
        waiter = _Waiter(cost, own, urgent, self._clock.monotonic())
        self._enter(waiter)
        try:
            while (wait := waiter.moment - self._clock.monotonic()) > 0:
                await self._clock.sleep(wait)
                self._refuse_a_long_wait()
        except BaseException:
            self._waiters.remove(waiter)
            self._book_anew(self._clock.monotonic())
            raise
        self._waiters.remove(waiter)

    def _opened(self, account: str) -> AccountBudget:
        if budget := self._accounts.get(account):
            return budget
        raise UnknownAccount("the account was removed")

    def reserve(self, cost: Mapping[str, int], now: float) -> float:
        """Book `cost` at the earliest moment that every limit allows, and say when that is."""
        self._widen(now)
        return self._book(cost, now)

    def _enter(self, waiter: _Waiter) -> None:
        """Book the last place for a waiter; for an urgent one the place before all who are not."""
        now = waiter.moment
        self._widen(now)
        behind = [one for one in self._waiters if waiter.urgent and not one.urgent and one.moment > now]
        if behind:
            before = [one for one in self._waiters if one not in behind]
            self._take_back(now)
            self._place([one for one in before if one.moment > now], now)
            self._place([waiter, *behind], now)
            self._waiters = [*before, waiter, *behind]
        else:
            waiter.moment = self._book(waiter.cost, now, waiter.account)
            self._waiters.append(waiter)

    def _book(self, cost: Mapping[str, int], begin: float, account: AccountBudget | None = None) -> float:
        """Find the moment and book it, without an await between. Otherwise two callers could both get the
        last room of a window."""
        # Look at all windows before booking any, and book all at the one moment that every limit allows. A
        # request that one window delays must not count as sent early in another.
        now = self._clock.monotonic()
        begin = max(begin, self._blocked_until)
        spent = [
            (window, units, self._pace * self._part(window, now))
            for unit, units in cost.items()
            if (window := self._windows.get(unit))
        ]
        if account:
            begin = max(begin, account.blocked_until)
            spent += [(window, units, 1.0) for window, units in account.spent_by(cost)]
        for window, _units, _pace in spent:
            window.forget(now)
        moment = max((window.earliest(units, begin, pace) for window, units, pace in spent), default=begin)
        for window, units, _pace in spent:
            window.book(units, moment)
        return moment

    def block(self, refusal: RateLimited, account: str | None = None) -> None:
        """Send nothing until the venue's refusal is over, or nothing for the refused account. Waiting callers
        keep their order."""
        now = self._clock.monotonic()
        until = now + (DEFAULT_BLOCK if refusal.retry_after is None else refusal.retry_after)
        if account is not None:
            if own := self._accounts.get(account):
                own.block(refusal, until)
        else:
            if until > self._blocked_until:
                self._blocked_until, self._refusal = until, refusal
            self._pace, self._paced_at = self._careful, self._blocked_until
        self._book_anew(now)

    def learn(self, used: Mapping[str, int], account: str | None = None) -> None:
        """Take over the venue's numbers for this address and for an account.

        Spending of others counts as ours, except for their own part.
        """
        now = self._clock.monotonic()
        for unit, units in used.items():
            if window := self._windows.get(unit):
                theirs = window.capacity * (1 - self._part(window, now))
                if (excess := units - window.spent(now) - theirs) > 0:
                    window.book(excess, now)
        if account is not None and (own := self._accounts.get(account)):
            for window, units in own.spent_by(used):
                if (excess := units - window.spent(now)) > 0:
                    window.book(excess, now)

    def take_part(self, part: float) -> None:
        """Spend only this part of the budget from now on: others share it.

        A smaller part counts at once. A larger part counts when the earlier spending of others is out of the
        window.
        """
        if part == self._parts[-1][1]:
            return
        now = self._clock.monotonic()
        self._parts = [*self._in_force(now - self._longest), (now, part)]
        self._book_anew(now)

    def hold_off(self, seconds: float) -> None:
        """Send nothing for some seconds: others must first learn that we are here."""
        self._blocked_until = max(self._blocked_until, self._clock.monotonic() + seconds)
        self._book_anew(self._clock.monotonic())

    def _part(self, window: SlidingWindow, now: float) -> float:
        """The smallest part that was ours during the window that ends now."""
        return min(part for _, part in self._in_force(now - window.seconds))

    def _in_force(self, since: float) -> list[tuple[float, float]]:
        """The parts that were ours at `since` or later, each with the moment it began."""
        begun = [number for number, (moment, _) in enumerate(self._parts) if moment <= since]
        return self._parts[begun[-1] if begun else 0 :]

    def _book_anew(self, now: float) -> None:
        """Book again for all waiting callers, in their order, and for nobody earlier than before.

        They sleep until their known moment: an earlier one would be booked but not used.
        """
        self._take_back(now)
        self._place(self._waiters, now)

    def _take_back(self, now: float) -> None:
        """Cancel bookings later than `now`."""
        for window in self._windows.values():
            window.cancel_after(now)
        for account in self._accounts.values():
            account.cancel_after(now)

    def _place(self, waiters: Sequence[_Waiter], now: float) -> None:
        for waiter in waiters:
            waiter.moment = self._book(waiter.cost, max(now, waiter.moment), waiter.account)

    def _refuse_a_long_wait(self) -> None:
        refuse_a_long_wait(self._blocked_until - self._clock.monotonic(), self._refusal)

    def _widen(self, now: float) -> None:
        if self._pace < 1.0 and now - self._paced_at >= self._longest:
            self._pace, self._paced_at = min(self._pace * WIDENING, 1.0), now
