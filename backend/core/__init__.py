"""Pure values and arithmetic: no I/O, no await, no clock."""
