"""What a filter or a price rule says, in the language of the page that is being written."""

from fairlead.console.texts import translated
from fairlead.core.clauses import Clause, clause_text


def clause_in_language(clause: Clause) -> str:
    """Each part in the language of the page; names, labels and numbers as they are."""
    return clause_text(clause, translated)
