"""What happens in accounts, whoever did it: looked for, written down, and told to listeners."""
