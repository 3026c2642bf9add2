"""Use cases: one function is one verb is one transaction."""
