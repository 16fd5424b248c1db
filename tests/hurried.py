"""The service on a clock that hurries: `python -m tests.hurried SPEED`, settings from the environment.

It prints its port, then answers each line on its standard input with how many asyncio tasks it has, by name
of what they run, as a line of JSON. It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

from backend.app import open_service
from backend.clock import SystemClock
from backend.settings import load_settings
from backend.web.routes import make_server

LEAST_SLEEP = 0.02
"""Real seconds: what waits for a moment before it looks again must not become a loop without a pause."""


class HurriedClock(SystemClock):
    """Time at `speed` times its pace, as a simulated exchange's clock that runs as fast."""

    def __init__(self, speed: float) -> None:
        self._speed = speed

    def monotonic(self) -> float:
        return super().monotonic() * self._speed

    async def sleep(self, seconds: float) -> None:
        await super().sleep(max(seconds / self._speed, min(seconds, LEAST_SLEEP)))


def tasks() -> dict[str, int]:
    """The tasks there are, counted by the coroutine that each of them runs."""
    coroutines = (task.get_coro() for task in asyncio.all_tasks())
    return dict(Counter(getattr(coroutine, "__qualname__", "?") for coroutine in coroutines))


async def standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def main(speed: float) -> None:
    questions = await standard_input()
    async with open_service(load_settings(), HurriedClock(speed)) as service:
        server = make_server(service, "all")
        server.listen(0, "127.0.0.1")
        print(next(iter(server._sockets.values())).getsockname()[1], flush=True)
        while await questions.readline():
            print(json.dumps(tasks()), flush=True)
        server.stop()
        await server.close_all_connections()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
