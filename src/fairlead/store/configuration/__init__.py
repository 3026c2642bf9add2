"""Niches, levels, providers and subscriptions as rows: read, locked, written, listed."""
