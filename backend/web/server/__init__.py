"""Common parts of all routes: connections, admission, reading requests, answering."""
