"""Syncs that are asked for, watched and cancelled, and the worker that does them."""
