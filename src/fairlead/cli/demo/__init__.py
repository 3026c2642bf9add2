"""`fairlead demo`: a sample marketplace, leads streaming in and being distributed before your eyes."""

from fairlead.cli.demo.verb import demo

__all__ = ["demo"]
