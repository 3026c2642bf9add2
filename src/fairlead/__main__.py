"""`python -m fairlead`: the same as `fairlead`."""

from fairlead.cli import main

main()
