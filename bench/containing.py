"""Looking for many pieces of text in one: all in one pass, against one after the other, side by side in one run."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.memory import resident_bytes
from fairlead.core.filters.needles import Needles


@dataclass(frozen=True, slots=True)
class ContainingEffort:
    """How many pieces, how long the text is that they are looked for in, and how often each way has its turn."""

    pieces: Sequence[int] = (10, 100, 1_000, 10_000, 100_000)
    characters: int = 9_600
    rounds: int = 7
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Contained:
    """One number of pieces: seconds of both ways in each round, of the first question, and of one after another piece.

    The first question makes the automata; `bytes_per_piece` is the memory that they take.
    """

    pieces: int
    scan_seconds: tuple[float, ...]
    pass_seconds: tuple[float, ...]
    first_seconds: float
    after_one_more_seconds: float
    bytes_per_piece: float

    @property
    def scan_to_pass(self) -> float:
        """How many times as long the scan takes."""
        return median(self.scan_seconds) / median(self.pass_seconds)


def measure_containing(effort: ContainingEffort) -> list[Contained]:
    """Both ways for each number of pieces, in turn; and both find the same."""
    return [_measure(count, effort) for count in effort.pieces]


def _measure(count: int, effort: ContainingEffort) -> Contained:
    dice = random.Random(effort.seed)
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(3, 9))) for _ in range(5_000)]
    pieces: dict[str, None] = {}
    while len(pieces) < count:
        pieces[" ".join(dice.choices(words, k=dice.randint(1, 3)))] = None
    text = " ".join(dice.choices(words, k=effort.characters // 4))[: effort.characters]
    before = resident_bytes()
    needles = Needles()
    for piece in pieces:
        needles.add(piece)
    _, first_seconds = _timed(lambda: needles.within(text))
    grown = resident_bytes() - before
    scans: list[float] = []
    passes: list[float] = []
    for _ in range(effort.rounds):
        scanned, seconds = _timed(lambda: [piece for piece in pieces if piece in text])
        scans.append(seconds)
        found, seconds = _timed(lambda: needles.within(text))
        passes.append(seconds)
        assert sorted(found) == sorted(scanned), "both ways find the same"
    needles.add("one more")
    _, after_one_more = _timed(lambda: needles.within(text))
    return Contained(count, tuple(scans), tuple(passes), first_seconds, after_one_more, max(0, grown) / count)


def _timed(work: Callable[[], list[str]]) -> tuple[list[str], float]:
    started = time.perf_counter()
    found = work()
    return found, time.perf_counter() - started
