"""Proving the past: every hash, every decision taken again, every row held against what it follows from."""
