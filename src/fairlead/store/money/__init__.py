"""Ledger entries and assignments: posted, refunded, reported, paged through."""
