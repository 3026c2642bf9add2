"""Row-level security: the second guard of what belongs to one provider."""
