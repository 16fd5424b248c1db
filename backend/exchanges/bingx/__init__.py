"""BingX: spot and perpetual."""
