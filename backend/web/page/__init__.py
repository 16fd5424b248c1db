"""The web page: our plain files, a chart library from a wheel, and their handlers."""
