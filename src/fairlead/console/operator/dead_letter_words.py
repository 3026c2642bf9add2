"""Why work was given up, in words, with what the log says of it beside."""

from dataclasses import dataclass

from fairlead.console.problem_words import problem_sentence
from fairlead.console.texts import noted, translated

_KINDS = {
    "Broken": noted(
        "What is stored is not as it must be: a bug or a damaged database. Look at the proofs and the books."
    ),
    "Unavailable": noted("The database could not be used."),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """`words` are "" where there are none for the error; `error` is what the log says."""

    words: str
    error: str


def cause_of(error: str) -> Cause:
    """The error of a dead letter or of a run, in the language of the page."""
    kind, _, detail = error.partition(": ")
    name, _, code = kind.partition(" ")
    if name == "Refused" and code:
        return Cause(problem_sentence(code, detail), kind if detail else error)
    return Cause(translated(_KINDS[name]) if name in _KINDS else "", error)
