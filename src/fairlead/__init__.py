"""Fairlead: sells each lead to the right service providers, fairly, atomically and exactly once."""
