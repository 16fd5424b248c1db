"""Alarms of a chart, what strategies make of them, and in which order. Pure."""
