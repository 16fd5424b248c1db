"""Who may ask for what: keys, networks, web origins, rates. Pure; `web/server/guard.py` applies it."""
