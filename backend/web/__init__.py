"""The HTTP edge: the only package that speaks Tornado."""
