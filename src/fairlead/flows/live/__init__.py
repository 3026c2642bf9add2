"""The live feed: what happens in the marketplace, as it commits, to the clients that may see it."""
