"""Processes behind one address split what it may spend; nobody overspends while they come and go."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from backend.errors import DatabaseUnavailable
from backend.exchanges.base import RateLimit
from backend.net.rest.throttle import Throttle
from backend.process import is_gone, process_name
from backend.services.ports import Member
from backend.services.running.fleet import IDLE_WEIGHT, TRADING_WEIGHT, Fleet, Role, member_of
from tests.fakes import FakeClock

SECONDS = 9.0
LIMIT = RateLimit("weight", 60, 60.0)


class Roll:
    """Fits `backend.services.ports.FleetStore`; nobody is forgotten unless they leave."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.failure: DatabaseUnavailable | None = None

    async def beat(self, member: Member, seconds: float) -> Sequence[Member]:
        assert seconds == SECONDS
        if self.failure:
            raise self.failure
        self.members[member.name] = member
        return list(self.members.values())

    async def present(self) -> list[Member]:
        return list(self.members.values())

    async def leave(self, member: Member) -> None:
        if self.failure:
            raise self.failure
        del self.members[member.name]


class SharedBudget:
    """Fits `backend.services.running.fleet.Purse` and remembers what it was told."""

    longest = 60.0

    def __init__(self) -> None:
        self.parts: list[float] = []
        self.held_off: list[float] = []

    def take_part(self, part: float) -> None:
        self.parts.append(part)

    def hold_off(self, seconds: float) -> None:
        self.held_off.append(seconds)


def fleet(roll: Roll, name: str, purse: SharedBudget, role: Role = "all", egress: str = "") -> Fleet:
    return Fleet(
        store=roll, member=member_of(name, egress, role), budgets=[purse], clock=FakeClock(), seconds=SECONDS
    )


async def test_a_process_alone_spends_everything_at_once() -> None:
    purse = SharedBudget()
    assert await fleet(Roll(), "one", purse).join() == []
    assert (purse.parts, purse.held_off) == ([1.0], [])


async def test_a_newcomer_waits_until_the_others_made_room_and_what_they_spent_is_forgotten() -> None:
    roll, first, second = Roll(), SharedBudget(), SharedBudget()
    old, new = fleet(roll, "old", first), fleet(roll, "new", second)
    await old.join()
    await new.join()
    await old.join()
    await new.join()
    assert (first.parts, first.held_off) == ([1.0, 0.5], [])
    assert (second.parts, second.held_off) == ([0.5, 0.5], [3.0 + 60.0])


async def test_the_rest_get_the_part_of_one_that_leaves() -> None:
    roll, first, second = Roll(), SharedBudget(), SharedBudget()
    old, new = fleet(roll, "old", first), fleet(roll, "new", second)
    await old.join()
    await new.join()
    await new.leave()
    await old.join()
    assert first.parts == [1.0, 1.0]


async def test_a_process_that_does_no_jobs_leaves_nearly_everything_to_those_that_do() -> None:
    roll, api, worker = Roll(), SharedBudget(), SharedBudget()
    await fleet(roll, "api", api, "api").join()
    await fleet(roll, "worker", worker, "worker").join()
    assert worker.parts == [1 / (1 + IDLE_WEIGHT)]


async def test_a_process_that_sends_orders_has_room_for_them_where_there_are_accounts() -> None:
    roll, clock = Roll(), FakeClock()
    for role in ("api", "worker"):
        asked, traded = SharedBudget(), SharedBudget()
        process = Fleet(
            store=roll,
            member=member_of(role, "", role, trades=True),
            budgets=[asked, traded],
            traded=[traded],
            clock=clock,
            seconds=SECONDS,
        )
        await process.join()
    assert asked.parts == [1 / (1 + IDLE_WEIGHT)]
    assert traded.parts == [1 / (1 + TRADING_WEIGHT)]


@pytest.mark.parametrize("role", ["command", "follow"])
def test_what_sends_no_orders_needs_no_room_for_them(role: Role) -> None:
    assert not member_of("one", "", role, trades=True).trades


async def test_a_command_takes_little_beside_a_service_and_waits_for_nothing() -> None:
    roll, purse = Roll(), SharedBudget()
    await fleet(roll, "service", SharedBudget()).join()
    command = fleet(roll, "command", purse, "command")
    assert [one.works for one in await command.join()] == [True]
    assert purse.parts == [IDLE_WEIGHT / (1 + IDLE_WEIGHT)]
    assert purse.held_off == []


async def test_a_command_that_does_its_own_jobs_counts_as_one_who_works() -> None:
    roll, first, second = Roll(), SharedBudget(), SharedBudget()
    for name, purse in (("one", first), ("two", second)):
        command = fleet(roll, name, purse, "command")
        assert not any(one.works for one in await command.join())
        await command.join(1.0)
    assert (first.parts[-1], first.held_off) == (1.0, [])
    assert (second.parts[-1], second.held_off) == (0.5, [63.0])


