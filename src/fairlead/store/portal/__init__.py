"""What a provider sees, each provider its own alone."""
