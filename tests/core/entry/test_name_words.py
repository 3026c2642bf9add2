"""The words of names: the same for all writings, never none, and short."""

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.entry.name_words import LONGEST_WORD, MOST_WORDS, name_words, words_beginning_with
from fairlead.core.entry.text import is_storable


def test_ways_of_writing_do_not_matter() -> None:
    assert name_words("Jo\u0308rg  M\u00dcLLER") == name_words("j\u00f6rg m\u00fcller") == ("jorg", "muller")
    assert name_words("O\u2019Brien") == name_words("O'Brien") == ("obrien",)
    assert name_words("Ana Ana de la Cruz") == ("ana", "de", "la", "cruz")
    assert name_words("\u5c71\u7530 \u592a\u90ce") == ("\u5c71\u7530", "\u592a\u90ce")
    assert name_words("") == ()


@given(st.text().filter(is_storable))
def test_words_are_few_short_and_fold_to_themselves(text: str) -> None:
    words = name_words(text)
    assert len(words) <= MOST_WORDS
    for word in words:
        assert 1 <= len(word) <= LONGEST_WORD
        first, end = words_beginning_with(word[:3])
        assert first <= word < end or word.startswith("\U0010ffff")
