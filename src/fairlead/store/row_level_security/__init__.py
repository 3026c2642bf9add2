"""Row-level security: a provider's request reaches that provider's rows only, whatever a query says."""
