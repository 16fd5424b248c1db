"""The routes of accounts: thin handlers, as in `web/api/`."""
