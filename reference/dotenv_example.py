"""`.env.example`: every setting with its meaning before it, and what compose alone takes."""

from __future__ import annotations

from textwrap import fill

from backend.settings import SETTINGS, Setting

HEAD = """\
# Copy to `.env`. Both `docker compose` and `python -m backend` read it, each from the folder where it starts.
# A line that is commented out shows the default.
#
# Quoting: single quotes keep a value as it is. Without them `#` after a space cuts the value, and `${X}` and
# `$X` are replaced by a variable. A value cannot end in a backslash, and one that has a single quote itself
# needs double quotes.
#
# Compose: the database takes users and passwords when its volume is first created; a later change here does
# not reach it. Addresses are as seen from the container, SERVER_PORT is the port on this machine, and
# DATA_DIR and SERVER_ADDRESS are not used.

# Compose alone: MongoDB's root user, for you. The service does not know it and works as MONGODB_USERNAME.
MONGODB_ROOT_USERNAME=root
MONGODB_ROOT_PASSWORD=change-me-first
"""

TAIL = """\
# Compose alone: MongoDB's memory for its cache in GB (unset: half of the machine's), and its port on this
# machine.
#MONGODB_CACHE_GB=
#MONGODB_PUBLISHED_PORT=21018

# Compose alone: files that a container may open. An engine that may not give as many starts no container.
#OPEN_FILES=64000

# Compose alone: the network's name and the first three numbers of its addresses. A second stack needs its
# own.
#NETWORK_NAME=cripto_net
#NETWORK_PREFIX=192.168.31

# Of the compose profile `observability`, not of the service: the ports on this machine.
#PROMETHEUS_PORT=9090
#GRAFANA_PORT=3000

# Of the compose profile `observability`, not of the service: the password of Grafana's user "admin". Grafana
# takes it when its volume is first created.
#GRAFANA_PASSWORD=
"""

SET = {"MONGODB_USERNAME": "market_data", "MONGODB_PASSWORD": "change-me"}
"""What nobody can leave unset with compose."""


def dotenv_example() -> str:
    return "\n".join((HEAD, *map(_entry, SETTINGS), TAIL))


def _entry(setting: Setting) -> str:
    about = fill(setting.about.replace("`", ""), 110, initial_indent="# ", subsequent_indent="# ")
    shown = SET.get(setting.name)
    line = f"#{setting.name}={setting.default}" if shown is None else f"{setting.name}={shown}"
    return f"{about}\n{line}\n"
