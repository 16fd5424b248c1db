"""Opens the HTTP server at the address that the settings name."""

from __future__ import annotations

from backend.errors import ConfigurationError
from backend.services.service import Service
from backend.settings import Settings
from backend.web.routes import make_server
from backend.web.server.server import Server


def listening_server(service: Service, settings: Settings) -> Server:
    """Raises ConfigurationError if the address is in use, or not on this machine."""
    server = make_server(service, settings.role, settings.access, base_path=settings.base_path)
    try:
        server.listen(settings.server_port, settings.server_address)
    except OSError as error:
        address = f"{settings.server_address}:{settings.server_port}"
        raise ConfigurationError(
            f"cannot listen on {address} ({error.strerror}): set SERVER_PORT or SERVER_ADDRESS"
        ) from error
    return server
