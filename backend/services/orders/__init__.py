"""Orders: written down, sent at most once, and followed until nothing more can happen to them."""
