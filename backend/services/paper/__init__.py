"""Paper accounts: kept in the database, filled at the prices of real markets."""
