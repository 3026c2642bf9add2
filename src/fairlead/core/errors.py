"""What can go wrong, as a tree.

    FairleadError
    ├── Refused        expected: the request cannot be granted; nothing was changed; asking again changes nothing
    ├── BadInput       expected: what was handed in is wrong, problem by problem; nothing was changed
    ├── Unavailable    the database cannot be used at present; asking again may help
    └── Broken         an invariant does not hold: a bug or a damaged database; nothing was changed

A refused *candidate* is not an error but data: see `core.model.Refusal`.
"""

from collections.abc import Sequence


class FairleadError(Exception):
    """Anything that Fairlead itself reports; its text is one clear line for a person."""


class Refused(FairleadError):
    """The request conflicts with the current state. `code` is stable, for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadInput(FairleadError):
    """What was handed in is wrong. `problems` are one line each, every line naming its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class Unavailable(FairleadError):
    """The database cannot be used at present."""


class Broken(FairleadError):
    """An invariant does not hold."""
