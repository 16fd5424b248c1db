"""Faults put into the code on purpose, one at a time: each must make a test fail that runs in seconds."""
