"""What the service says of its own HTTP interface: OpenAPI 3.1, as Python values. Pure."""
