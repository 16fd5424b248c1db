"""Who may import whom, and who may touch the clock and the environment: the rules of ARCHITECTURE.md."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

import backend

ROOT = Path(backend.__file__).parent

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "clock": set(),
    "telemetry": {"telemetry"},
    "process": set(),
    "loops": {"clock", "errors", "telemetry.metrics"},
    "precedence": {"clock"},
    "access": {"access", "errors"},
    "core": {"core"},
    "trading": {"trading", "core", "clock"},
    "exchanges": {
        *("exchanges", "core", "errors", "clock"),
        *("trading.money", "trading.rows", "trading.account_keys", "trading.rules", "trading.tickets"),
    },
    "formats": {"formats", "core", "errors", "clock"},
    "services": {"services", "core", "trading", "errors", "clock", "telemetry", "loops", "precedence"},
    "net": {"net", "exchanges", "core", "trading", "errors", "clock", "telemetry", "loops", "precedence"},
    "store": {
        *("store", "services.ports", "services.history.ports", "services.orders.ports"),
        *("services.paper.ports", "services.watching.ports", "services.alarms.ports", "core", "trading"),
        *("errors", "clock", "telemetry"),
    },
    "web": {"web", "services", "access", "formats", "core", "trading", "errors", "clock", "telemetry"},
    "cli": {
        *("cli", "app", "services", "formats", "core", "errors", "clock", "settings", "telemetry"),
        *("access", "exchanges", "trading"),
    },
    "settings": {"settings", "access", "exchanges", "core", "errors", "clock", "telemetry.masking"},
}
"""For each part of the backend, the parts that its modules may import. Edges never import each other."""

COMPOSITION = {"app", "__main__", "__init__"}
"""The parts that put the parts together, and may import everything of ours."""

VENUES = sorted(folder.name for folder in (ROOT / "exchanges").iterdir() if (folder / "market.py").is_file())

TRADING = (
    *("trading", "exchanges.private", "net.private", "store.trading"),
    *(
        f"services.{room}"
        for room in ("accounts", "history", "orders", "paper", "watching", "alarms", "notices")
    ),
    *(f"exchanges.{venue}.{room}" for venue in VENUES for room in ("account", "signing")),
)
"""The rooms of trading, which market data never imports; nor does the web's part of it."""

MARKET_DATA = (
    *("core", "formats", "store.market", "net.rest", "net.sockets", "web.api", "web.streams", "web.venues"),
    "exchanges",
    *(f"services.{room}" for room in ("jobs", "syncing", "following", "reading", "streaming", "running")),
)

OWNERS: dict[str, set[str]] = {
    "aiohttp": {"net"},
    "aiohttp_socks": {"net.proxies"},
    "tornado": {"web"},
    "motor": {"store.mongo"},
    "pymongo": {"store"},
    "bson": {"store"},
    "dotenv": {"settings.loading"},
    "pyarrow": {"formats.arrow", "formats.records"},
    "prometheus_client": {"telemetry.metrics", "telemetry.gauges"},
    "structlog": {"telemetry.logs"},
    "rich": {"cli", "__main__"},
    "cryptography": {"services.accounts.vault"},
}
"""Who may import the libraries that touch the outside world, or that open secrets."""

PURE = ("core", "exchanges", "formats", "trading")

CLOCK = {
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.sleep",
    "asyncio.sleep",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
}

ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.putenv"}


