"""TELLS: email and webhooks, whatever leaves the building."""
