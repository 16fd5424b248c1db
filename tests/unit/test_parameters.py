"""From request text to values, strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import LATEST, iso
from backend.core.windows import MINUTE, Window
from backend.errors import InvalidRequest
from backend.web.openapi.requests import in_body, in_query
from backend.web.server import common_parameters, parameters
from backend.web.server.common_parameters import SYMBOL, TimeRange, symbols_of, time_range
from backend.web.server.parameters import Values, only_known, text, whole
from tests.fakes import minute, minutes

LIMIT = whole("limit", "?")


def code_of(caught: pytest.ExceptionInfo[InvalidRequest]) -> str:
    return caught.value.code


def test_a_body_is_a_json_object() -> None:
    assert parameters.json_object(b'{"symbol": "BTCUSDT"}') == {"symbol": "BTCUSDT"}


@pytest.mark.parametrize("body", [b"", b"{", b"symbol=BTCUSDT", b"\xff", b"{'a':1}", b"NaN", b"[" * 100_000])
def test_a_body_that_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="the body is not valid JSON") as caught:
        parameters.json_object(body)
    assert code_of(caught) == "invalid_json"


@pytest.mark.parametrize("body", [b"null", b"[]", b'"BTCUSDT"', b"1", b"true"])
def test_a_body_that_is_another_kind_of_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="must be a JSON object") as caught:
        parameters.json_object(body)
    assert code_of(caught) == "invalid_json"


@given(st.binary())
def test_any_body_is_an_object_or_an_invalid_request(body: bytes) -> None:
    try:
        value = parameters.json_object(body)
    except InvalidRequest:
        return
    assert isinstance(value, dict)


def test_known_parameters_pass() -> None:
    only_known(["limit"], (LIMIT, common_parameters.START_TIME))
    only_known([], ())


def test_a_parameter_that_nobody_reads_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="unknown parameter 'limt': use limit, start_time") as caught:
        only_known(["limt", "limit"], (LIMIT, common_parameters.START_TIME))
    assert code_of(caught) == "unknown_parameter"


def test_many_unknown_parameters_are_not_all_repeated() -> None:
    with pytest.raises(InvalidRequest) as caught:
        only_known(["x" * 10_000 + str(number) for number in range(1000)], (LIMIT,))
    assert len(str(caught.value)) < 400


def test_a_text_is_taken_as_it_is() -> None:
    assert Values({"symbol": " btcusdt"})[SYMBOL] == " btcusdt"


def test_a_text_may_have_a_default() -> None:
    market = text("market", "?", default="spot")
    assert Values({})[market] == "spot"
    assert Values({"market": "perpetual"})[market] == "perpetual"


@pytest.mark.parametrize("values", [{}, {"symbol": None}, {"symbol": ""}])
def test_a_missing_text_is_named(values: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match="symbol is missing") as caught:
        Values(values)[SYMBOL]
    assert code_of(caught) == "missing_symbol"


@pytest.mark.parametrize("value", [1, 0, True, False, 1.5, [], {}, ["BTCUSDT"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequest, match="symbol must be a text") as caught:
        Values({"symbol": value})[SYMBOL]
    assert code_of(caught) == "invalid_symbol"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, TimeRange(None, None)),
        ({"start_time": None, "end_time": None}, TimeRange(None, None)),
        ({"start_time": minute(1)}, TimeRange(minute(1), None)),
        ({"start_time": str(minute(1))}, TimeRange(minute(1), None)),
        ({"end_time": iso(minute(2))}, TimeRange(None, minute(2))),
        ({"start_time": minute(1), "end_time": minute(1)}, TimeRange(minute(1), minute(1))),
        ({"start_time": 0}, TimeRange(0, None)),
    ],
)
def test_bounds_are_read_from_milliseconds_or_iso(values: dict[str, object], found: TimeRange) -> None:
    assert time_range(Values(values)) == found


@pytest.mark.parametrize(
    "value", [True, False, 1.5, [], {}, "", "yesterday", 1748736000, -1, LATEST + 1, 10**30]
)
@pytest.mark.parametrize("name", ["start_time", "end_time"])
def test_a_bound_that_is_no_time_is_named(name: str, value: object) -> None:
    with pytest.raises(InvalidRequest, match=f"^{name}") as caught:
        time_range(Values({name: value}))
    assert code_of(caught) == "invalid_time"


@pytest.mark.parametrize("value", [True, False, 1.5, [], {}])
def test_a_bound_of_another_kind_is_told_what_kinds_there_are(value: object) -> None:
    with pytest.raises(InvalidRequest, match=r"^start_time must be Unix milliseconds or ISO-8601"):
        time_range(Values({"start_time": value}))


def test_a_start_after_the_end_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="start_time is after end_time: exchange them") as caught:
        time_range(Values({"start_time": minute(2), "end_time": minute(1)}))
    assert code_of(caught) == "invalid_time_range"


@pytest.mark.parametrize(
    ("found", "window"),
    [
        (TimeRange(minute(1), minute(3)), minutes(1, 4)),
        (TimeRange(minute(1) + 1, minute(3) - 1), minutes(2, 3)),
        (TimeRange(None, minute(3)), Window(0, minute(4))),
        (TimeRange(None, 0), Window(0, MINUTE)),
        (TimeRange(minute(1), None), Window(minute(1), LATEST + 1)),
    ],
)
def test_a_range_is_the_whole_minutes_inside_it(found: TimeRange, window: Window) -> None:
    assert found.window() == window


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, None),
        ({"limit": "1"}, 1),
        ({"limit": 5}, 5),
        ({"limit": "999999999"}, 999_999_999),
    ],
)
def test_a_limit_is_a_positive_whole_number_or_none(values: dict[str, object], found: int | None) -> None:
    assert Values(values)[LIMIT] == found


@pytest.mark.parametrize(
    "value", ["", "0", "000", "-1", "1.5", "ten", " 1", "1\n", "٣", "1000000000", "9" * 5000, True, 1.0, []]
)
def test_a_limit_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequest, match="limit must be a whole number from 1 to 999999999") as caught:
        Values({"limit": value})[LIMIT]
    assert code_of(caught) == "invalid_limit"


DEPTH = whole("depth", "So many levels at most", highest=50, default=10)


def test_one_declaration_reads_refuses_and_describes_a_parameter() -> None:
    assert (Values({})[DEPTH], Values({"depth": "50"})[DEPTH]) == (10, 50)
    with pytest.raises(InvalidRequest, match="depth must be a whole number from 1 to 50") as caught:
        Values({"depth": "51"})[DEPTH]
    assert code_of(caught) in DEPTH.codes()
    assert in_query([DEPTH]) == [
        {
            "name": "depth",
            "in": "query",
            "required": False,
            "schema": {"type": "integer", "minimum": 1, "maximum": 50, "default": 10},
            "description": "So many levels at most",
        }
    ]
    body = in_body([DEPTH], ())["content"]["application/json"]["schema"]
    assert body["properties"]["depth"]["description"] == "So many levels at most"
    assert body["required"] == []


@pytest.mark.parametrize("given", [{}, {"symbol": "BTCUSDT", "symbols": ["ETHUSDT"]}])
def test_either_one_symbol_or_several_are_given(given: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        symbols_of(Values(given))
