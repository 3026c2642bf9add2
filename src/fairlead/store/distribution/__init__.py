"""What a decision reads and writes: rosters, purses, funds, the rows of its outcome."""
