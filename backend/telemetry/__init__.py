"""Observability: log lines without secrets, metrics, and the cause of each request."""
