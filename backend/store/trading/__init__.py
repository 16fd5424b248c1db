"""What is kept of accounts: the accounts with their sealed keys, and their histories."""
