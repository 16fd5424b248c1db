"""The documents say what is there: every setting, route, error code and make target."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from tornado.routing import PathMatches

from backend.services.service import Service
from backend.settings import SETTINGS, Setting
from backend.web.openapi.codes import CODES
from backend.web.routes import make_application
from reference.dotenv_example import SET
from reference.pages import pages

ROOT = Path(__file__).parents[2]
API = (ROOT / "docs/reference/api.md").read_text()
TABLES = "\n".join(line for line in API.splitlines() if line.startswith("| `"))
ROUTES = re.findall(r"`(?:GET|POST|DELETE) (\S+)`", TABLES)
READMES = ("README.md", "README.es.md", "README.ko.md")
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks/README.md")
)


MADE = pages()


@pytest.mark.parametrize("path", MADE)
def test_a_page_that_is_made_is_as_the_code_says(path: str) -> None:
    assert (ROOT / path).read_text() == MADE[path], "make docs writes it"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_stands_in_the_reference_with_its_default(setting: Setting) -> None:
    row = f"| `{setting.name}` | {setting.default} |".replace("|  |", "| |")
    assert row in MADE["docs/reference/settings.md"]
    assert f"{setting.name}={setting.default}" in MADE[".env.example"] or setting.name in SET


def test_every_route_stands_in_the_reference() -> None:
    application = make_application(cast(Service, None))
    matchers = [cast(PathMatches, rule.matcher) for rule in application.wildcard_router.rules]
    patterns = [matcher.regex.pattern for matcher in matchers]
    placeholders = {"(?:/(.*))?": "/{symbol}", "([^/]*)": "{id}", "(.*)": "{path}", "\\.": ".", "$": ""}
    for group, placeholder in placeholders.items():
        patterns = [pattern.replace(group, placeholder) for pattern in patterns]
    assert set(patterns) == set(ROUTES)


def codes_given_by_hand() -> Iterator[str]:
    """Every code that some place names which raises an error."""
    for path in (ROOT / "backend").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "code":
                value = node.value.value if isinstance(node.value, ast.Constant) else None
                if isinstance(value, str):
                    yield value


def test_every_code_given_by_hand_is_declared() -> None:
    given = set(codes_given_by_hand())
    assert "invalid_json" in given
    assert given <= {code for codes in CODES.values() for code in codes}


def test_every_error_code_stands_in_the_reference_with_its_sentence() -> None:
    text = MADE["docs/reference/errors.md"]
    for status, codes in CODES.items():
        section = text.partition(f"## {status.value}\n")[2].partition("## ")[0]
        assert [code for code, about in codes.items() if f"| `{code}` | {about} |" not in section] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_between_documents_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_that_documents_name_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", (ROOT / page).read_text())) <= targets


def code_of(page: str) -> list[str]:
    """The blocks of commands, programs and answers of a page, without their comments in words."""
    blocks = re.findall(r"```[a-z]*\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return [re.sub(r"\s+#.*", "", block) for block in blocks]


@pytest.mark.parametrize("readme", READMES[1:])
def test_a_translation_shows_the_same_commands_and_answers(readme: str) -> None:
    assert code_of(readme) == code_of("README.md")


@pytest.mark.parametrize("readme", READMES[1:])
def test_a_translation_leads_to_the_same_pages_and_names_the_same_figures(readme: str) -> None:
    def facts(page: str) -> tuple[list[str], list[str]]:
        prose = re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
        links = sorted(set(re.findall(r"\]\(([^)]+)\)", prose)) - set(READMES))
        return links, sorted(set(re.findall(r"`[^`]+`", prose)))

    assert facts(readme) == facts("README.md")


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_is_two_screens(readme: str) -> None:
    assert 100 <= len((ROOT / readme).read_text().splitlines()) <= 150


def test_the_architecture_is_a_page() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 110


def test_every_page_of_the_documents_is_reached_from_the_readme() -> None:
    """In at most two steps."""

    def linked(page: str) -> set[str]:
        path = ROOT / page
        found = re.findall(r"\]\((?!http)([^)#]+\.md)\)", path.read_text())
        return {str((path.parent / target).resolve().relative_to(ROOT)) for target in found}

    near = linked("README.md")
    far = near.union(*(linked(page) for page in near))
    assert {page for page in PAGES if page.startswith("docs/")} <= far


def test_every_decision_has_the_next_number() -> None:
    text = (ROOT / "docs/design/decisions.md").read_text()
    numbers = [int(number) for number in re.findall(r"^## (\d+)\. ", text, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_room_of_the_architecture_exists() -> None:
    plan = (ROOT / "ARCHITECTURE.md").read_text().split("```")[1]
    rooms = set(re.findall(r"^  ([a-z]+)/ ", plan, re.MULTILINE))
    assert rooms == {path.name for path in (ROOT / "backend").iterdir() if (path / "__init__.py").exists()}
