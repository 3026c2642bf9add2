"""A test of the tests: every mistake in the bank is noticed by one of them, which without mistakes does not complain.

Those that are quick to notice with `python3 dev.py test --all`; all of them with `python3 dev.py chaos`.
"""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from fairlead.store.connection import Database
from fairlead.store.embedded.scratch import scratch_cluster
from fairlead.store.schema import migrate
from tests.seeded_bugs.bank import BANK
from tests.seeded_bugs.bug import NOTICED, Bug, Edit
from tests.seeded_bugs.forked_run import Forks, forks
from tests.seeded_bugs.plugin import SERVER

ROOT = Path(__file__).parents[2]
TEMPLATE_OF_THE_TESTS = "fairlead_template"
PATIENCE_SECONDS = 1_200
"""With each test, or file of tests, that a run is asked for: ten seconds of a processor, of which many have a share."""

Record = Callable[[str, object], None]
"""What is recorded of a test reaches the end of the run from any process (`tests/conftest.py` shows it)."""


@dataclass(frozen=True)
class Run:
    """How a run of pytest ended: its exit code, which tests complained, and all that it said."""

    code: int
    complaints: tuple[str, ...]
    output: str


@dataclass(frozen=True)
class Bank:
    """What the runs have in common, and the tests that complained of a mistake, in order."""

    server: str
    forks: Forks
    complained: dict[str, None] = field(default_factory=dict[str, None])


