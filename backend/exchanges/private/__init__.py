"""What a private venue is: a value, as a public one is."""
