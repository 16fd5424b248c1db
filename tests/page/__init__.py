"""The page in a real browser, against a service that is a process and simulated exchanges."""