def module_name(path: Path) -> str:
    """The module's name below `backend`: "core.plan"."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


MODULES = {module_name(path): ast.parse(path.read_text()) for path in sorted(ROOT.rglob("*.py"))}


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module or name that is imported anywhere in the file, in full: "backend.web.server.params"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def used(tree: ast.AST) -> Iterator[str]:
    """Every dotted name that is used or imported, in full, whatever it was renamed to."""
    meanings: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                meanings[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                meanings[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    yield from meanings.values()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, *rest = ast.unparse(node).split(".")
            yield ".".join([meanings.get(first, first), *rest])


def looks_at(tree: ast.AST, forbidden: set[str]) -> list[str]:
    """Which of the forbidden names, or of what is inside them, a file uses."""
    return [name for name in used(tree) if any(below(name, one) for one in forbidden)]


def below(name: str, parent: str) -> bool:
    """Whether a dotted name is `parent` or inside it."""
    return name == parent or name.startswith(f"{parent}.")


def within(name: str, rooms: Iterable[str]) -> bool:
    """Whether a dotted name is one of the rooms or inside one."""
    return any(below(name, room) for room in rooms)


def part_of(module: str) -> str:
    """The part of the backend that a module belongs to: "core" for "core.plan"."""
    return module.partition(".")[0]


def forbidden_imports(module: str, tree: ast.AST) -> list[str]:
    """What a module imports of the backend although its part may not."""
    allowed = MAY_IMPORT[part_of(module)]
    ours = (name.removeprefix("backend.") for name in imported(tree) if below(name, "backend"))
    return [name for name in ours if not any(below(name, part) for part in allowed)]


def imported_trading(module: str, tree: ast.AST) -> list[str]:
    """What a module of market data imports of trading."""
    if not within(module, MARKET_DATA) or within(module, TRADING):
        return []
    ours = (name.removeprefix("backend.") for name in imported(tree) if below(name, "backend"))
    return [name for name in ours if within(name, TRADING)]


def foreign_libraries(module: str, tree: ast.AST) -> list[str]:
    """What a module imports of libraries that others own."""
    return [
        name
        for name in imported(tree)
        if (owners := OWNERS.get(name.partition(".")[0])) is not None
        and not any(below(module, owner) for owner in owners)
    ]


def offences(found: Callable[[str, ast.AST], list[str]], excused: Iterable[str] = ()) -> dict[str, list[str]]:
    """What `found` says of every module of which it says anything."""
    said = {
        module: found(module, tree)
        for module, tree in MODULES.items()
        if not any(below(module, one) for one in excused)
    }
    return {module: names for module, names in said.items() if names}


def test_every_module_belongs_to_a_part_with_rules() -> None:
    assert {part_of(module) for module in MODULES} == set(MAY_IMPORT) | COMPOSITION


def test_a_module_imports_only_what_its_part_may() -> None:
    assert offences(forbidden_imports, excused=COMPOSITION) == {}


def test_market_data_never_imports_trading() -> None:
    assert offences(imported_trading) == {}


def test_every_room_of_market_data_is_there() -> None:
    assert not [room for room in MARKET_DATA if not (ROOT / room.replace(".", "/")).is_dir()]


@pytest.mark.parametrize(
    ("module", "source", "number"),
    [
        ("core.plan", "from backend.trading.money import step", 1),
        ("services.reading.queries", "from backend.services.orders.executor import Executor", 1),
        ("services.reading.queries", "from backend.services import orders", 1),
        ("store.market.candles", "import backend.store.trading.intents", 1),
        ("web.api.series", "def later():\n    from backend.services.history import proof", 1),
        ("exchanges.bitget.market", "from backend.trading.money import exact", 1),
        ("exchanges.bitget.socket", "from backend.exchanges.bitget.signing import signer", 1),
        ("exchanges.binance.archive", "from backend.exchanges import private", 1),
        ("exchanges.base", "from backend.exchanges.bingx.account import swap", 1),
        ("exchanges", "from backend.exchanges.bitget.account import BITGET", 1),
        ("exchanges.bitget.account.classic", "from backend.trading.money import exact", 0),
        ("exchanges.bingx.signing", "from backend.trading.account_keys import Keys", 0),
        ("exchanges.private.wire", "from backend.trading.money import exact", 0),
        ("services.orders.executor", "from backend.trading.money import step", 0),
        ("trading.risk", "from backend.core.candles import Candle", 0),
        ("core.plan", "from backend.core.windows import Window", 0),
    ],
)
def test_an_import_of_trading_would_be_seen(module: str, source: str, number: int) -> None:
    assert len(imported_trading(module, ast.parse(source))) == number


def test_a_library_of_the_outside_world_has_one_owner() -> None:
    assert offences(foreign_libraries) == {}


def test_nobody_imports_by_relative_names() -> None:
    assert offences(lambda _, tree: [name for name in imported(tree) if name.startswith(".")]) == {}


def test_only_the_settings_read_the_environment() -> None:
    assert offences(lambda _, tree: looks_at(tree, ENVIRONMENT), excused=["settings.loading"]) == {}


def test_only_the_clock_knows_the_time() -> None:
    """The keeper of the embedded database is excused: it works before there is an event loop."""
    assert offences(lambda _, tree: looks_at(tree, CLOCK), excused=["clock", "store.embedded"]) == {}


def test_the_core_is_pure() -> None:
    core = [tree for module, tree in MODULES.items() if part_of(module) in PURE]
    waiting = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)
    assert core
    assert not any(isinstance(node, waiting) for tree in core for node in ast.walk(tree))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.plan", "from backend.errors import NotFound"),
        ("core.plan", "import backend.clock"),
        ("exchanges.bitget", "from backend.services.ports import Entry"),
        ("exchanges.bitget.account", "from backend.trading.risk import verdict"),
        ("trading.money", "from backend.errors import InvalidRequest"),
        ("services.live", "from backend.net.rest.client import MarketClient"),
        ("net.stream", "from backend import store"),
        ("store.jobs", "from backend.services.syncing.sync import SyncService"),
        ("store.jobs", "from backend.services import sync"),
        ("web.live", "def later():\n    from backend.store import mongo"),
        ("settings", "from backend.app import open_service"),
        ("cli.export", "from backend.web.api.stored_views import stored"),
    ],
)
def test_a_forbidden_import_would_be_seen(module: str, source: str) -> None:
    assert len(forbidden_imports(module, ast.parse(source))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("services.live", "import aiohttp"),
        ("commands", "from tornado.ioloop import IOLoop"),
        ("store.candles", "import motor.motor_asyncio"),
        ("app", "from pymongo import MongoClient"),
        ("network", "import aiohttp"),
        ("services.worker", "from prometheus_client import Counter"),
        ("web.base", "import structlog"),
    ],
)
def test_a_foreign_library_would_be_seen(module: str, source: str) -> None:
    assert len(foreign_libraries(module, ast.parse(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "import time as t\nt.monotonic()",
        "from time import sleep",
        "import asyncio\nasyncio.sleep(1)",
        "from datetime import datetime\ndatetime.now()",
        "import datetime as dt\ndt.datetime.utcnow()",
        "from datetime import datetime as moment\nmoment.now",
    ],
)
def test_a_look_at_the_clock_would_be_seen(source: str) -> None:
    assert looks_at(ast.parse(source), CLOCK)


@pytest.mark.parametrize(
    "source", ["import os\nos.environ.get('A')", "from os import getenv", "import os as o\no.environ['A']"]
)
def test_a_look_at_the_environment_would_be_seen(source: str) -> None:
    assert looks_at(ast.parse(source), ENVIRONMENT)