@pytest.fixture(scope="module")
def bank_server() -> Iterator[str]:
    """A server whose every new database is a migrated one, so that no run has to migrate."""
    with scratch_cluster() as cluster:
        url = cluster.superuser_url
        with Database(url.replace("/postgres?", "/template1?"), "fairlead") as template:
            migrate(template)
        yield url


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the source in which one mistake is made after the other, so that the rest of it is compiled once."""
    copy = tmp_path_factory.mktemp("bank") / "src"
    # With what was compiled of it, which is good for the copy: its files were changed last when ours were.
    shutil.copytree(ROOT / "src", copy, copy_function=copied)
    if sys.pycache_prefix is None:
        yield copy
        return
    ours, compiled = (Path(sys.pycache_prefix, *each.parts[1:]) for each in (ROOT / "src", copy))
    if ours.exists():
        shutil.copytree(ours, compiled, copy_function=copied)
    yield copy
    shutil.rmtree(compiled, ignore_errors=True)


def copied(file: str, target: str) -> None:
    """As `copy2`, and nothing if another process has just written the file anew: what is compiled comes and goes."""
    with suppress(FileNotFoundError):
        shutil.copy2(file, target)


DAMAGED_AT = count(1_000_000_000)
"""When a damaged file was changed last, in seconds: each time another, or what was compiled before would be taken."""


@contextmanager
def damaged(source: Path, edits: Sequence[Edit]) -> Iterator[Path]:
    """The copy of the source with these edits, for as long."""
    for edit in edits:
        path = source / "fairlead" / edit.file
        text = path.read_text(encoding="utf-8")
        found = text.count(edit.old)
        assert found == 1, f"{edit.file} holds this text {found} times, write the mistake anew:\n{edit.old}"
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
        os.utime(path, (moment := next(DAMAGED_AT), moment))
    yield source
    for edit in edits:
        shutil.copy2(ROOT / "src" / "fairlead" / edit.file, source / "fairlead" / edit.file)


@pytest.fixture(scope="module")
def bank(bank_server: str, source: Path) -> Iterator[Bank]:
    """The server, and the process whose forks run pytest. In the end those that complained do not without a mistake.

    Of the other tests that the bank names it is enough that they pass in the run that this one is a part of.
    """
    with forks() as forked:
        bank = Bank(bank_server, forked)
        yield bank
        if bank.complained:
            without_a_mistake_none_complains(source, bank, [*bank.complained])


def without_a_mistake_none_complains(source: Path, bank: Bank, tests: Sequence[str]) -> None:
    """These tests, as they were named by the runs in which they complained, pass on that source."""
    run = run_tests(source, bank, tests, at_first_complaint=False)
    assert run.code == 0, f"complains without a mistake, too:\n{run.output}"
    assert re.search(rf"^{len(tests)} passed\b", run.output, re.MULTILINE), f"not all of them passed:\n{run.output}"


def run_tests(source: Path, bank: Bank, tests: Sequence[str], *, at_first_complaint: bool) -> Run:
    """The tests, run on that source and on that server."""
    server = bank.server
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"drop database if exists {TEMPLATE_OF_THE_TESTS} with (force)")
    words = ["-q", "-rfE", "--tb=line", "-p", "no:cacheprovider", "-p", "tests.seeded_bugs.plugin"]
    words += ["--hypothesis-profile", "unshrunk"]
    words += ["-o", f"pythonpath={source} {ROOT}", "-m", "not chaos_long"] + (["-x"] if at_first_complaint else [])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {SERVER: server, "PYTHONPATH": f"{source}{os.pathsep}{ROOT}"}
    code, output = bank.forks.run_pytest([*words, *tests], [source, ROOT], environment, PATIENCE_SECONDS * len(tests))
    complaints = re.findall(r"^(?:FAILED|ERROR) (\S+::[^\n]*?)(?: - .*)?$", output, re.MULTILINE)
    return Run(code, tuple(complaints), output)


def _of(is_quick: bool) -> list[object]:
    return [pytest.param(bug, id=bug.name) for bug in BANK if bug.is_quick is is_quick]


@pytest.mark.slow
@pytest.mark.chaos
@pytest.mark.parametrize("bug", _of(is_quick=True))
def test_a_mistake_is_noticed(bug: Bug, source: Path, bank: Bank, record_property: Record) -> None:
    _must_be_noticed(bug, source, bank, record_property)


@pytest.mark.chaos_long
@pytest.mark.parametrize("bug", _of(is_quick=False))
def test_a_mistake_is_noticed_at_length(bug: Bug, source: Path, bank: Bank, record_property: Record) -> None:
    _must_be_noticed(bug, source, bank, record_property)


def _must_be_noticed(bug: Bug, source: Path, bank: Bank, record_property: Record) -> None:
    with damaged(source, bug.edits):
        run = run_tests(source, bank, bug.tests, at_first_complaint=True)
    # 1: tests failed. Anything else, such as a source that cannot be imported, is no test's merit.
    assert run.code == 1, f"{bug.name}: no test noticed that {bug.story}\n{run.output}"
    assert run.complaints, run.output
    bank.complained[run.complaints[0]] = None
    record_property(NOTICED, (bug.name, run.complaints[0]))


@pytest.mark.slow
@pytest.mark.chaos
def test_who_complains_without_a_mistake_is_found(source: Path, bank: Bank) -> None:
    bug = next(bug for bug in BANK if bug.name == "weeks begin on Sunday")
    with (
        damaged(source, bug.edits),
        pytest.raises(AssertionError, match=r"without a mistake, too:\n(.|\n)*test_windows"),
    ):
        without_a_mistake_none_complains(source, bank, bug.tests)


def test_the_names_in_the_bank_are_different() -> None:
    assert len({bug.name for bug in BANK}) == len(BANK) >= 14


def test_every_mistake_in_the_bank_can_still_be_made() -> None:
    """Its texts stand in the source once, and its tests exist: seen without running them, by every run of the suite."""
    texts = [
        f"{bug.name}: {edit.file} holds this text {found} times, write the mistake anew:\n{edit.old}"
        for bug in BANK
        for edit in bug.edits
        if (found := (ROOT / "src" / "fairlead" / edit.file).read_text(encoding="utf-8").count(edit.old)) != 1
    ]
    tests = [f"{bug.name}: there is no {test}" for bug in BANK for test in bug.tests if not _is_there(test)]
    assert texts + tests == []


def _is_there(test: str) -> bool:
    file, _, name = test.partition("::")
    path = ROOT / file
    return path.exists() and (not name or f"def {name.partition('[')[0]}(" in path.read_text(encoding="utf-8"))
