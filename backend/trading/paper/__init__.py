"""Paper accounts: play money at the prices of real markets, as a value and what happens to it. Pure."""
