"""What all routes share: connections, admission, reading requests, answering."""
