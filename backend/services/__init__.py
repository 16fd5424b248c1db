"""Use cases. They know ports, not drivers."""
