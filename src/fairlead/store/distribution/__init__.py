"""What a decision reads and writes: rosters, balances, funds, the rows of its outcome."""
