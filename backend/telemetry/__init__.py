"""What is told of the service while it runs: log lines without secrets, figures, who caused a request."""
