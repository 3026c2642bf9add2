"""COMMANDS: parses a command line, calls one flow or one view, prints the answer."""