async def test_one_that_shows_follows_is_a_keeper_only_when_it_became_a_worker() -> None:
    roll, purse = Roll(), SharedBudget()
    shows = fleet(roll, "shows", purse, "follow")
    await shows.join()
    assert (shows.keepers, purse.held_off) == (frozenset(), [])
    await shows.become("worker")
    assert (shows.keepers, purse.parts[-1], purse.held_off) == (frozenset({"shows"}), 1.0, [])
    other = fleet(roll, "other", SharedBudget(), "follow")
    assert [one.name for one in await other.join() if one.works] == ["shows"]


async def test_who_reaches_exchanges_from_another_address_takes_nothing_away() -> None:
    roll, here, there = Roll(), SharedBudget(), SharedBudget()
    await fleet(roll, "here", here).join()
    assert [one.name for one in await fleet(roll, "there", there, egress="vpn").join()] == ["here"]
    assert (there.parts, there.held_off) == ([1.0], [])


async def test_one_that_surely_died_does_not_count() -> None:
    roll, purse = Roll(), SharedBudget()
    await fleet(roll, "dead", SharedBudget()).join()
    member = member_of("new", "", "all")
    alone = Fleet(
        store=roll,
        member=member,
        budgets=[purse],
        clock=FakeClock(),
        seconds=SECONDS,
        is_gone=lambda name: name == "dead",
    )
    assert await alone.join() == []
    assert (purse.parts, purse.held_off) == ([1.0], [])


async def test_a_database_that_is_away_is_no_reason_to_stay_when_leaving() -> None:
    roll = Roll()
    roll.failure = DatabaseUnavailable("away")
    one = fleet(roll, "one", SharedBudget())
    with pytest.raises(DatabaseUnavailable):
        await one.join()
    await one.leave()


def test_a_process_knows_its_dead_neighbours_and_no_strangers() -> None:
    machine = process_name().rsplit(":", 2)[0]
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    assert is_gone(f"{machine}:{died.pid}:00000000")
    assert is_gone(f"{machine}:{os.getpid()}:00000000")
    assert not is_gone(f"{machine}:{os.getppid()}:00000000")
    host, boot, namespace = machine.rsplit("/", 2)
    for stranger in (
        f"another/{boot}/{namespace}",
        f"{host}/00000000-0000-0000-0000-000000000000/{namespace}",
        f"{host}/{boot}/1",
        f"{host}/{namespace}",
        host,
    ):
        assert not is_gone(f"{stranger}:{died.pid}:00000000")
    for nonsense in ("", ":", machine, f"{machine}:x:y", f"{machine}:{9**30}:0", f"another:{died.pid}"):
        assert not is_gone(nonsense)
    assert process_name() != process_name()


def spent_at(throttle: Throttle, now: float, times: int) -> list[float]:
    """When so many requests of ten units each may go, asked for at `now`."""
    return [throttle.reserve({"weight": 10}, now) for _ in range(times)]


def test_a_smaller_part_counts_at_once() -> None:
    clock = FakeClock()
    throttle = Throttle([LIMIT], 1.0, clock)
    throttle.take_part(0.5)
    assert spent_at(throttle, 0.0, 6) == [0, 0, 0, 60, 60, 60]


def test_a_larger_part_counts_when_what_others_spent_is_out_of_the_window() -> None:
    clock = FakeClock()
    throttle = Throttle([LIMIT], 1.0, clock)
    throttle.take_part(0.5)
    clock.advance(100)
    throttle.take_part(1.0)
    assert spent_at(throttle, 100.0, 4) == [100, 100, 100, 160]
    clock.advance(61)
    assert spent_at(throttle, 161.0, 6) == [161, 161, 161, 161, 161, 220]


def test_what_is_the_others_to_spend_does_not_count_as_ours() -> None:
    clock = FakeClock()
    throttle = Throttle([LIMIT], 1.0, clock)
    throttle.take_part(0.5)
    throttle.learn({"weight": 30})
    assert spent_at(throttle, 0.0, 3) == [0, 0, 0]
    throttle.learn({"weight": 70})
    clock.advance(60)
    assert spent_at(throttle, 60.0, 3) == [60, 60, 60]


def test_what_others_overspend_counts_as_ours() -> None:
    clock = FakeClock()
    throttle = Throttle([LIMIT], 1.0, clock)
    throttle.take_part(0.5)
    throttle.learn({"weight": 50})
    assert spent_at(throttle, 0.0, 3) == [0, 60, 60]


def test_holding_off_lets_nothing_out() -> None:
    clock = FakeClock()
    throttle = Throttle([LIMIT], 1.0, clock)
    throttle.hold_off(63.0)
    assert spent_at(throttle, 0.0, 1) == [63.0]
    assert throttle.longest == 60.0
