"""The pages that are made from what the code declares: `make docs` writes them. Pure, but for `__main__`."""
