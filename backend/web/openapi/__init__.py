"""The description of the service's HTTP interface: OpenAPI 3.1, as Python values. Pure."""
