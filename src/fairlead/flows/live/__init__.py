"""The live feed: what happens in the marketplace, as it commits, to whoever may see it."""
