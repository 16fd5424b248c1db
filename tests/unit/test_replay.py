"""A replay by hand: alarms against candles, every number computed with a pencil."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from backend.core.quotes import FundingPaid
from backend.core.windows import HOUR, MINUTE
from backend.trading.alarms.alarm import Alarm, AlarmState
from backend.trading.alarms.replay import Replay, Result, in_order
from backend.trading.alarms.signal import Signal
from backend.trading.alarms.strategy import By, Condition, Kind, Sizing, Strategy
from backend.trading.paper.paper_book import Instrument, Terms
from backend.trading.paper.paper_time import Bar
from backend.trading.rows import FeeRates, Product
from backend.trading.rules import Rules

NOW = 1_800_000_000_000 // HOUR * HOUR
SYMBOL = "BTC-USDT"
RATES = FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
TERMS = Terms(spot=RATES, perpetual=RATES)


def d(text: str | int) -> Decimal:
    return Decimal(text)


def alarm(name: str, minute: int, after: int, before: int = 0, **more: Any) -> Alarm:
    signal = Signal(
        ticker="BTCUSDT.P", before=d(before), after=d(after), action="buy" if after > before else "sell"
    )
    given: dict[str, Any] = {
        "id": name,
        "strategy": "ema",
        "revision": 1,
        "account": "a",
        "lane": "l",
        "symbol": SYMBOL,
        "signal": signal,
        "body": "",
        "sender": "s",
        "received": NOW + minute * MINUTE - 1,
        "state": AlarmState.DONE,
    }
    return Alarm(**(given | more))


def replayed(
    alarms: list[Alarm],
    prices: list[str],
    *,
    product: Product = Product.PERPETUAL_USDT,
    funding: Sequence[FundingPaid] = (),
    **made: Any,
) -> Result:
    given: dict[str, Any] = {
        "id": "ema",
        "revision": 1,
        "token": "",
        "account": "a",
        "product": product,
        "kind": Kind.TARGET,
        "sizing": Sizing(by=By.ALARM, amount=d(1)),
    }
    rules = Rules(price_step=d("0.1"), size_step=d("0.001"))
    market = Instrument(product=product, symbol=SYMBOL, base="BTC", quote="USDT", rules=rules)
    replay = Replay(Strategy(**(given | made)), {SYMBOL: market}, d(10_000), TERMS, {SYMBOL: funding})
    left, before = list(in_order(alarms)), None
    for number, text in enumerate(prices):
        opened, high, low, close = map(d, text.split())
        bar = Bar(NOW + (number + 1) * MINUTE, opened, high, low, close, d(1000))
        while left and left[0].received <= bar.time - MINUTE:
            replay.carry_out(left.pop(0), bar, before)
        if replay.holds(SYMBOL):
            replay.see(SYMBOL, bar)
        before = bar
    for one in left:
        replay.carry_out(one, None)
    return replay.finish(NOW + len(prices) * MINUTE)


CANDLES = ["100 101 99 100", "110 111 109 110", "90 91 89 90"]


def test_alarms_trade_at_the_next_opening_price_and_pay_their_fees() -> None:
    found = replayed([alarm("a", 0, 2), alarm("b", 1, -1, 2), alarm("c", 2, 0, -1)], CANDLES)
    assert [(one.price, one.position) for one in found.alarms] == [
        (d(100), d(2)),
        (d(110), d(-1)),
        (d(90), d(0)),
    ]
    assert [(fill.side, fill.size, fill.price) for fill in found.fills] == [
        ("buy", d(2), d(100)),
        ("sell", d(2), d(110)),
        ("sell", d(1), d(110)),
        ("buy", d(1), d(90)),
    ]
    assert found.realised == d(40)  # 2 x 10 and 1 x 20
    assert found.fees == d("0.31")  # (200 + 220 + 110 + 90) x 0.0005
    assert found.equity[-1][1] == d(10_000) + d(40) - d("0.31")
    assert not any(one.differs for one in found.alarms)


def test_funding_is_paid_by_what_is_held_at_its_time() -> None:
    before, first, second, after = (NOW + minute * MINUTE for minute in (0, 1, 2, 3))
    funding = [
        FundingPaid(before, d("0.01")),
        FundingPaid(first, d("0.001")),
        FundingPaid(second, d("-0.002")),
        FundingPaid(after, d("0.003")),
    ]
    found = replayed([alarm("a", 0, 2), alarm("b", 2, -1, 2)], CANDLES, funding=funding)
    # long 2 at 100: pays 0.2; long 2 at 110: gets 0.44; short 1 at 90: gets 0.27
    assert found.funding == d("0.51")
    # won by trades: 2 x (90 - 100); fees: (200 + 180 + 90) x 0.0005
    assert found.equity[-1][1] == d(10_000) - d(20) - d("0.235") + d("0.51")


def test_a_stop_loss_of_the_strategy_fires_within_a_candle() -> None:
    found = replayed([alarm("a", 0, 1)], ["100 101 99.5 100", "99 100 97 98"], stop_loss=d("0.02"))
    assert [(fill.side, fill.price) for fill in found.fills] == [("buy", d(100)), ("sell", d(98))]
    assert found.equity[-1][1] == d(10_000) - 2 - d("0.099")


def test_conditions_see_the_candle_before() -> None:
    rising = Condition(left="price", op=">", right="candle.close")
    found = replayed([alarm("a", 1, 1), alarm("b", 2, -1, 1)], CANDLES, conditions=(rising,))
    assert [one.reason for one in found.alarms] == [
        "",
        "the condition price > candle.close does not hold",
    ]
    assert [one.differs for one in found.alarms] == [False, True]
    assert found.alarms[1].position == 1


def test_sizing_by_equity_compounds() -> None:
    half = Sizing(by=By.EQUITY, amount=d("0.5"))
    found = replayed([alarm("a", 0, 1), alarm("b", 1, 0, 1), alarm("c", 2, 1)], CANDLES, sizing=half)
    assert found.alarms[0].position == d(50)
    after = d(10_000) + d(500) - d("2.5") - d("2.75")  # 50 x 10, less 5,000 and 5,500 x 0.0005
    assert found.alarms[2].position == (after / 2 / 90).quantize(d("0.001"), rounding="ROUND_DOWN")


def test_what_no_money_or_no_candle_is_there_for_says_so() -> None:
    found = replayed([alarm("a", 0, 5000), alarm("b", 9, 1)], CANDLES)
    assert "not enough USDT" in found.alarms[0].reason
    assert found.alarms[1].reason == "no candle is stored after this alarm"
    assert (found.fills, found.equity[-1][1]) == ([], d(10_000))


def test_the_curve_has_an_hour_a_point_and_the_deepest_fall() -> None:
    falling = [
        f"{100 - step % 60} {101 - step % 60} {99 - step % 60} {100 - step % 60}" for step in range(61)
    ]
    found = replayed([alarm("a", 0, 1)], falling)
    assert [time for time, _ in found.equity] == [NOW + HOUR, NOW + 61 * MINUTE]
    assert found.drawdown == d("59.05")


def test_spot_is_worth_its_coins() -> None:
    found = replayed([alarm("a", 0, 2)], CANDLES[:2], product=Product.SPOT)
    assert found.alarms[0].position == d("1.999")  # the fee is taken in coins
    assert found.equity[-1][1] == d(9800) + d("1.999") * 110


def test_alarms_are_replayed_in_the_order_in_which_they_were_decided() -> None:
    late = alarm("a", 5, 1, decided=2)
    early = alarm("b", 6, 1, decided=1)
    nothing = alarm("c", 1, 1, signal=None)
    assert [one.id for one in in_order([late, early, nothing])] == ["b", "a"]
