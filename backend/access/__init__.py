"""Who may ask for what: keys, networks, web origins, request rates. Pure; `web/guard.py` applies it."""
