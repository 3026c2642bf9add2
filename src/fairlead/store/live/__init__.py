"""The order in which what was committed is told to those who watch."""
