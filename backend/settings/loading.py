"""The only reader of the environment.

A wrong value ends the start with a sentence that names the variable.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from backend.errors import ConfigurationError
from backend.settings.by_exchange import USUAL_PROXIES, Setting
from backend.settings.table import DECLARED, Settings
from backend.settings.texts import database_in, master_keys
from backend.telemetry.masking import masker

SECRET_WORDS = ("PASSWORD", "URI", "KEYS", "PROXY", "TOKEN", "NOTIFY_URL", "SMTP")
"""Values of settings with these words in their names never appear in messages."""


def load_settings(environment: Mapping[str, str | None] | None = None) -> Settings:
    """Read the settings from `environment` (default: `.env` in the working folder, overruled by os.environ).

    An empty value counts as unset. Raises ConfigurationError. API_KEYS and MASTER_KEYS leave os.environ, so
    that no child process inherits them; of the first only digests are in memory from then on.
    """
    if environment is None:
        environment = {**dotenv_values(".env"), **os.environ}
        os.environ.pop("API_KEYS", None)
        os.environ.pop("MASTER_KEYS", None)
    small = {setting.name: environment.get(setting.name.lower()) for setting in USUAL_PROXIES}
    known = {**environment, **{name: value for name, value in small.items() if value}}
    values: dict[str, Any] = {
        field: _read(said, known)
        if isinstance(said, Setting)
        else {setting.name: _read(setting, known) for setting in said}
        for field, said in DECLARED.items()
    }
    if bool(values["mongodb_username"]) != bool(values["mongodb_password"]):
        raise ConfigurationError("MONGODB_USERNAME and MONGODB_PASSWORD belong together: set both or neither")
    if not environment.get("MONGODB_DATABASE"):
        values["mongodb_database"] = database_in(values["mongodb_uri"]) or values["mongodb_database"]
    if (path := values["master_keys_file"]) and not values["master_keys"]:
        values["master_keys"] = _master_keys_in(path)
    return Settings(**values)


def _master_keys_in(path: str) -> tuple[str, ...]:
    try:
        return master_keys(Path(path).read_text(encoding="ascii"))
    except OSError as error:
        raise ConfigurationError(f"MASTER_KEYS_FILE: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"MASTER_KEYS_FILE: the content of {path} is not valid: {error}") from None


def _read(setting: Setting, known: Mapping[str, str | None]) -> Any:
    text = known.get(setting.name) or ""
    try:
        return setting.read(text or setting.default)
    except ValueError as error:
        hidden = any(word in setting.name for word in SECRET_WORDS)
        shown = "its value" if hidden else masker(())(repr(text))
        raise ConfigurationError(f"{setting.name}: {shown} is not valid: {error}") from error
