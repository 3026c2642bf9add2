"""What the engine says, in the language of the page: its sentence, with the numbers that it names.

Errors say what is wrong, and the proof what it checks, in English, once, where it is found. The catalogues hold those
sentences under `ENGINE`, taken from the source by `python3 dev.py messages`, with a place `{0}` for each value; here a
sentence finds its own again.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from fairlead.api.problem_codes import PROBLEMS, kind_of
from fairlead.console.statuses import known_word
from fairlead.console.texts import (
    language_of_page,
    noted,
    texts_in_context,
    translated,
    translated_in_context,
)
from fairlead.console.viewer import LANGUAGES
from fairlead.core.errors import BadInput

ENGINE = "engine"
"""The context of these sentences in the catalogues."""

MOST_CHARACTERS = 500
"""Of what is looked for. No sentence has more than some hundred beside its values, and a sender chooses what it is
told back of: to look for that takes more than its length, and so for the sentences within its values.
"""

_PLACE = re.compile(r"\{(\d+)\}")

LIBRARY = (
    noted("Field required"),
    noted("Input should be a valid string"),
    noted("Input should be a valid number"),
    noted("Input should be a valid boolean"),
    noted("Input should be a valid boolean, unable to interpret input"),
    noted("Input should be a valid integer, unable to parse string as an integer"),
    noted("Input should be a valid number, unable to parse string as a number"),
    noted("Input should be a valid date or datetime"),
    noted("Input should be a valid URL"),
    noted("Input should be a valid list"),
    noted("Input should be a valid dictionary"),
    noted("Input should be an object"),
    noted("Input should be an array"),
    noted("Input should be JSON"),
    noted("There is no such member"),
    noted("It is required"),
    noted("Input should be a finite number"),
    noted("Input should be {0}"),
    noted("Input should be greater than {0}"),
    noted("Input should be greater than or equal to {0}"),
    noted("Input should be less than {0}"),
    noted("Input should be less than or equal to {0}"),
    noted("String should have at least {0} characters"),
    noted("String should have at least {0} character"),
    noted("String should have at most {0} characters"),
    noted("String should have at most {0} character"),
    noted("List should have at least {0} item after validation, not {1}"),
    noted("List should have at least {0} items after validation, not {1}"),
    noted("List should have at most {0} item after validation, not {1}"),
    noted("List should have at most {0} items after validation, not {1}"),
    noted("Input does not have the form that the document gives"),
)
"""What the library that reads bodies says of them."""

OF_CHECKS = (noted("decided again, byte for byte"), noted("answers erased, all else decided again"))
"""What checks of decisions begin with."""

OF_VARIABLES = (
    noted("text"),
    noted("number"),
    noted("amount in minor units"),
    noted("time"),
    noted("address of a page"),
    noted("list of pairs"),
    noted("list of texts"),
)
"""The kinds of values that message templates may use."""

NOT_SO: Mapping[str, str] = {
    "": noted("This cannot be taken as it is."),
    "not_an_object": noted("It must be an object with the members that its document gives."),
    "not_a_list": noted("It must be a list."),
    "unknown_key": noted("There is no such member"),
    "unknown_field": noted("The form has no such field."),
    "unknown_option": noted("There is no such option."),
    "required": noted("It is required"),
}
"""By the code of what is wrong with the input, where its own sentence is in no catalogue."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    pattern: re.Pattern[str]
    text: str
    is_of_library: bool


@cache
def _sentences(language: str) -> tuple[_Sentence, ...]:
    """Those that say most beside their places come first: a longer one is never taken for a shorter."""
    own = [(each, False) for each in texts_in_context(ENGINE, language)]
    ordered = sorted(
        [*own, *((each, True) for each in (*LIBRARY, *OF_CHECKS, *OF_VARIABLES))],
        key=lambda each: -len(_PLACE.sub("", each[0])),
    )
    return tuple(_Sentence(re.compile(_pattern_of(text), re.DOTALL), text, of_library) for text, of_library in ordered)


def _pattern_of(text: str) -> str:
    parts = _PLACE.split(text)
    return "".join("(.+?)" if number % 2 else re.escape(part) for number, part in enumerate(parts))


def sentence_in_language(said: str) -> str | None:
    """What an error says, in the language of the page; None where its catalogue does not have the sentence.

    Its values are sentences or words of that language where they can be; what is within such a sentence stays as it is.

    >>> from fairlead.console.texts import writing_in
    >>> with writing_in("de"):
    ...     sentence_in_language("the export is ready: there is nothing to cancel")
    'der Export ist bereit: es gibt nichts abzubrechen'
    """
    return _in_language(said, lambda value: _in_language(value, _no_sentence) or known_word(value) or value)


def _no_sentence(value: str) -> str:
    return known_word(value) or value


def _in_language(said: str, value_in_language: Callable[[str], str]) -> str | None:
    language = language_of_page()
    if language == LANGUAGES[0]:
        return said
    if len(said) > MOST_CHARACTERS:
        return None
    for each in _sentences(language):
        found = each.pattern.fullmatch(said)
        if found is not None:
            text = translated(each.text) if each.is_of_library else translated_in_context(ENGINE, each.text)
            return _filled(text, [value_in_language(value) for value in found.groups()])
    return None


def _filled(text: str, values: Sequence[str]) -> str:
    return _PLACE.sub(lambda place: values[int(place[1])], text)


def engine_words(said: str) -> str:
    """The same, as it is where the catalogue does not have it."""
    return sentence_in_language(said) or said


def problem_sentence(code: str, detail: str) -> str:
    """Why something was refused, as a sentence begins: by what the error says, else by what its code means."""
    text = sentence_in_language(detail) or translated(kind_of(code).title)
    return text[:1].upper() + text[1:]


def words_of_codes(beginning: str) -> dict[str, str]:
    """What the codes mean that begin so, in the language of the page; none in English, where errors say more."""
    if language_of_page() == LANGUAGES[0]:
        return {}
    return {code: translated(kind.title) for code, kind in PROBLEMS.items() if code.startswith(beginning)}


def input_sentence(error: BadInput) -> str:
    """What is wrong with what was asked, each with its place, as a sentence begins."""
    text = "; ".join(_line(each) for each in error.problems)
    return text[:1].upper() + text[1:]


def _line(problem: str) -> str:
    place, colon, words = problem.partition(": ")
    whole = sentence_in_language(problem)
    return whole or f"{place}{colon}{violation_sentence('', words or place)}"


def violation_sentence(code: str, detail: str) -> str:
    """What is wrong with one member of the input: by what the error says, else by its code."""
    return sentence_in_language(detail) or translated(NOT_SO.get(code, NOT_SO[""]))
