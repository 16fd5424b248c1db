"""Orders as somebody wants them: what contradicts itself, what fits a market, what limits allow."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.trading.intents import MOVES, State, digest, intent_id, is_intent_id, states_before
from backend.trading.money import is_multiple
from backend.trading.risk import Limits, Situation, verdict
from backend.trading.rows import Product
from backend.trading.rules import Rules, fitted
from backend.trading.tickets import Force, InvalidTicket, Ticket
from backend.trading.twap import slice_sizes

D = Decimal
GIVEN: dict[str, Any] = {
    "product": Product.PERPETUAL_USDT,
    "symbol": "BTCUSDT",
    "side": "buy",
    "size": D("0.01"),
}
RULES = Rules(price_step=D("0.5"), size_step=D("0.001"), least_size=D("0.002"), least_value=D(5))
SPOT: dict[str, Any] = {"product": Product.SPOT}


def ticket(**changes: Any) -> Ticket:
    return Ticket(**(GIVEN | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": None}, "size is missing"),
        ({"quote_size": D(5)}, "quote_size is for market orders that buy on spot"),
        (SPOT, "needs quote_size"),
        (SPOT | {"quote_size": D(5)}, "not both"),
        (SPOT | {"side": "sell", "size": None, "quote_size": D(5)}, "quote_size is for market orders"),
        (SPOT | {"side": "sell", "held": "long"}, "leave position out"),
        (SPOT | {"side": "sell", "reduce_only": True}, "leave reduce_only out"),
        (SPOT | {"side": "sell", "stop_loss": D(1)}, "are for perpetuals"),
        ({"reduce_only": True, "held": "long"}, "one position a symbol"),
        ({"reduce_only": True, "take_profit": D(1)}, "takes no take_profit"),
        ({"side": "sell", "held": "long", "stop_loss": D(1)}, "takes no take_profit"),
        ({"force": Force.IOC}, "takes no force"),
    ],
)
def test_a_ticket_that_contradicts_itself_says_why(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidTicket, match=said):
        ticket(**changes)


@pytest.mark.parametrize(
    ("changes", "closes"),
    [
        ({}, False),
        ({"side": "sell"}, False),
        ({"reduce_only": True}, True),
        ({"held": "long"}, False),
        ({"held": "long", "side": "sell"}, True),
        ({"held": "short", "side": "sell"}, False),
        ({"held": "short"}, True),
        (SPOT | {"side": "sell"}, True),
        (SPOT | {"size": None, "quote_size": D(5)}, False),
    ],
)
def test_what_can_only_close(changes: dict[str, Any], closes: bool) -> None:
    assert ticket(**changes).closes is closes


@given(
    size=st.decimals(min_value=D("0.002"), max_value=D(1000), allow_nan=False, places=9),
    price=st.decimals(min_value=D(5000), max_value=D(10**6), allow_nan=False, places=9),
    side=st.sampled_from(["buy", "sell"]),
)
def test_what_is_made_to_fit_is_never_more_and_never_a_worse_price(
    size: Decimal, price: Decimal, side: str
) -> None:
    made = fitted(ticket(size=size, price=price, side=side), RULES)
    assert made.size is not None
    assert made.price is not None
    assert is_multiple(made.size, step=RULES.size_step)
    assert is_multiple(made.price, step=RULES.price_step)
    assert size - RULES.size_step < made.size <= size
    worse = made.price - price if side == "buy" else price - made.price
    assert -RULES.price_step < worse <= 0
    assert fitted(made, RULES) == made


def test_what_is_too_small_is_refused_unless_it_closes() -> None:
    with pytest.raises(InvalidTicket, match=r"smallest size of BTCUSDT is 0\.002"):
        fitted(ticket(size=D("0.0019")), RULES)
    with pytest.raises(InvalidTicket, match="worth 5 at least, not 4"):
        fitted(ticket(size=D("0.002"), price=D(2000)), RULES)
    with pytest.raises(InvalidTicket, match="below the smallest step"):
        fitted(ticket(price=D("0.4")), RULES)
    assert fitted(ticket(size=D("0.002"), price=D(2000), reduce_only=True), RULES).size == D("0.002")


def test_the_most_that_an_order_may_be_worth() -> None:
    assert RULES.value(ticket(), D(100)) == 1
    assert RULES.value(ticket(), None) is None
    assert RULES.value(ticket(price=D(50)), D(100)) == D("0.5")
    assert RULES.value(ticket(price=D(50), side="sell"), D(100)) == 1
    assert RULES.value(ticket(price=D(200), side="sell"), D(100)) == 2
    assert RULES.value(ticket(**SPOT | {"size": None, "quote_size": D(7)}), D(100)) == 7
    contracts = replace(RULES, contract_value=D(10))
    assert contracts.value(ticket(size=D(3)), D(100)) == 30


LIMITED = Limits(
    max_order_value=D(100),
    max_position_value=D(300),
    entries_per_minute=2,
    price_band=D("0.1"),
    max_daily_loss=D(50),
    symbols=("BTCUSDT",),
)
FINE = Situation(price=D(1000), position=D(100), exposed=D(100), entries=1, loss=D(49))


@pytest.mark.parametrize(
    ("changes", "value", "situation", "said"),
    [
        ({}, D(100), {}, None),
        ({}, D(101), {}, "limit is 100"),
        ({}, None, {}, "nothing tells it"),
        ({}, D(100), {"exposed": D(101)}, "may reach 301; the limit is 300"),
        ({}, D(100), {"position": D(-100), "exposed": D(300)}, None),
        ({}, D(1), {"entries": 2}, "2 entries a minute"),
        ({}, D(1), {"halted": True}, "kill switch"),
        ({}, D(1), {"loss": D(50)}, "lost 50 today; the limit is 50"),
        ({}, D(1), {"loss": None}, "nothing tells what was lost"),
        ({}, D(1), {"loss": D(-500)}, None),
        ({"symbol": "ETHUSDT"}, D(1), {}, "do not allow ETHUSDT"),
        ({"price": D(900)}, D(1), {}, None),
        ({"price": D(899)}, D(1), {}, "from 900 to 1100"),
        ({"price": D(1101)}, D(1), {}, "from 900 to 1100"),
        ({"price": D(900)}, D(1), {"price": None}, "needs the market's price"),
        ({"reduce_only": True}, D(9999), {"halted": True, "entries": 9, "price": None}, None),
    ],
)
def test_limits_refuse_entries_and_nothing_that_closes(
    changes: dict[str, Any], value: Decimal | None, situation: dict[str, Any], said: str | None
) -> None:
    found = verdict(ticket(**changes), value, LIMITED, replace(FINE, **situation))
    assert (found is None) if said is None else said in (found or "")


def test_without_limits_everything_may_be_sent_but_against_the_kill_switch() -> None:
    assert verdict(ticket(), None, Limits(), Situation()) is None
    assert verdict(ticket(), None, Limits(), Situation(halted=True)) is not None
    assert not Limits().need_price(ticket())
    assert Limits(max_order_value=D(1)).need_price(ticket())
    assert Limits(max_position_value=D(1)).need_price(ticket(price=D(1), side="sell"))
    assert not Limits(max_order_value=D(1)).need_price(ticket(price=D(1)))
    assert Limits(price_band=D(1)).need_price(ticket(price=D(1)))


def test_no_state_leads_back_to_sending_and_what_is_seen_is_accepted() -> None:
    assert states_before(State.SENDING) == ()
    assert set(states_before(State.ACCEPTED)) == set(State) - {State.ACCEPTED}
    assert MOVES[State.ACCEPTED] == frozenset()
    assert State.NEVER_ARRIVED not in MOVES[State.REFUSED]


def test_an_id_is_legal_everywhere_and_of_one_account_and_key() -> None:
    one = intent_id("a", "k")
    assert (len(one), one[0], one.isalnum(), one == one.lower()) == (32, "i", True, True)
    assert one == intent_id("a", "k") != intent_id("b", "k")
    assert is_intent_id(one)
    assert is_intent_id(one.upper())
    assert not any(map(is_intent_id, ("", "i" * 32, "web-1", one[:-1], f"{one}0", f"x{one[1:]}")))
    assert digest(ticket()) == digest(ticket()) != digest(ticket(side="sell"))


@given(
    size=st.decimals(min_value=D("0.2"), max_value=D(1000), allow_nan=False, places=6),
    slices=st.integers(min_value=1, max_value=100),
)
def test_slices_add_up_and_differ_by_one_step_at_most(size: Decimal, slices: int) -> None:
    sizes = slice_sizes(ticket(size=size), slices, RULES)
    assert len(sizes) == slices
    assert sum(sizes) <= size < sum(sizes) + RULES.size_step
    assert max(sizes) - min(sizes) in (0, RULES.size_step)
    assert all(is_multiple(one, step=RULES.size_step) for one in sizes)


def test_slices_that_would_be_too_small_are_refused() -> None:
    with pytest.raises(InvalidTicket, match="too many"):
        slice_sizes(ticket(size=D("0.009")), 5, RULES)
