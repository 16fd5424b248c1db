"""The service's description of itself: a sound OpenAPI document of all routes, methods and error codes."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from types import ModuleType
from typing import Any, cast

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from backend import __version__
from backend.access.policy import is_open
from backend.services.service import Service
from backend.web.openapi.codes import CODES, parameters
from backend.web.openapi.document import document, encoded
from backend.web.openapi.page import METHODS, POLICY, page
from backend.web.routes import make_application
from backend.web.server.json_schema import record
from backend.web.venues import bingx_params, bitget_params, udf_params
from backend.web.venues.venue_parameters import VenueParameter
from tests.walking import methods, routes

NAMES = (("binance", "spot"), ("binance", "perpetual"), ("extended", "perpetual"))
DOCUMENT = json.loads(encoded(NAMES))


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every path and method with its operation."""
    for path, item in DOCUMENT["paths"].items():
        for method, described in item.items():
            if method != "parameters":
                yield path, method, described


def test_it_is_a_sound_openapi_document() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_every_route_and_method_is_described_and_no_other() -> None:
    application = make_application(cast(Service, None))
    there = {(path, method) for path, handler in routes(application) for method in methods(handler)}
    assert {(path, method) for path, method, _ in operations()} == there


def test_a_workers_routes_are_described_too() -> None:
    application = make_application(cast(Service, None), role="worker")
    assert {path for path, _ in routes(application)} <= set(DOCUMENT["paths"])


def test_every_parameter_of_our_routes_is_one_that_codes_know() -> None:
    venues = ("/binance/", "/bitget/", "/bingx/", "/udf/", "/get-k-line-data")
    named: set[str] = set()
    for path, _, described in operations():
        if not path.startswith(venues):
            named |= {one["name"] for one in described.get("parameters", ()) if one["in"] == "query"}
            for content in described.get("requestBody", {}).get("content", {}).values():
                named |= set(content["schema"].get("properties", ()))
    assert named == {parameter.name for parameter in parameters()}


def names_read(module: ModuleType) -> Iterator[str]:
    """The parameters that a venue's readers ask a query for, by the declarations in their calls."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        match node:
            case ast.Call(args=[ast.Name(id="query"), ast.Name(id=declared), *_]):
                found = getattr(module, declared, None)
                if isinstance(found, VenueParameter):
                    yield found.name


@pytest.mark.parametrize("venue", [bitget_params, bingx_params, udf_params], ids=lambda one: one.__name__)
def test_the_parameters_of_a_venue_are_those_that_its_readers_ask_for(venue: ModuleType) -> None:
    prefix = f"/{venue.__name__.rpartition('.')[2].removesuffix('_params')}/"
    described = {
        one["name"]
        for path, _, found in operations()
        if path.startswith(prefix)
        for one in found.get("parameters", ())
    }
    assert described == set(names_read(venue))


def test_it_has_the_version_of_the_service() -> None:
    assert DOCUMENT["info"]["version"] == __version__


def test_operations_have_names_of_their_own() -> None:
    names = [described["operationId"] for _, _, described in operations()]
    assert len(set(names)) == len(names)


def test_every_shape_is_used() -> None:
    text = encoded(NAMES).decode()
    assert [name for name in DOCUMENT["components"]["schemas"] if f'schemas/{name}"' not in text] == []


def test_a_key_is_described_for_every_route_but_the_open_ones() -> None:
    assert {} in DOCUMENT["security"]
    assert {"ApiKey": []} in DOCUMENT["security"]
    without = {path for path, _, described in operations() if described.get("security") == []}
    assert without == {path for path in DOCUMENT["paths"] if is_open(path)}
    guarded = [described for path, _, described in operations() if path not in without]
    assert all({"401", "403", "429"} <= set(described["responses"]) for described in guarded)


def test_the_exchanges_are_those_of_the_service() -> None:
    (exchange,) = [
        one for one in DOCUMENT["paths"]["/api/symbols"]["get"]["parameters"] if one["name"] == "exchange"
    ]
    assert exchange["schema"]["enum"] == ["binance", "extended"]


def test_the_page_tells_of_every_route() -> None:
    told = "".join(Elements(page(document(NAMES))).words)
    for path, item in DOCUMENT["paths"].items():
        for method in set(item) & set(METHODS):
            assert f"{method.upper()} {path}" in told
            assert item[method]["summary"] in told


def test_the_page_tells_every_error_code() -> None:
    told = page(document(NAMES)).partition('id="errors"')[2].partition("</section>")[0]
    for status, codes in CODES.items():
        assert f"<td>{status.value}</td>" in told
        assert [code for code in codes if code not in told] == []


def test_links_within_the_page_lead_somewhere() -> None:
    elements = Elements(page(document(NAMES))).found
    places = {f"#{attributes['id']}" for _, attributes in elements if "id" in attributes}
    links = {attributes["href"] for tag, attributes in elements if tag == "a"} - {"/openapi.json"}
    assert "#errors" in links
    assert links <= places


def test_the_page_asks_for_no_other_file() -> None:
    elements = Elements(page(document(NAMES))).found
    assert {tag for tag, _ in elements} & {"script", "link", "img", "iframe", "object", "form"} == set()
    targets = [attributes["href"] or "" for tag, attributes in elements if tag == "a"]
    assert targets
    assert [target for target in targets if not target.startswith(("#", "/openapi.json"))] == []
    assert [
        attributes for _, attributes in elements if any(name.startswith("on") for name in attributes)
    ] == []
    assert "default-src 'none'" in POLICY


@pytest.mark.parametrize("place", ["title", "description", "version"])
def test_what_the_page_tells_cannot_become_markup(place: str) -> None:
    hostile = "<script>alert(1)</script>"
    written = document(NAMES)
    written["info"][place] = hostile
    written["components"]["schemas"]["Window"] = record({hostile: {"type": "string", "description": hostile}})
    text = page(written)
    assert hostile not in text
    assert text.count("&lt;script&gt;") >= 3
