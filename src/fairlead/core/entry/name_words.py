"""The words of a person's name, as leads are found by them: folded, so that the way of writing does not matter."""

import re
import unicodedata

from fairlead.core.entry.text import comparable

MOST_WORDS = 12
LONGEST_WORD = 60
BEHIND_EVERY_WORD = "\U0010ffff"
"""Sorts, by code point, behind every word that begins alike."""

_WORD = re.compile(r"[^\W_]+")
# Within a word: O'Brien is one.
_APOSTROPHES = re.compile("['\u2019\u02bc`\u00b4]")
_ACCENTS = re.compile("[\u0300-\u036f]")


def name_words(text: str) -> tuple[str, ...]:
    r"""The words of the name, each once, without regard to case, accents and apostrophes; at most twelve.

    A name without a letter or a digit is one word as it is; only an empty one has none.

    >>> name_words("J\u00f6rg M\u00fcller-Thurgau"), name_words("O'Brien, Ada"), name_words("-")
    (('jorg', 'muller', 'thurgau'), ('obrien', 'ada'), ('-',))
    """
    folded = comparable(_APOSTROPHES.sub("", text))
    plain = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", folded)))
    words = _WORD.findall(plain) or ([plain] if plain else [])
    return tuple(dict.fromkeys(word[:LONGEST_WORD] for word in words))[:MOST_WORDS]


def words_beginning_with(word: str) -> tuple[str, str]:
    """From where, included, to where, excluded, those words are that begin like this one, by code point.

    >>> first, end = words_beginning_with("mull")
    >>> first <= "mull" < end, first <= "muller" < end, first <= "mulm" < end
    (True, True, False)
    """
    return word, word + BEHIND_EVERY_WORD
