"""The mutations: where, what stands there, what is put in its place, and the tests that must fail then.

`old` stands exactly once in its file. A mutation that no test notices is a test that is missing.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    """`path` is below `backend/`, `tests` are files or tests below `tests/`."""

    path: str
    old: str
    new: str
    tests: tuple[str, ...]


COVERAGE, BACKFILL = "unit/test_coverage.py", "unit/test_backfill.py"
BARS = "integration/test_bars.py"
KEPT = "integration/test_kept_hours.py"
ORDERS = "integration/test_orders.py"
LEDGERS, STORES, JOBS = "contract/test_ledgers.py", "contract/test_stores.py", "contract/test_jobs.py"


def _of(path: str, tests: str | tuple[str, ...], *changes: tuple[str, str]) -> list[Mutation]:
    named = (tests,) if isinstance(tests, str) else tests
    return [Mutation(path, old, new, named) for old, new in changes]


MUTATIONS: list[Mutation] = [
    *_of(
        "core/coverage.py",
        COVERAGE,
        ("void.ask_again > now]", "void.ask_again >= now]"),
        ("now + min(max(age, MINUTE), WEEK)", "now + max(age, MINUTE)"),
        ("start = max(self.since, self.first_candle or 0)", "start = self.since"),
        ("min(window.start, self.since)", "window.start"),
        ("confirmed = min(one.confirmed, two.confirmed)", "confirmed = max(one.confirmed, two.confirmed)"),
        ("if confirmed < two.window.end + MINUTE:", "if confirmed < two.window.start:"),
    ),
    *_of(
        "core/windows.py",
        ("unit/test_coverage.py", "unit/test_plan.py"),
        ("if merged and window.start <= merged[-1].end:", "if merged and window.start < merged[-1].end:"),
        (
            "if max(start, window.start) < min(end, window.end)",
            "if max(start, window.start) <= min(end, window.end)",
        ),
    ),
    *_of(
        "core/plan.py",
        "unit/test_plan.py",
        ("end - end % MINUTE + MINUTE)", "end - end % MINUTE)"),
        ("Window(-(-start // MINUTE) * MINUTE", "Window(start // MINUTE * MINUTE"),
        ("if not missing or missing[-1].end != wanted.end:", "if not missing:"),
        ("missing[together].end <= end:", "missing[together].end <= end + MINUTE:"),
    ),
    *_of(
        "core/contiguous.py",
        ("unit/test_stream.py", "web/test_streaming.py", "unit/test_coverage.py", "unit/test_forming.py"),
        ("void.confirmed >= void.window.end + BELIEVED_AFTER", "void.confirmed >= void.window.start"),
    ),
    *_of(
        "core/candles.py",
        "unit/test_candles.py",
        (
            "if not window.start <= row.open_time < window.end:",
            "if not window.start <= row.open_time <= window.end:",
        ),
        ("sorted(refused - by_minute.keys())", "sorted(refused)"),
        ("candle.low <= candle.close <= candle.high", "candle.low <= candle.close"),
    ),
    *_of(
        "core/rollup.py",
        (
            f"{BARS}::test_every_interval_read_any_way_is_what_pandas_makes_of_the_minutes",
            f"{BARS}::test_a_sum_is_absent_when_a_minute_does_not_have_it",
            f"{BARS}::test_sums_of_decimals_are_the_decimals_that_people_expect",
        ),
        ("close=candles.close[after - 1]", "close=candles.close[first]"),
        ("dtype=np.longdouble).astype(np.float64)", "dtype=np.float64)"),
        ("sums[np.logical_or.reduceat", "sums[np.logical_and.reduceat"),
    ),
    *_of(
        "core/day.py",
        "unit/test_day.py",
        ("newest.open_time > newest.open_time[-1] - DAY", "newest.open_time >= newest.open_time[-1] - DAY"),
        ("< 1e15 and", "< 1e18 and"),
    ),
    *_of(
        "core/cursors.py",
        "unit/test_cursors.py",
        ("if asked != question or len(ends) != series:", "if len(ends) != series:"),
    ),
    *_of(
        "services/syncing/backfill.py",
        BACKFILL,
        ("exactly=asked.again and not held", "exactly=not held"),
        ("if exactly and not confirms:", "if exactly:"),
        ("if self._lost_in_a_row >= GIVE_UP_AFTER", "if self._lost_in_a_row > GIVE_UP_AFTER"),
        ("                self._lost_in_a_row = 0", "                pass"),
        ("known.with_held(held).with_voids(voids), resolved", "known.with_voids(voids), resolved"),
        ("subtract(wanted, subtract(absent, proven))", "wanted"),
    ),
    *_of(
        "web/server/sessions.py",
        "unit/test_sessions.py",
        ("if cookie is None or _is_from_elsewhere(request):", "if cookie is None:"),
        (
            "self.of(request) and not _is_own_page(request)",
            "self.of(request) and _is_from_elsewhere(request)",
        ),
        ("if self._clock.now() < int(until) else None", "if int(until) else None"),
    ),
    *_of(
        "access/sessions.py",
        "unit/test_sessions.py",
        ("hmac.new(key.digest, _PURPOSE, sha256)", "hmac.new(key.name.encode(), _PURPOSE, sha256)"),
    ),
    *_of(
        "services/streaming/change_log.py",
        "unit/test_change_log.py",
        ("if not 0 <= missed <= len(self._changes):", "if missed < 0:"),
        ("if run != self._run or not", "if not"),
    ),
    *_of(
        "services/streaming/changes.py",
        "web/test_changes.py",
        ("more=len(series) > MOST_NAMED", "more=False"),
        ("both = {**before, **facts}", "both = dict(before)"),
    ),
    *_of(
        "core/strip.py",
        "unit/test_coverage_map.py",
        ("week.end <= listing", "week.start <= listing"),
    ),
    *_of(
        "services/syncing/ledger.py",
        "unit/test_ledger.py",
        (
            "if not await self._store.save(self._lease, saving, self._saved):",
            "if await self._store.save(self._lease, saving, self._saved) is None:",
        ),
        ("set(unheld) - await self._store.leased(unheld, self._owner)", "set(unheld)"),
    ),
    *_of(
        "services/syncing/ledger.py",
        "unit/test_catalogue.py",
        ("self._rewrites += rewritten", "self._rewrites += False"),
    ),
    *_of(
        "services/syncing/sync.py",
        "unit/test_sync.py",
        ("closed_until(now - self._settle_ms)", "closed_until(now)"),
        ("return known.listed(wanted)", "return known.missing(wanted, now)"),
    ),
    *_of(
        "services/syncing/removal.py",
        "integration/test_deletion.py",
        ("await stores.shortfalls.add(series)\n        await ledger", "await ledger"),
    ),
    *_of(
        "services/syncing/audit.py",
        "integration/test_repair.py",
        ("            if stored != held:", "            if lost:"),
    ),
    *_of(
        "services/following/append.py",
        ("unit/test_append.py",),
        ("if not known.held or known.until != known.held.end:", "if not known.held:"),
        ("return edge is not None and edge.end > candle.open_time", "return edge is not None"),
        ("        if not is_sound(candle):\n            return\n", ""),
    ),
    *_of(
        "services/following/visits.py",
        "unit/test_visits.py",
        ("is_held = edge.end >= closed_until(now - self._settle_ms)", "is_held = True"),
        ("if edge is None or edge.since != follow.since:", "if edge is None:"),
    ),
    *_of("services/reading/remembered.py", "unit/test_remembered.py", ("if mark == marks[one]", "if mark")),
    *_of(
        "services/reading/validators.py",
        "unit/test_validator.py",
        ("if self.shortfalls or self.held != (self.window,):", "if self.held != (self.window,):"),
        ("<= known.known_until and not known.lacking(window)", "<= known.known_until"),
    ),
    *_of(
        "services/reading/kept_hours.py",
        (
            f"{KEPT}::test_parts_of_a_chunk_without_any_candle_are_empty",
            f"{KEPT}::test_a_reader_who_began_before_a_deletion_leaves_no_tag_and_no_hours_that_lie",
            f"{KEPT}::test_verify_drops_kept_hours_that_differ_and_nobody_uses_them_any_more",
            f"{KEPT}::test_hours_of_minutes_that_were_away_are_not_kept",
        ),
        ("tuple(revisions), opened.shortfalls))", "opened.shortfalls))"),
        (
            "if kept is None or kept.key != chunk.key:\n            return None",
            "if kept is None:\n            return None",
        ),
        ("and len(part) and _minutes(part) == one.minutes:", "and len(part):"),
    ),
    *_of(
        "services/syncing/removal.py",
        f"{KEPT}::test_a_reader_between_two_steps_of_a_deletion_keeps_no_hours_that_lie",
        ("await stores.shortfalls.add(series)\n        await stores.hours", "await stores.hours"),
    ),
    *_of(
        "services/reading/complete_candles.py",
        ("web/test_binance_mirror.py", "web/test_udf.py"),
        ('side="right")', 'side="left")'),
    ),
    *_of(
        "store/market/candles.py",
        (STORES, "integration/test_revision_crashes.py"),
        ("                await self._revisions.settle(recorded)\n", ""),
        (
            "(self._overlapping.add if clashed or stored else self._overlapping.discard)(series)",
            "self._overlapping.discard(series)",
        ),
        ('if any(problem["code"] != DUPLICATE_KEY', 'if all(problem["code"] != DUPLICATE_KEY'),
    ),
    *_of(
        "store/market/coverage.py",
        LEDGERS,
        (
            'return {"_id": lease.series.name, "lease.token": lease.token}',
            'return {"_id": lease.series.name}',
        ),
        ('        "until": added.start,\n        "held_to"', '        "held_to"'),
        ('        "$or": [{"lease": None}, _RUN_OUT],\n    }', "    }"),
        ('        change["$set"] |= _stamp()\n', ""),
        (
            'free = [{"lease": None}, {"lease.owner": owner}, _RUN_OUT]',
            'free = [{"lease": None}, {"lease.owner": owner}]',
        ),
    ),
    *_of(
        "store/market/ledger_document.py", LEDGERS, ('"$unset": {"tail": 1, **gone}', '"$unset": {"tail": 1}')
    ),
    *_of(
        "store/market/prefetch.py",
        STORES,
        ("int(columns.open_time[-1]) + (0 if self.backwards else 1)", "int(columns.open_time[-1]) + 1"),
    ),
    *_of(
        "store/market/jobs.py",
        JOBS,
        (
            '{"_id": job.id, "token": token, "status": "running"}, {"$set": ended',
            '{"_id": job.id, "status": "running"}, {"$set": ended',
        ),
        ('"$inc": {"tries": 1}', '"$inc": {"tries": 0}'),
    ),
    *_of(
        "store/market/revisions.py",
        "integration/test_revision_crashes.py",
        (' and one["at"] < abandoned]', "]"),
    ),
    *_of(
        "net/rest/throttle.py",
        ("unit/test_throttle.py", "unit/test_account_budgets.py"),
        ("begin = max(begin, self._blocked_until)", "begin = max(begin, now)"),
        ("            window.forget(now)\n", "            window.forget(begin)\n"),
        ("waiter.urgent and not one.urgent and one.moment > now", "False"),
    ),
    *_of(
        "net/rest/requester.py",
        "unit/test_requester.py",
        ("session._retry_connection = False", "session._retry_connection = True"),
        ("if not request.may_be_repeated:", "if False:"),
    ),
    *_of(
        "services/orders/reception.py",
        ORDERS,
        (
            "total(value for value in known.values() if value is not None)",
            "total(value for value in ())",
        ),
        ("entries=len(desk.entries) + sum(", "entries=sum("),
    ),
    *_of(
        "services/orders/executor.py",
        ORDERS,
        (
            "if isinstance(error, ExchangeRefused) and not isinstance(error, OrderAbsent):",
            "if isinstance(error, ExchangeError):",
        ),
        ("if not await self._intents.add(intent):", "if await self._intents.add(intent) is None:"),
    ),
    *_of("services/orders/cancelling.py", ORDERS, ("await self._drained(account_id)", "()")),
    *_of(
        "services/orders/finding.py",
        ORDERS,
        ("for order in await venue.open_orders(product):", "for order in ():"),
    ),
    *_of(
        "precedence.py",
        "unit/test_precedence.py",
        ("PART if self._is_alert else len(rows)", "len(rows)"),
    ),
    *_of("services/orders/watch.py", ORDERS, ("order = await found_anywhere(venue, intent)", "order = None")),
    *_of("store/trading/desks.py", ORDERS, ('"version": desk.version, "entries.id"', '"entries.id"')),
    *_of(
        "store/trading/papers.py",
        "integration/test_paper_accounts.py",
        ('"_id": account, "version": version}', '"_id": account}'),
    ),
    *_of(
        "trading/paper/paper_matching.py",
        "unit/test_paper.py",
        ("left = None if left is None else left - size", "left = left"),
        ("(since is not None or price != reached)", "price != reached"),
    ),
    *_of(
        "trading/paper/paper_time.py",
        "unit/test_paper.py",
        ('_fire_in(book, where, "take_profit", bar, before)', '_fire_in(book, where, "take_profit", bar)'),
    ),
    *_of(
        "services/watching/listening.py",
        "integration/test_account_sockets.py",
        ("self._hurry(account)", "pass"),
    ),
    *_of(
        "services/watching/account_look.py",
        "integration/test_account_watch.py",
        ("if has_lost(known.snapshot, after):", "if False:"),
        ("ends.missed[name] = since", "pass"),
    ),
    *_of(
        "services/alarms/runner.py",
        "integration/test_alarms.py",
        ("key=alarm.key(number),", "key=None,"),
    ),
    *_of(
        "trading/alarms/order_of.py",
        "unit/test_alarms.py",
        ("return signal.before == reached", "return True"),
    ),
    *_of(
        "trading/alarms/decision.py",
        "unit/test_alarms.py",
        ("if leg.closes or not is_old)", "if leg)"),
        ("return max(reached, ZERO) if after > 0 else min(reached, ZERO)", "return reached"),
    ),
    *_of(
        "trading/alarms/signal.py",
        "unit/test_alarms.py",
        ("for name, value in fields.items() if name != TOKEN}", "for name, value in fields.items()}"),
    ),
    *_of("services/orders/triggers.py", "integration/test_triggers.py", ("key=fired.key,", "key=None,")),
    *_of(
        "exchanges/extended/signing.py",
        "unit/test_extended_signing.py",
        ("return Amounts(base, -quote, paid)", "return Amounts(base, quote, paid)"),
        ("return signer(keys, TESTNET)", "return signer(keys, MAINNET)"),
    ),
    *_of(
        "exchanges/extended/account/key.py",
        "integration/test_extended_account.py::test_the_keys_are_those_of_the_account",
        ("!= (owner.public, str(owner.vault))", "== (0, '')"),
    ),
    *_of(
        "net/private/account_client.py",
        "integration/test_extended_account.py::test_what_no_account_here_trades_is_refused_before_it_is_sent",
        ("if product not in self._flavour.balances:", "if False:"),
    ),
    *_of(
        "services/history/window_reading.py",
        "integration/test_extended_account.py::test_the_history_of_two_lists_is_one",
        ("for part in range(parts):", "for part in range(1):"),
    ),
    *_of(
        "store/trading/replays.py",
        "integration/test_replay_jobs.py",
        ('RUNNING | {"_id": run.id, "run.holder": run.holder},', 'RUNNING | {"_id": run.id},'),
    ),
    *_of("trading/intents.py", ORDERS, ("moment > last_moment for moment", "moment > 0 for moment")),
]
