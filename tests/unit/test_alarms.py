"""Alarms are read, sized, judged and put in order: pure, and by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.trading.alarms.decision import NotCarriedOut, Situation, legs_of, wanted_position
from backend.trading.alarms.order_of import Waiting, next_of
from backend.trading.alarms.signal import (
    InvalidAlarm,
    Signal,
    digest_of,
    fields_of,
    read_signal,
    without_token,
)
from backend.trading.alarms.strategy import (
    TEMPLATE,
    By,
    Condition,
    Kind,
    Sizing,
    Strategy,
    is_known,
    symbol_of,
    token_digest,
)
from backend.trading.rows import Product

NOW = 1_790_000_000_000


def d(text: str | int) -> Decimal:
    return Decimal(text)


def read(**fields: object) -> Signal:
    return read_signal(fields_of(json.dumps(fields).encode()))


def strategy(**other: Any) -> Strategy:
    given: dict[str, Any] = {
        "id": "ema",
        "revision": 1,
        "token": "digest",
        "account": "a",
        "product": Product.PERPETUAL_USDT,
        "kind": Kind.TARGET,
        "sizing": Sizing(by=By.ALARM, amount=Decimal(1)),
    }
    return Strategy(**(given | other))


def meets(**other: Any) -> Situation:
    return Situation(**({"price": d(100), "equity": d(1000)} | other))


def legs(
    signal: Signal, made: Strategy, situation: Situation, *, is_old: bool = False
) -> list[tuple[Any, ...]]:
    found = legs_of(signal, made, "BTC-USDT", situation, is_old=is_old)
    return [(one.side, one.size, one.held, one.reduce_only) for one in found]


def test_an_alarm_is_read_whatever_names_and_forms_its_fields_have() -> None:
    usual = read(
        ticker="BTCUSDT.P",
        action="buy",
        quantity=0.01,
        entry_price="65000.50",
        position="long",
        position_size="0.01",
        prev_position="flat",
        prev_position_size=0,
        fired_at="2026-01-01T00:15:01Z",
    )
    other = read(
        symbol="BTCUSDT.P",
        side="BUY",
        contracts="0.01",
        price=65000.50,
        market_position="long",
        market_position_size=0.01,
        prev_market_position="flat",
        prev_market_position_size="0",
        timenow="2026-01-01T00:15:01Z",
    )
    assert usual == other
    assert (usual.quantity, usual.before, usual.after) == (d("0.01"), d(0), d("0.01"))
    assert usual.fired_at == 1_767_226_501_000
    assert read(ticker="X", position="short", position_size="2").after == d(-2)
    assert read(ticker="X", position_size="-2").after == d(-2)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\xff", "not UTF-8"),
        (b"BUY BTC", "not JSON"),
        (b'{"a": {{plot_0}}}', "placeholder"),
        (b"[1]", "not a JSON object"),
        (b'{"ticker":"X","action":"buy","quantity":NaN}', "NaN"),
        (b'{"ticker":"X","action":"buy","quantity":"NaN"}', "quantity is 'NaN'"),
        (b'{"ticker":"X","action":"buy","quantity":"null"}', "no number"),
        (b'{"ticker":"{{ticker}}","action":"buy"}', "did not fill"),
        (b'{"action":"buy"}', "ticker is missing"),
        (b'{"ticker":"X"}', "neither an action"),
        (b'{"ticker":"X","action":"hold"}', "buy or sell"),
        (b'{"ticker":"X","action":"buy","quantity":"1,5"}', "must be a number"),
        (b'{"ticker":"X","action":"buy","quantity":-1}', "below zero"),
        (b'{"ticker":"X","action":"buy","fired_at":"noon"}', "must be a time"),
        (b'{"ticker":"X","position":"up"}', "long, flat or short"),
        (b'{"ticker":["X"]}', "text or a number"),
        (b'{"ticker":"' + b"x" * 300 + b'"}', "text or a number"),
        (b'{"a":' * 5000, "not JSON"),
    ],
)
def test_what_is_wrong_with_an_alarm_is_named(body: bytes, said: str) -> None:
    with pytest.raises(InvalidAlarm, match=said):
        read_signal(fields_of(body))


def test_no_digit_of_a_number_is_lost() -> None:
    text = "0.1234567890123456789012345"
    assert read_signal(
        fields_of(b'{"ticker":"X","action":"buy","quantity":' + text.encode() + b"}")
    ).quantity == d(text)


def test_the_token_is_in_no_name_of_an_alarm() -> None:
    fields = fields_of(b'{"token":"secret","ticker":"X","action":"buy"}')
    assert "secret" not in without_token(fields)
    assert digest_of("ema", fields) == digest_of("ema", fields | {"token": "other"})
    assert digest_of("ema", fields) != digest_of("rsi", fields)
    assert "secret" not in repr(strategy(token=token_digest("secret")))


def test_the_template_is_an_alarm_once_it_is_filled_in() -> None:
    values = {
        "{{ticker}}": "BTCUSDT.P",
        "{{exchange}}": "BINGX",
        "{{interval}}": "15",
        "{{strategy.order.action}}": "buy",
        "{{strategy.order.contracts}}": "1",
        "{{strategy.order.price}}": "65000.5",
        "{{strategy.market_position}}": "long",
        "{{strategy.market_position_size}}": "1",
        "{{strategy.prev_market_position}}": "flat",
        "{{strategy.prev_market_position_size}}": "0",
        "{{strategy.order.id}}": "Long",
        "{{time}}": "2026-01-01T00:00:00Z",
        "{{timenow}}": "2026-01-01T00:15:01Z",
    }
    signal = read(**{name: values.get(value, value) for name, value in TEMPLATE.items()})
    assert (signal.ticker, signal.after, signal.before, signal.order) == ("BTCUSDT.P", d(1), d(0), "Long")
    assert signal.is_named


@pytest.mark.parametrize(
    ("ticker", "venue", "symbols", "expected"),
    [
        ("BTCUSDT.P", "bitget", {}, "BTCUSDT"),
        ("BTCUSDT.P", "bingx", {}, "BTC-USDT"),
        ("BINANCE:ethusdt", "bingx", {}, "ETH-USDT"),
        ("XAU", "bingx", {}, None),
        ("BTCUSDT.P", "bingx", {"BTCUSDT.P": "BTC-USDT"}, "BTC-USDT"),
        ("BTCUSDT.P", "bingx", {"BTCUSDT": "BTC-USDT"}, "BTC-USDT"),
        ("ETHUSDT.P", "bingx", {"BTCUSDT.P": "BTC-USDT"}, None),
    ],
)
def test_a_ticker_becomes_a_symbol(
    ticker: str, venue: str, symbols: dict[str, str], expected: str | None
) -> None:
    assert symbol_of(strategy(symbols=symbols), ticker, venue) == expected


@pytest.mark.parametrize(
    ("sizing", "fields", "expected"),
    [
        (Sizing(by=By.ALARM, amount=d(2)), {}, d("0.6")),
        (Sizing(by=By.SIZE, amount=d("0.05")), {}, d("0.05")),
        (Sizing(by=By.QUOTE, amount=d(50)), {}, d("0.5")),
        (Sizing(by=By.EQUITY, amount=d("0.1")), {}, d(1)),
        (Sizing(by=By.RISK, amount=d("0.01")), {"stop_loss": "95"}, d(2)),
    ],
)
def test_how_large_a_position_is_to_be(sizing: Sizing, fields: dict[str, str], expected: Decimal) -> None:
    signal = read(ticker="X", action="buy", position="long", position_size="0.3", **fields)
    assert wanted_position(signal, strategy(sizing=sizing), meets()) == expected
    short = read(ticker="X", action="sell", position="short", position_size="0.3")
    if sizing.by is not By.RISK:
        assert wanted_position(short, strategy(sizing=sizing), meets()) == -expected


def test_risk_needs_a_stop_on_the_losing_side() -> None:
    sizing = Sizing(by=By.RISK, amount=d("0.01"))
    for stop in ("105", None):
        fields = {"stop_loss": stop} if stop else {}
        with pytest.raises(NotCarriedOut, match="stop-loss"):
            wanted_position(
                read(ticker="X", action="buy", position="long", **fields), strategy(sizing=sizing), meets()
            )
    own = strategy(sizing=sizing, stop_loss=d("0.05"))
    assert wanted_position(read(ticker="X", action="buy", position="long"), own, meets()) == d(2)


LONG = {"ticker": "X", "action": "buy", "position": "long", "position_size": "2"}
FLAT = {"ticker": "X", "action": "sell", "position": "flat", "position_size": "0"}
SHORT = {"ticker": "X", "action": "sell", "position": "short", "position_size": "2"}


@pytest.mark.parametrize(
    ("alarm", "situation", "expected"),
    [
        (LONG, meets(), [("buy", d(2), "net", False)]),
        (LONG, meets(long=d(1)), [("buy", d(1), "net", False)]),
        (LONG, meets(long=d(5)), [("sell", d(3), "net", True)]),
        (LONG, meets(short=d(1)), [("buy", d(1), "net", True), ("buy", d(2), "net", False)]),
        (LONG, meets(short=d(1), hedged=True), [("buy", d(1), "short", False), ("buy", d(2), "long", False)]),
        (FLAT, meets(long=d(1)), [("sell", d(1), "net", True)]),
        (
            FLAT,
            meets(long=d(1), short=d(3), hedged=True),
            [("sell", d(1), "long", False), ("buy", d(3), "short", False)],
        ),
        (SHORT, meets(long=d(1)), [("sell", d(1), "net", True), ("sell", d(2), "net", False)]),
    ],
)
def test_the_orders_lead_from_what_is_held_to_what_is_wanted(
    alarm: dict[str, str], situation: Situation, expected: list[tuple[Any, ...]]
) -> None:
    assert legs(read(**alarm), strategy(), situation) == expected


@pytest.mark.parametrize(
    ("alarm", "situation", "expected"),
    [
        (LONG | {"quantity": "1"}, meets(long=d(1)), [("buy", d(1), "net", False)]),
        (FLAT | {"quantity": "7"}, meets(long=d(1)), [("sell", d(1), "net", True)]),
        (
            {"ticker": "X", "action": "sell", "quantity": "3"},
            meets(long=d(1)),
            [("sell", d(1), "net", True), ("sell", d(2), "net", False)],
        ),
        (
            LONG | {"action": "sell", "quantity": "3", "prev_position": "long", "prev_position_size": "5"},
            meets(long=d(1)),
            [("sell", d(1), "net", True)],
        ),
    ],
)
def test_an_order_as_it_is_told(
    alarm: dict[str, str], situation: Situation, expected: list[tuple[Any, ...]]
) -> None:
    assert legs(read(**alarm), strategy(kind=Kind.AS_TOLD), situation) == expected


def test_an_old_alarm_closes_and_opens_nothing() -> None:
    assert legs(read(**SHORT), strategy(), meets(long=d(1)), is_old=True) == [("sell", d(1), "net", True)]
    with pytest.raises(NotCarriedOut, match="older than 60 s"):
        legs(read(**SHORT), strategy(), meets(), is_old=True)
    with pytest.raises(NotCarriedOut, match="already"):
        legs(read(**LONG), strategy(), meets(long=d(2)))


def test_entries_are_guarded_by_prices_or_parts() -> None:
    made = strategy(take_profit=d("0.02"), stop_loss=d("0.01"))
    [leg] = legs_of(read(**SHORT), made, "X", meets(), is_old=False)
    assert (leg.take_profit, leg.stop_loss) == (d(98), d(101))
    [leg] = legs_of(read(**LONG, stop_loss="90"), made, "X", meets(), is_old=False)
    assert (leg.take_profit, leg.stop_loss) == (d(102), d(90))
    [leg] = legs_of(read(**FLAT), made, "X", meets(long=d(1)), is_old=False)
    assert (leg.take_profit, leg.stop_loss) == (None, None)


def test_spot_spends_quote_coins_and_is_never_short() -> None:
    made = strategy(product=Product.SPOT)
    [leg] = legs_of(read(**LONG), made, "X", meets(), is_old=False)
    assert (leg.side, leg.size, leg.quote_size) == ("buy", None, d(200))
    [leg] = legs_of(read(**SHORT), made, "X", meets(long=d(2)), is_old=False)
    assert (leg.side, leg.size) == ("sell", d(2))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (("price", ">", "99.999999999999999999999"), True),
        (("price", "<=", "99.999999999999999999999"), False),
        (("alarm.quantity", "==", "0.3"), True),
        (("candle.close", "<", "price"), True),
        (("candle.volume", ">", "0"), None),
        (("position", "!=", "0"), False),
        (("equity", ">=", "1000"), True),
    ],
)
def test_conditions_are_exact(condition: tuple[str, Any, str], holds: bool | None) -> None:
    signal = read(ticker="X", action="buy", quantity=0.3, position="long", position_size=2)
    made = strategy(conditions=(Condition(left=condition[0], op=condition[1], right=condition[2]),))
    situation = meets(candle={"close": d("99.5")})
    if holds:
        assert legs(signal, made, situation)
    else:
        with pytest.raises(NotCarriedOut, match="does not hold" + (r" \(a value" if holds is None else "")):
            legs(signal, made, situation)


def test_what_a_condition_may_compare() -> None:
    assert all(map(is_known, ("price", "alarm.quantity", "candle.low", "-1.5", "1e3")))
    assert not any(map(is_known, ("alarm.token", "nan", "inf", "", "__class__", "1e999")))


def waiting(name: str, before: object, after: object, received: int = 0, **more: Any) -> Waiting:
    def number(value: object) -> Decimal | None:
        return None if value is None else Decimal(str(value))

    signal = Signal(ticker="X", before=number(before), after=number(after), id=name, **more)
    return Waiting(id=name, signal=signal, received=NOW + received)


def carried_out(found: Sequence[Waiting], reached: Decimal | None) -> list[str]:
    """The order in which alarms are carried out that are all there."""
    left: list[Waiting] = list(found)
    done: list[str] = []
    while left:
        chosen = next_of(left, reached, NOW, 10_000).waiting
        if chosen is None:
            return [*done, "waits"]
        left.remove(chosen)
        done.append(chosen.id)
        reached = chosen.signal.after
    return done


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_alarms_of_one_bar_are_carried_out_in_the_order_of_their_positions(order: tuple[int, ...]) -> None:
    chain = [waiting("close", 1, 0), waiting("open", 0, -2), waiting("add", -2, -3)]
    assert carried_out([chain[place] for place in order], d(1)) == ["close", "open", "add"]
    flat = [waiting("open", 0, 1), waiting("add", 1, 2), waiting("turn", 2, -1)]
    assert carried_out([flat[place] for place in order], None) == ["open", "add", "turn"]


def test_an_alarm_waits_for_the_one_before_it_but_not_for_ever() -> None:
    late = waiting("open", 0, -2, received=0)
    found = next_of([late], d(1), NOW + 9_999, 10_000)
    assert (found.waiting, found.until) == (None, NOW + 10_000)
    found = next_of([late], d(1), NOW + 10_000, 10_000)
    assert (found.waiting, found.is_missing) == (late, True)


def test_alarms_without_positions_come_in_the_order_of_their_times() -> None:
    second = waiting("b", None, None, 0, fired_at=NOW + 2)
    first = waiting("a", None, None, 5, fired_at=NOW + 1)
    assert carried_out([second, first], None) == ["a", "b"]


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=6), st.randoms())
def test_every_order_of_arrival_ends_in_the_same_position(steps: list[int], chance: Any) -> None:
    positions = [0]
    for step in steps:
        if step != positions[-1]:
            positions.append(step)
    chain = [
        waiting(str(place), before, after, fired_at=NOW + place)
        for place, (before, after) in enumerate(pairwise(positions))
    ]
    mixed = list(chain)
    chance.shuffle(mixed)
    done = carried_out(mixed, d(0))
    assert sorted(done) == sorted(one.id for one in chain)
    if chain:
        last = next(one for one in chain if one.id == done[-1])
        assert last.signal.after == positions[-1]
