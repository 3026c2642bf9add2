"""Which of many pieces of text a text contains, found in one pass over it however many they are.

The pieces are in automata (Aho-Corasick) of rising size: what is new is held against the text one by one until there is
enough of it for an automaton, which takes in all that are at most twice as large. So each piece is built into an
automaton as often as the logarithm of their number, and never all of them for the sake of one.

Automata see bytes: UTF-8 that keeps lone surrogates, in which a piece of text is in a text exactly where its bytes are
in its bytes. They know of each piece no more than its first bytes, so that no text can make them report more than a few
per byte, as pieces that end in one another would (a, aa, aaa ...). Longer pieces are then looked for themselves.
"""

from collections.abc import Iterator

from ahocorasick_rs import BytesAhoCorasick, Implementation

MOST_SCANNED = 64
"""So many pieces are held against a text one by one about as fast as by an automaton."""
MAX_START_BYTES = 32
WINDOW_BYTES = 1024
"""What an automaton reads at a time, which bounds what it reports at a time."""


class Needles:
    """Pieces of text to be looked for. Only ever added to; for one thread at a time, also when it is asked."""

    __slots__ = ("_automata", "_new")

    def __init__(self) -> None:
        self._automata: list[_Automaton] = []  # each more than twice as large as the next
        self._new: list[str] = []

    def add(self, needle: str) -> None:
        """The piece, which was not added before, is looked for from now on. Raises ValueError for an empty one."""
        if not needle:
            raise ValueError("every text contains nothing at all")
        self._new.append(needle)

    def within(self, text: str) -> list[str]:
        """Those of the pieces that the text contains, each once.

        >>> needles = Needles()
        >>> needles.add("roof")
        >>> needles.within("a roof over a roof"), needles.within("ro of")
        (['roof'], [])
        """
        if len(self._new) > MOST_SCANNED:
            self._build()
        found = [needle for needle in self._new if needle in text]
        if self._automata:
            encoded = _encoded(text)
            for automaton in self._automata:
                found += automaton.within(text, encoded)
        return found

    def _build(self) -> None:
        needles, self._new = self._new, []
        while self._automata and len(self._automata[-1].needles) <= 2 * len(needles):
            needles += self._automata.pop().needles
        self._automata.append(_Automaton(needles))


class _Automaton:
    """Pieces of text whose first bytes are looked for together."""

    __slots__ = ("_longer", "_starts", "_whole", "needles")

    def __init__(self, needles: list[str]) -> None:
        self.needles = needles
        numbers: dict[bytes, int] = {}
        self._whole: list[str | None] = []  # of each start, the piece that is no longer
        self._longer: dict[int, list[str]] = {}  # and those that are
        for needle in needles:
            encoded = _encoded(needle)
            number = numbers.setdefault(encoded[:MAX_START_BYTES], len(numbers))
            if number == len(self._whole):
                self._whole.append(None)
            if len(encoded) <= MAX_START_BYTES:
                self._whole[number] = needle
            else:
                self._longer.setdefault(number, []).append(needle)
        # Left to choose, the library takes a table of states for few pieces, which is fifty times as large.
        self._starts = BytesAhoCorasick(numbers, implementation=Implementation.ContiguousNFA)

    def within(self, text: str, encoded: bytes) -> Iterator[str]:
        """Those of the pieces that the text, which was encoded so, contains."""
        met: set[int] = set()
        for at in range(0, len(encoded), WINDOW_BYTES):
            window = encoded[at : at + WINDOW_BYTES + MAX_START_BYTES - 1]
            met.update(number for number, _, _ in self._starts.find_matches_as_indexes(window, overlapping=True))
        for number in sorted(met):
            if (needle := self._whole[number]) is not None:
                yield needle
            yield from (needle for needle in self._longer.get(number, ()) if needle in text)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
