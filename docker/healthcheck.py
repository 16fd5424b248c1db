"""Ask the service in this container whether it can do its work: exit status 0 for yes, 1 for no.

`python healthcheck.py [SECONDS]`. It asks `/health/ready`, because compose uses the state of a container to
show it and to decide what may start after it, not to restart it. An orchestrator that restarts containers
should ask `/health/live`: a database that is away is not mended by a new process.

Only the standard library, because the image has no curl. The service answers 200 or 503; no answer within
SECONDS (default 3) is a no as well.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException

DEFAULT_SECONDS = 3.0
PATH = "/health/ready"


def is_healthy(port: int, seconds: float) -> bool:
    """Whether PATH on this machine answers 200; a reason that it does not goes to stderr."""
    connection = HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", PATH)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        print(f"no answer on port {port}: {error!r}", file=sys.stderr)
        return False
    finally:
        connection.close()
    if status != 200:
        print(f"{PATH} on port {port} answered {status}", file=sys.stderr)
    return status == 200


if __name__ == "__main__":
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_SECONDS
    sys.exit(0 if is_healthy(int(os.environ.get("SERVER_PORT") or "8888"), limit) else 1)
