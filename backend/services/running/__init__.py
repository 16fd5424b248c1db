"""The processes that share a database, and how the service is."""
