"""Long forms: `make soak`. They take minutes and are not part of `make test`."""
