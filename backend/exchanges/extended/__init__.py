"""Extended: perpetual."""
