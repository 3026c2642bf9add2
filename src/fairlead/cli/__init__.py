"""The command line: one module per verb, each of which parses, calls one flow or view, and shows what came of it."""

from fairlead.cli.program import main

__all__ = ["main"]
