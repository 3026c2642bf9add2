"""Fairlead: sells each lead to the right service providers, fairly, atomically and exactly once."""

__version__ = "0.1.0"
