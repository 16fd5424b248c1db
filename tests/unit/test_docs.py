"""The documents say what is there: every setting, route, error code and make target."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from tornado.routing import PathMatches

from backend import errors
from backend.services.service import Service
from backend.settings import SETTINGS, Setting
from backend.web.routes import make_application
from backend.web.server.handler import HTTP_ERRORS
from reference.dotenv_example import SET
from reference.pages import pages

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
TABLES = "\n".join(line for line in README.splitlines() if line.startswith("| `"))
ROUTES = re.findall(r"`(?:GET|POST|DELETE) (\S+)`", TABLES)
PAGES = [
    *("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"),
    *("benchmarks/README.md", "docs/reliability.md", "docs/guide/page.md", *pages()),
]


MADE = pages()


@pytest.mark.parametrize("path", MADE)
def test_a_page_that_is_made_is_as_the_code_says(path: str) -> None:
    assert (ROOT / path).read_text() == MADE[path], "make docs writes it"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_stands_in_the_reference_with_its_default(setting: Setting) -> None:
    row = f"| `{setting.name}` | {setting.default} |".replace("|  |", "| |")
    assert row in MADE["docs/reference/settings.md"]
    assert f"{setting.name}={setting.default}" in MADE[".env.example"] or setting.name in SET


def test_every_route_stands_in_the_readme() -> None:
    application = make_application(cast(Service, None))
    matchers = [cast(PathMatches, rule.matcher) for rule in application.wildcard_router.rules]
    patterns = [matcher.regex.pattern for matcher in matchers]
    placeholders = {"(?:/(.*))?": "/{symbol}", "([^/]*)": "{id}", "(.*)": "{path}", "\\.": ".", "$": ""}
    for group, placeholder in placeholders.items():
        patterns = [pattern.replace(group, placeholder) for pattern in patterns]
    assert set(patterns) == set(ROUTES)


def error_codes() -> Iterator[str]:
    """The codes of the tree, those given by hand, and those of HTTP itself."""
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.MarketDataError):
            yield kind.code
    for path in (ROOT / "backend").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "code":
                value = node.value.value if isinstance(node.value, ast.Constant) else None
                if isinstance(value, str):
                    yield value
    for name in ("symbol", "exchange", "market"):
        yield f"invalid_{name}"
        yield f"missing_{name}"
    yield from ("unknown_exchange", "unknown_market")
    yield from (code for code, _ in HTTP_ERRORS.values())


def test_every_error_code_that_a_client_can_meet_stands_in_the_readme() -> None:
    inner = {"invalid_configuration", "not_found", "exchange_error"}
    assert {code for code in error_codes() if f"`{code}`" not in README} == inner


@pytest.mark.parametrize("page", PAGES)
def test_links_between_documents_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_that_documents_name_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", (ROOT / page).read_text())) <= targets


def test_every_room_of_the_architecture_exists() -> None:
    plan = (ROOT / "ARCHITECTURE.md").read_text().split("```")[1]
    rooms = set(re.findall(r"^  ([a-z]+)/ ", plan, re.MULTILINE))
    assert rooms == {path.name for path in (ROOT / "backend").iterdir() if (path / "__init__.py").exists()}
