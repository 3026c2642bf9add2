"""A marketplace from a file: what it says, how that differs from what is, and making it so."""
