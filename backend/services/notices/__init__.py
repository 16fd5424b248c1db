"""What a person must know, sent to where that person looks."""
