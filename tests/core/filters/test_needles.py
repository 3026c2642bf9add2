"""What a text contains of many pieces is what looking for one after the other finds, whatever the texts are made of."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.core.filters import needles as module
from fairlead.core.filters.needles import MAX_START_BYTES, MOST_SCANNED, WINDOW_BYTES, Needles

# Letters that fold to several, that combine, that take two to four bytes, and halves of surrogate pairs.
LETTERS = st.sampled_from(
    [*"aAb ß\u017fKk", "\u0301", "é", "e", "ŉ", "İ", "ﬃ", "漢", "字", "😀", "\ud83d", "\ude00", "\x00"]
)
PIECES = st.text(LETTERS, min_size=1, max_size=6) | st.text(st.characters(), min_size=1, max_size=3)
LONG_PIECES = st.builds(lambda piece, times: piece * times, PIECES, st.sampled_from([1, 1, 1, 8, 20]))
TEXTS = st.lists(LONG_PIECES | st.text(st.characters(), max_size=5), max_size=12).map("".join)


def contained(pieces: list[str], text: str) -> list[str]:
    return sorted(piece for piece in pieces if piece in text)


@settings(max_examples=3 * settings().max_examples)
@given(st.lists(LONG_PIECES, unique=True, max_size=30), st.data())
def test_automata_find_what_a_scan_finds(pieces: list[str], data: st.DataObject) -> None:
    """Asked in between, so that automata of several sizes stand side by side."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_SCANNED", data.draw(st.integers(0, 3)))
        patch.setattr(module, "WINDOW_BYTES", data.draw(st.sampled_from([1, 7, 64, WINDOW_BYTES])))
        needles = Needles()
        for count, piece in enumerate(pieces, 1):
            needles.add(piece)
            if data.draw(st.booleans()):
                text = data.draw(TEXTS | st.sampled_from(pieces))
                assert sorted(needles.within(text)) == contained(pieces[:count], text)
        folded = data.draw(TEXTS).casefold()
        assert sorted(needles.within(folded)) == contained(pieces, folded)


@pytest.mark.parametrize("seed", range(3))
def test_thousands_of_pieces_are_found_as_they_come_in(seed: int) -> None:
    dice = random.Random(seed)
    words = ["".join(dice.choices("abcde", k=dice.randint(1, 4))) for _ in range(300)]
    pieces = list({" ".join(dice.choices(words, k=dice.randint(1, 12))): None for _ in range(3000)})
    needles, found = Needles(), 0
    for count, piece in enumerate(pieces, 1):
        needles.add(piece)
        if dice.random() < 0.02:
            text = " ".join(dice.choices(words, k=400)) + dice.choice(pieces)
            got = sorted(needles.within(text))
            assert got == contained(pieces[:count], text)
            found += len(got)
    assert found > 1000


@pytest.mark.parametrize("letter", ["a", "é", "漢", "😀", "\ud83d"])
def test_pieces_across_the_edges_of_what_is_read_at_a_time(letter: str) -> None:
    pieces = [f"{letter}{number:04}" for number in range(1000)] + [letter * 12 + "end", "x" * 3 * MAX_START_BYTES]
    needles = Needles()
    for piece in pieces:
        needles.add(piece)
    for before in range(WINDOW_BYTES - 50, WINDOW_BYTES + 5):
        text = "." * before + f"{letter}0123{letter * 12}end" + "x" * 3 * MAX_START_BYTES
        assert sorted(needles.within(text)) == contained(pieces, text)


def test_pieces_that_end_in_one_another_report_no_more_than_a_few_each_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[int] = []

    class Counted:
        def __init__(self, *words: Any, **named: Any) -> None:
            self._real = real(*words, **named)

        def find_matches_as_indexes(self, *words: Any, **named: Any) -> object:
            reported.append(len(found := self._real.find_matches_as_indexes(*words, **named)))
            return found

    real = module.BytesAhoCorasick
    monkeypatch.setattr(module, "BytesAhoCorasick", Counted)
    needles, text = Needles(), "a" * 5000
    for length in range(1, 1001):
        needles.add("a" * length)
    assert len(needles.within(text)) == 1000
    assert max(reported) <= MAX_START_BYTES * (WINDOW_BYTES + MAX_START_BYTES)


def test_a_piece_more_is_no_reason_to_build_all_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is built in as often as the logarithm of their number, also when every one is followed by a question."""
    built: list[int] = []

    class Counted(module._Automaton):  # pyright: ignore[reportPrivateUsage]
        __slots__ = ()

        def __init__(self, pieces: list[str]) -> None:
            built.append(len(pieces))
            super().__init__(pieces)

    monkeypatch.setattr(module, "_Automaton", Counted)
    needles = Needles()
    for number in range(20_000):
        needles.add(f"piece {number}")
    needles.within("")
    assert built == [20_000]
    for number in range(2_000):
        needles.add(f"late {number}")
        assert f"late {number}" in needles.within(f"a late {number}")
    assert max(built[1:]) <= 2_000
    assert len(built) <= 2_000 / MOST_SCANNED + 1
    assert sum(built[1:]) <= 2_000 * 8


def test_no_empty_piece() -> None:
    with pytest.raises(ValueError, match="nothing at all"):
        Needles().add("")
