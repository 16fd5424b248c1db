"""The accounts of users at venues: their sealed keys, and what venues say of them now."""
