"""Long imports: interrupted, answered into the void, done twice at once, and larger than memory."""

import multiprocessing
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from fairlead.flows.importing import import_leads as flow
from fairlead.flows.importing.import_leads import Imported, ImportOptions, import_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.niches import add_niche, audited, stored_leads
from tests.lost_answers import answers_lost


@pytest.fixture
def file(database: Database, tmp_path: Path) -> Path:
    """A path for a file of leads; the niche `moving` is there."""
    add_niche(database)
    return tmp_path / "leads.csv"


def test_an_interrupted_import_keeps_what_was_committed_and_goes_on(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "CHUNK_ROWS", 10)
    file.write_text("age\n" + "".join(f"{age}\n" for age in range(100)))
    told: list[Imported] = []

    def interrupt(done: Imported) -> None:
        told.append(done)
        if done.added == 30 and not told[-2].added == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_leads(database, file, ImportOptions("moving"), OPERATOR, interrupt)
    kept = len(stored_leads(database))
    assert kept % 10 == 0
    assert 30 <= kept < 100
    again = import_leads(database, file, ImportOptions("moving"), OPERATOR)
    assert (again.already_there, again.added) == (kept, 100 - kept)


def test_a_commit_whose_answer_was_lost_is_counted_once(database: Database, file: Path) -> None:
    file.write_text("age\n1\n2\n")
    with answers_lost() as lost:
        done = import_leads(database, file, ImportOptions("moving"), OPERATOR)
    assert (len(lost), done.added, done.already_there) == (1, 2, 0)
    assert audited(database, "leads.imported") == [{"count": 2, "approved": False}]


@pytest.mark.slow
def test_memory_stays_flat(database: Database, file: Path) -> None:
    def peak_of(rows: int) -> int:
        with file.open("w") as stream:
            stream.write("external_id,age,city\n")
            stream.writelines(f"{rows}-{n},41,{n:060}\n" for n in range(rows))
        tracemalloc.start()
        try:
            result = import_leads(database, file, ImportOptions("moving"), OPERATOR)
            assert result.added == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak_of(3_000)
    few, many = peak_of(4_000), peak_of(12_000)
    # Kept in memory, the 8,000 more rows would take at least 8 MB.
    assert many < few + 2_000_000, (few, many)


def _import_in_a_process(url: str, path: str, answers: Any) -> None:
    with Database(url, "fairlead") as database:
        result = import_leads(database, Path(path), ImportOptions("moving", approve=True), OPERATOR)
        answers.put((result.added, result.already_there))


def test_two_processes_with_the_same_file_store_every_row_once(
    database: Database, database_url: str, file: Path
) -> None:
    rows = 6_000
    file.write_text("age,city\n" + "".join(f"{n % 90},{n % 40}\n" for n in range(rows)))
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    workers = [context.Process(target=_import_in_a_process, args=(database_url, str(file), answers)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    added = [answers.get() for _ in workers]
    assert sum(one[0] for one in added) == rows
    assert all(sum(one) == rows for one in added)
    assert len(stored_leads(database)) == rows
