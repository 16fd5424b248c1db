"""`python -m tests.compose`: a line for each check, exit status 1 if one failed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import traceback
from contextlib import ExitStack
from pathlib import Path

from tests.compose import engine, stand_ins
from tests.compose.checks import CHECKS, Check
from tests.compose.stack import Stack

OWN = "--own-engine"
NAMESPACES = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""What ends with this process ends all that it started."""


def main() -> int:
    """Prepare what is needed, then try each promise of the compose file in turn."""
    own = OWN in sys.argv
    if not own and not (engine.answers() and engine.has_images()):
        engine.need_root_and(["dockerd", "docker", "docker-compose", "mmdebstrap", "npm", "unshare", "ip"])
        stand_ins.prepare()
        command = ["unshare", *NAMESPACES, sys.executable, "-m", "tests.compose", OWN]
        os.execvp(command[0], command)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="compose-check-")))
        if own:
            stack.enter_context(engine.own(folder / "engine"))
            stand_ins.load()
        stack_of_services = Stack(folder / "checkout", stand_in=own)
        stack.callback(stack_of_services.remove)
        failed = [name for name, check in CHECKS.items() if not _passes(name, check, stack_of_services)]
    print(f"{len(CHECKS) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _passes(name: str, check: Check, stack: Stack) -> bool:
    print(f"{name} ... ", end="", flush=True)
    try:
        said = check(stack)
    except (AssertionError, OSError, subprocess.SubprocessError):
        print("FAILED", flush=True)
        traceback.print_exc()
        print(stack.logs(), file=sys.stderr)
        return False
    print(said or "ok", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
