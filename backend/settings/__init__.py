"""The service's settings, read once from the environment and `.env` into a frozen value."""

from backend.settings.by_exchange import Setting
from backend.settings.loading import load_settings
from backend.settings.table import LOG_LEVELS, SETTINGS, Settings

__all__ = ["LOG_LEVELS", "SETTINGS", "Setting", "Settings", "load_settings"]
