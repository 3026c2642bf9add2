"""Filters: which leads a subscription wants, asked of one filter or of all of a niche at once."""
