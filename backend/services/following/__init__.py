"""Keeping series complete to the last closed minute: by visits, and by what exchanges push."""
