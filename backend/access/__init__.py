"""Who may send which request: keys, networks, web origins, rates. Pure; `web/server/guard.py` applies it."""
