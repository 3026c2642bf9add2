"""What a deliberate mistake is.

Each is a change of text in a copy of the source. When the source moves on and a text is not found any more, the bank
says so: write the mistake anew, it is still as easy to make.
"""

from dataclasses import dataclass

NOTICED = "seeded bug and the first test to notice it"
"""The property under which a test of the bank records both."""


@dataclass(frozen=True)
class Edit:
    """In `file` (below src/fairlead), `old`, which stands there once, becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    """A mistake: its name, what its author may have thought, the edits that make it, and which tests must notice."""

    name: str
    story: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    is_quick: bool = False
