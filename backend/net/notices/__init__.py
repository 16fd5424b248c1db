"""Ways to people: a webhook of theirs, Telegram, e-mail."""
