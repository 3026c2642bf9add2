"""The kinds of values that people type, as types of Pydantic's: what a model has read is canonical.

Each says in the document what it takes; spaces around a value are dropped before it is measured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from fairlead.core.entry.mailbox import LONGEST_EMAIL, canonical_mailbox
from fairlead.core.entry.phone import REGIONS
from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import (
    LINE_PATTERN,
    LONGEST_NAME,
    WORDS_PATTERN,
    canonical_line,
    canonical_words,
    shortened_line,
)

MailLanguage: TypeAlias = Literal["en", "de"]
"""The languages that messages come in; each has its templates in `delivery/templates`."""

SHORTEST_MEMO = 10
LONGEST_LEDGER_MEMO = 500
LONGEST_MEMO = 1_000


@dataclass(frozen=True, slots=True)
class Line:
    """Beside `str`: one line of `shortest` to `longest` characters (`canonical_line`)."""

    longest: int
    shortest: int = 1

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        def canonical(text: str) -> str:
            return canonical_line(text, self.longest, shortest=self.shortest)

        return _text(canonical, LINE_PATTERN, self.shortest, self.longest)


@dataclass(frozen=True, slots=True)
class Lines:
    """Beside `str`: what a person writes on one line or several, at most `longest` characters (`canonical_words`)."""

    longest: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        def canonical(text: str) -> str:
            return canonical_words(text, self.longest)

        return _text(canonical, WORDS_PATTERN, 1, self.longest)


@dataclass(frozen=True, slots=True)
class Shortened:
    """Beside `str`: what only serves statistics. No text is refused; as much as fits is kept (`shortened_line`)."""

    longest: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        def shortened(given: object) -> object:
            return shortened_line(given, self.longest) if isinstance(given, str) else given

        # Before it is read as text: half of a surrogate pair, which JSON can hold, is no text to Pydantic.
        return core_schema.no_info_before_validator_function(shortened, core_schema.str_schema(strict=True))


class _EmailAddress:
    """Beside `str`: one mailbox, as mail is sent to it (`canonical_mailbox`)."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return _text(lambda text: canonical_mailbox(text).address, LINE_PATTERN, 3, LONGEST_EMAIL)


def _text(canonical: Callable[[str], str], pattern: str, shortest: int, longest: int) -> CoreSchema:
    def validated(text: str) -> str:
        try:
            return canonical(text)
        except EntryRefused as refused:
            # The words may hold braces one day, and they are no template.
            raise PydanticCustomError("entry_refused", "{reason}", {"reason": refused.message}) from None

    plain = core_schema.str_schema(strict=True, strip_whitespace=True, min_length=shortest, max_length=longest)
    # The pattern is for the document alone: an expression is no reason that a person could read.
    return core_schema.no_info_after_validator_function(
        validated, plain, metadata={"pydantic_js_updates": {"pattern": pattern}}
    )


def _region(text: str) -> str:
    if text not in REGIONS:
        raise PydanticCustomError("unknown_region", "must be a country's code of two capital letters, such as DE")
    return text


Name: TypeAlias = Annotated[str, Line(LONGEST_NAME)]
"""The name of a person, a business or a thing."""

Email: TypeAlias = Annotated[str, _EmailAddress()]
"""An email address that mail can be sent to, in the form in which it is stored."""

Sought: TypeAlias = Annotated[str, Line(100)]
"""What is searched for, in the form in which texts are stored."""

LedgerMemo: TypeAlias = Annotated[str, Line(LONGEST_LEDGER_MEMO, SHORTEST_MEMO)]
"""Why money was moved by hand, on one line."""

Memo: TypeAlias = Annotated[str, Line(LONGEST_MEMO, SHORTEST_MEMO)]
"""Why something was given back, or not, on one line."""

REGION_PATTERN = "^[A-Z]{2}$"

PhoneRegion: TypeAlias = Annotated[str, Field(pattern=REGION_PATTERN, examples=["DE"]), AfterValidator(_region)]
"""Whose telephone numbers need no country: ISO 3166's code."""

Country: TypeAlias = PhoneRegion
"""A country by ISO 3166's code, such as those of telephone numbers are."""

Address: TypeAlias = Annotated[str, Lines(500)]
"""A postal address but for its country, on one line or several."""

TaxId: TypeAlias = Annotated[str, Line(50)]
"""What a tax office knows a business by."""
