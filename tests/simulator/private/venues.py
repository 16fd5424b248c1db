"""The interfaces that tell accounts anything: they stand before the public ones of the same addresses."""

from __future__ import annotations

from collections.abc import Sequence

from tests.simulator.answers import Venue
from tests.simulator.clock import SimulatorClock
from tests.simulator.faults import Faults
from tests.simulator.private.accounts import Accounts, Buckets
from tests.simulator.private.bingx import PrivateBingx
from tests.simulator.private.bitget import PrivateBitget
from tests.simulator.private.extended import PrivateExtended


def private_venues(
    accounts: Accounts, clock: SimulatorClock, faults: Faults, *, limited: bool
) -> Sequence[Venue]:
    """Return the private interfaces of Bitget, BingX and Extended, and those of the hosts for play money."""
    buckets = Buckets(clock, limited)
    return [
        PrivateBitget(accounts, clock, faults, buckets),
        PrivateBingx(accounts, clock, faults, buckets),
        PrivateBingx(accounts, clock, faults, Buckets(clock, limited), demo=True),
        PrivateExtended(accounts, clock, faults),
        PrivateExtended(accounts, clock, faults, demo=True),
    ]
