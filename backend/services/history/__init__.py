"""The history of an account: read as jobs, held as windows, and proven by what it says about itself."""
