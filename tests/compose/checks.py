"""What the compose file promises, a function a promise; each leaves the stack as the next expects it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from tests.compose.stack import SETTINGS, Stack, docker

SIMULATOR = "check-simulator"
NASTY = 'p@ss:w/o#r%d ?&=+ "$x" {} é'
SYNC = {"symbol": "BTCUSDT", "start_time": "2025-06-01", "end_time": "2025-06-02T00:59:00Z"}
FIXED = {"mongodb": "192.168.31.10", "backend": "192.168.31.11"}


def it_builds(stack: Stack) -> str:
    began = time.monotonic()
    stack.build()
    return f"{time.monotonic() - began:.0f} s"


def workers_that_start_first_leave_the_fixed_addresses_alone(stack: Stack) -> str:
    stack.compose("up", "-d", "--no-build", "--no-deps", "--scale", "worker=3", "worker")
    _simulate(stack)
    seconds = stack.up("--scale", "worker=3")
    found = {service: stack.address(stack.container(service)) for service in FIXED}
    assert found == FIXED, found
    return f"up in {seconds:.0f} s"


def the_first_sync_of_the_readme_works(stack: Stack) -> None:
    status, answer = stack.post("/api/sync", SYNC)
    assert (status, answer["statistics"]["total_records"]) == (200, 1500), answer


def the_services_user_may_use_its_own_database_alone(stack: Stack) -> None:
    assert "not authorized" in _mongosh(stack, "db.getSiblingDB('other').x.insertOne({})", check=False)
    assert _mongosh(stack, "db.getSiblingDB('binance_data').coverage.countDocuments()").strip() == "1"


def the_database_check_costs_next_to_nothing(stack: Stack) -> str:
    check = "time (for i in 1 2 3 4 5 6 7 8 9 10; do bash /setup/healthcheck.sh || exit 1; done)"
    said = stack.compose("exec", "-T", "mongodb", "bash", "-c", check)
    used = sum(
        60 * float(m) + float(s) for m, s in re.findall(r"(?:user|sys)\s+(\d+)m([\d.]+)s", said.stderr)
    )
    assert used < 1, f"ten checks took {used:.2f} s of CPU"
    return f"{used * 100:.0f} ms of CPU a check"


def a_killed_database_comes_back_with_its_data(stack: Stack) -> str:
    docker("kill", "--signal=KILL", stack.container("mongodb"))
    stack.compose("up", "-d", "--no-build", "--no-deps", "mongodb")
    began = time.monotonic()
    stack.wait(lambda: stack.get("/health/ready")[0] == 200, "the service is ready again")
    assert stack.get("/api/stats/BTCUSDT")[1]["statistics"]["total_records"] == 1500
    return f"ready after {time.monotonic() - began:.0f} s"


def a_killed_service_comes_back(stack: Stack) -> None:
    docker("kill", "--signal=KILL", stack.container("backend"))
    stack.compose("up", "-d", "--no-build", "--no-deps", "backend")
    stack.wait(lambda: stack.get("/health/ready")[0] == 200, "the service is ready again")


def the_log_tells_no_health_check_that_went_well(stack: Stack) -> None:
    stack.wait(lambda: stack.health("backend") == "healthy", "the service's own check went well")
    assert "/health" not in re.sub(r"(?i).*(warning|error).*", "", stack.logs("backend"))
    assert "OPEN TO EVERYBODY" not in stack.logs("backend"), "it is published on loopback alone"


def the_suite_runs_against_this_mongodb(stack: Stack) -> str:
    said = stack.run_suite("tests/contract/test_ledgers.py", "tests/contract/test_stores.py")
    last = said.strip().splitlines()[-1]
    assert re.fullmatch(r"\d+ passed.*", last), said
    return last


def a_second_stack_runs_beside_the_first(stack: Stack) -> None:
    second = Stack(stack.folder.parent / "second", stand_in=stack.stand_in, name="second", port=8889)
    second.write_env(
        {
            "NETWORK_NAME": "cripto_net_2",
            "NETWORK_PREFIX": "192.168.32",
            "SERVER_PORT": "8889",
            "MONGODB_PUBLISHED_PORT": "21019",
        }
    )
    try:
        second.up()
        assert second.address(second.container("backend")) == "192.168.32.11"
    finally:
        second.remove()


def down_and_up_again_keeps_the_data_and_leaves_no_nameless_volume(stack: Stack) -> None:
    docker("rm", "--force", SIMULATOR)
    stack.down()
    stack.up()
    assert stack.get("/api/stats/BTCUSDT")[1]["statistics"]["total_records"] == 1500
    stack.down("--volumes")
    left = [name for name in docker("volume", "ls", "-q").split() if re.fullmatch("[0-9a-f]{64}", name)]
    assert not left, left


def one_name_for_both_users_is_refused_before_anything_is_made(stack: Stack) -> None:
    stack.write_env({"MONGODB_USERNAME": "root"})
    stack.compose("up", "-d", "--no-build", "--no-deps", "mongodb", check=False)
    stack.wait(lambda: "are both 'root'" in stack.logs("mongodb"), "the refusal is told")
    stack.down("--volumes")
    stack.write_env({})


def a_first_start_that_was_killed_begins_anew(stack: Stack) -> None:
    override = stack.folder / "docker-compose.override.yml"
    override.write_text('services:\n  mongodb:\n    environment:\n      SLOW_FIRST_START: "600"\n')
    stack.compose("up", "-d", "--no-build", "--no-deps", "mongodb")
    stack.wait(lambda: _has_file(stack, "/data/db/WiredTiger"), "the first, temporary server runs")
    assert stack.health("mongodb") != "healthy"
    docker("kill", "--signal=KILL", stack.container("mongodb"))
    override.unlink()
    stack.up()
    assert "begins anew" in stack.logs("mongodb")
    stack.down("--volumes")


def passwords_may_hold_any_character(stack: Stack) -> None:
    stack.write_env({"MONGODB_PASSWORD": NASTY, "MONGODB_ROOT_PASSWORD": NASTY[::-1]})
    stack.up()
    stack.down("--volumes")
    stack.write_env({})


def a_wrong_password_is_told_with_the_way_out(stack: Stack) -> None:
    stack.up()
    stack.write_env({"MONGODB_PASSWORD": "dummy-wrong-password"})
    stack.compose("up", "-d", "--no-build", "--no-deps", "backend")
    stack.wait(lambda: "market_data" in stack.logs("backend"), "the log names the user")
    assert "dummy-wrong-password" not in stack.logs("backend")
    stack.down("--volumes")
    stack.write_env({})


def a_checkout_under_a_strict_umask_runs(stack: Stack) -> None:
    strict = Stack(stack.folder.parent / "strict", stand_in=stack.stand_in, mask=0o077)
    strict.build()
    strict.up()
    strict.down("--volumes")


Check = Callable[[Stack], str | None]

CHECKS: dict[str, Check] = {
    check.__name__.replace("_", " "): check
    for check in (
        it_builds,
        workers_that_start_first_leave_the_fixed_addresses_alone,
        the_first_sync_of_the_readme_works,
        the_services_user_may_use_its_own_database_alone,
        the_database_check_costs_next_to_nothing,
        a_killed_database_comes_back_with_its_data,
        a_killed_service_comes_back,
        the_log_tells_no_health_check_that_went_well,
        the_suite_runs_against_this_mongodb,
        a_second_stack_runs_beside_the_first,
        down_and_up_again_keeps_the_data_and_leaves_no_nameless_volume,
        one_name_for_both_users_is_refused_before_anything_is_made,
        a_first_start_that_was_killed_begins_anew,
        passwords_may_hold_any_character,
        a_wrong_password_is_told_with_the_way_out,
        a_checkout_under_a_strict_umask_runs,
    )
}


def _simulate(stack: Stack) -> None:
    """A simulated exchange on the stack's network, which the service asks instead of the real ones."""
    docker("rm", "--force", SIMULATOR, check=False)
    command = ["python", "-m", "tests.simulator", "--host", "0.0.0.0", "--port", "9000"]
    docker(
        *(
            "run",
            "--detach",
            "--name",
            SIMULATOR,
            "--network",
            "cripto_net",
            "--volume",
            f"{stack.folder}/tests:/app/tests:ro",
        ),
        *("market-data-service", *command, "--now", "2025-06-02T01:00:30Z"),
    )
    stack.write_env({"BINANCE_SPOT_URL": f"http://{stack.address(SIMULATOR)}:9000"})


def _mongosh(stack: Stack, script: str, *, check: bool = True) -> str:
    user, password = SETTINGS["MONGODB_USERNAME"], SETTINGS["MONGODB_PASSWORD"]
    command = [
        "mongosh",
        "--quiet",
        "--norc",
        "-u",
        user,
        "-p",
        password,
        "--authenticationDatabase",
        "admin",
    ]
    done = stack.compose("exec", "-T", "mongodb", *command, "--eval", script, check=check)
    return done.stdout + done.stderr


def _has_file(stack: Stack, path: str) -> bool:
    return stack.compose("exec", "-T", "mongodb", "test", "-e", path, check=False).returncode == 0
