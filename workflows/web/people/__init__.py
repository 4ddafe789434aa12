"""Who reads and runs: accounts, signing in, roles."""
