"""Two checkouts, measured in one run: rounds in turn, so that what disturbs the machine disturbs both alike.

Each has its own environment, Python process and database cluster. Only ratios within a round are compared.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
WAYS = ("combined", "single")
BATCH_LEADS = 50


@dataclass(frozen=True, slots=True)
class CompareEffort:
    """How much is compared: in each round so many batches of 50 leads and so many leads one at a time."""

    sizes: tuple[int, ...] = (100, 1000, 10_000)
    population: str = "steady"
    rounds: int = 9
    batches: int = 3
    single_leads: int = 50
    seed: int = 1

    def warm_up_batches(self, size: int) -> int:
        """Until nearly every provider was served once, and its balance is therefore known."""
        return max(self.batches, ceil(size / (3 * BATCH_LEADS)))

    def leads(self, size: int) -> int:
        """Enough for either way, warm-up included."""
        most = max(self.batches * BATCH_LEADS, self.single_leads)
        return self.rounds * most + self.warm_up_batches(size) * BATCH_LEADS + 2 * BATCH_LEADS


@dataclass(frozen=True, slots=True)
class Seconds:
    """What a lead takes, in seconds."""

    clock: float
    floor: float
    processor: float


@dataclass(slots=True)
class Compared:
    """One size: by way, of each round the seconds that a lead takes, here and there: by the clock, on the own floor of
    each, and of the client's processor."""

    size: int
    here: dict[str, list[Seconds]] = field(default_factory=lambda: {way: [] for way in WAYS})
    there: dict[str, list[Seconds]] = field(default_factory=lambda: {way: [] for way in WAYS})

    def times_as_fast(self, way: str) -> list[float]:
        """By round, how many times as fast this checkout is as the other one."""
        return [other.clock / own.clock for own, other in zip(self.here[way], self.there[way], strict=True)]

    def times_as_cheap(self, way: str) -> list[float]:
        """By round, how many times as much of the client's processor time the other one takes: steady under load."""
        return [other.processor / own.processor for own, other in zip(self.here[way], self.there[way], strict=True)]

    def of_floor(self, way: str) -> list[float]:
        """By round, what share of the floor's speed this checkout has."""
        return [own.floor / own.clock for own in self.here[way]]


class Checkout:
    """The process that measures one checkout."""

    def __init__(self, directory: Path) -> None:
        words = [directory / ".venv" / "bin" / "python", Path(__file__).with_name("checkout.py"), directory]
        self._process = subprocess.Popen(words, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **order: Any) -> dict[str, Any]:
        """The answer to an order. Raises RuntimeError when the process has ended instead."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the measurement ended with {self._process.wait()}: see above")
        return json.loads(line)

    def close(self) -> None:
        """Process and database cluster are gone."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def checkout_of(path_or_revision: str) -> Generator[Path]:
    """The directory of a checkout with its environment: the path's own, or a worktree of the revision for a while."""
    path = Path(path_or_revision)
    if path.is_dir():
        set_up(path.resolve())
        yield path.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="fairlead-compared-") as parent:
        directory = Path(parent) / "checkout"
        git("worktree", "add", "--quiet", "--detach", str(directory), path_or_revision)
        try:
            set_up(directory)
            yield directory
        finally:
            git("worktree", "remove", "--force", str(directory))


def git(*words: str) -> None:
    """The command is done in this checkout; its output goes to where errors go."""
    subprocess.run(["git", *words], cwd=ROOT, check=True, stdout=sys.stderr)


def set_up(directory: Path) -> None:
    """The checkout has an environment with everything that it was locked with."""
    subprocess.run([sys.executable, "dev.py", "setup"], cwd=directory, check=True, stdout=sys.stderr)


def compare(path_or_revision: str, effort: CompareEffort) -> list[Compared]:
    """This checkout and the other one at every size, rounds in turn."""
    with ExitStack() as open_:
        directory = open_.enter_context(checkout_of(path_or_revision))
        here, there = Checkout(ROOT), Checkout(directory)
        open_.callback(here.close)
        open_.callback(there.close)
        return [_compared(here, there, size, effort) for size in effort.sizes]


def _compared(here: Checkout, there: Checkout, size: int, effort: CompareEffort) -> Compared:
    print(f"{effort.population}, {size:,} subscriptions per level ...", file=sys.stderr, flush=True)
    compared = Compared(size)
    for side in (here, there):
        side.ask(
            do="prepare",
            population=effort.population,
            size=size,
            leads=effort.leads(size),
            seed=effort.seed,
            warm_up_batches=effort.warm_up_batches(size),
        )
    amounts = {"combined": (effort.batches, BATCH_LEADS), "single": (effort.single_leads, 1)}
    for number in range(effort.rounds):
        sides = [(here, compared.here), (there, compared.there)]
        for way, (transactions, limit) in amounts.items():
            for side, seconds in sides if number % 2 == 0 else reversed(sides):
                told = side.ask(do="distribute", way=way, transactions=transactions, limit=limit)
                parts = (told["seconds"], told["floor_seconds"], told["processor_seconds"])
                seconds[way].append(Seconds(*(part / told["leads"] for part in parts)))
    return compared


def compared_as_json(compared: Sequence[Compared], other: str, effort: CompareEffort) -> dict[str, Any]:
    """Ratios and speeds of every size."""
    return {
        "compared_with": other,
        "population": effort.population,
        "rounds": effort.rounds,
        "results": [
            {
                "subscriptions_per_level": one.size,
                **{f"{way}_times_as_fast": _spread(one.times_as_fast(way)) for way in WAYS},
                **{f"{way}_times_as_cheap": _spread(one.times_as_cheap(way)) for way in WAYS},
                **{f"{way}_of_floor": _spread(one.of_floor(way)) for way in WAYS},
                **{f"{way}_leads_per_second": _spread([1 / own.clock for own in one.here[way]]) for way in WAYS},
            }
            for one in compared
        ],
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": median(values), "min": min(values), "max": max(values)}


def compared_as_markdown(report: dict[str, Any]) -> str:
    """The report's table: medians, and in brackets the least and the most of all rounds."""
    rows = [
        f"| {result['subscriptions_per_level']:,} | "
        + " | ".join(
            _cell(result[f"{way}_{what}"]) for what in ("times_as_fast", "times_as_cheap", "of_floor") for way in WAYS
        )
        + " |"
        for result in report["results"]
    ]
    return "\n".join(
        [
            f"Against `{report['compared_with']}`, {report['population']}, {report['rounds']} rounds in turn:",
            "",
            "| per level | combined, times as fast | singly, times as fast | combined, processor | singly, processor "
            "| combined, of floor | singly, of floor |",
            "|--:|--:|--:|--:|--:|--:|--:|",
            *rows,
        ]
    )


def _cell(spread: dict[str, float]) -> str:
    return f"{spread['median']:.2f} ({spread['min']:.2f} to {spread['max']:.2f})"


def write_to_page(table: str, page: Path = PAGE) -> None:
    """The page has this table between its marks."""
    between_marks(page, "bench compare", table)


def between_marks(page: Path, name: str, text: str) -> None:
    """The page has this text, and nothing else, between the marks of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
