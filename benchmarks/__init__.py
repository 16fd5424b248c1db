"""Measured ratios against a named alternative in the same run; see README.md."""
