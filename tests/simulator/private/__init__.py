"""What Bitget and BingX tell an account, from a book of what it did. `running` starts it."""
