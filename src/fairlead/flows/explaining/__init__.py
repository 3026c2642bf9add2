"""Explaining decisions: why a provider did or did not receive a lead, and whose turn is next."""
