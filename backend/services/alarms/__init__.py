"""Alarms of charts: let in, stored, and carried out as orders, each exactly once."""
