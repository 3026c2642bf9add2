"""What became of a span of days, in numbers: each report reads that span by an index, and nothing beside it."""
