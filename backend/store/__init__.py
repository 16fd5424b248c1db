"""The database edge: the only package that speaks MongoDB."""
