"""Runs that failed: tried again, given up as dead letters, taken up by people."""
