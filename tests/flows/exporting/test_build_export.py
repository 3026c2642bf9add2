"""Building exports: whole or not there, from one snapshot, whatever happens to the worker meanwhile."""

import csv
import io
import json
import signal
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from fairlead.core.errors import BadInput, Refused, Unavailable
from fairlead.core.permissions import Permission
from fairlead.flows.configuration.levels import LevelChange, change_level
from fairlead.flows.distributor import Distributor
from fairlead.flows.exporting import build_export as module
from fairlead.flows.exporting.download import open_download
from fairlead.flows.exporting.kinds import KINDS
from fairlead.flows.exporting.requests import (
    MOST_OF_ALL,
    MOST_UNDER_WAY,
    Requester,
    cancel_export,
    discard_export,
    request_export,
    show_export,
)
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.flows.failures.dead_letters import list_dead_letters, retry_dead_letter
from fairlead.flows.maintenance.clean_up import clean_up
from fairlead.flows.maintenance.count_entitlement import count_entitlement
from fairlead.flows.maintenance.expire_exports import expire_exports
from fairlead.flows.maintenance.orphans import requeue_orphans
from fairlead.flows.maintenance.rescue import rescue
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from fairlead.store.exports.chunks import delete_chunks
from fairlead.store.exports.requests import begin_run
from fairlead.store.leads.rows import clock
from tests.api.admin.test_exports import many_entries
from tests.flows.access.people import value
from tests.flows.exporting.exports import (
    ANN,
    builder,
    built,
    fetched,
    forget_jobs,
    lines,
    stored_pieces,
    without,
)
from tests.flows.maintenance.workers import begin_jobs, jobs, maintenance_of, worker
from tests.flows.sales import Sale, audited, query, sell
from tests.processes import python_process


@pytest.fixture
def sale(database: Database) -> Sale:
    """A lead that two providers bought."""
    return sell(database)


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("what", [*KINDS])
def test_every_kind_is_built_in_every_format(database: Database, sale: Sale, what: str) -> None:
    arrow: Any = pytest.importorskip("pyarrow.parquet")
    niche = "hosting" if KINDS[what].needs_niche else None
    built(database, ExportRequest(what, niche_slug=niche))  # reports are kept for the zones that were asked for
    count_entitlement(maintenance_of(database))
    texts = table(fetched(database, built(database, ExportRequest(what, niche_slug=niche)).export_id))
    documents = lines(fetched(database, built(database, ExportRequest(what, "jsonl", niche)).export_id))
    row = built(database, ExportRequest(what, "parquet", niche))
    typed = arrow.read_table(io.BytesIO(fetched(database, row.export_id)))
    names = [column.name for column in KINDS[what].columns]
    assert typed.column_names == names
    assert typed.num_rows == row.rows_written
    # Each request is in the audit log itself, and so in the next export of it.
    assert what == "audit" or len(texts) == len(documents) == typed.num_rows
    for text, line, values in zip(texts, documents, typed.to_pylist(), strict=False):
        document = json.loads(line)
        assert list(text) == list(document) == names
        for column in KINDS[what].columns:
            known = values[column.name]
            if column.type == "integer":
                assert known == document[column.name]
                assert text[column.name] == ("" if known is None else str(known))
            elif column.type == "time" and known is not None and column.name != "ends_at":
                assert known.utcoffset() == timedelta(0)
                assert f"{known:%Y-%m-%dT%H:%M:%S.%f}Z" == document[column.name] == text[column.name]
            elif column.type == "json" and known is not None:
                assert json.loads(known) == document[column.name]
    assert what in ("report_open_slots",) or typed.num_rows > 0


def test_a_level_that_went_by_weights_has_no_bound_in_any_format(database: Database, sale: Sale) -> None:
    arrow: Any = pytest.importorskip("pyarrow.parquet")
    [(level_id, niche_id)] = query(
        database, "select id::text, niche_id::text from competition_levels where name = 'gold'"
    )
    change_level(database, level_id, LevelChange(order="weighted"), OPERATOR)
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=True)
    Distributor(database).distribute_waiting(niche_id)
    request = ExportRequest("report_entitlement", niche_slug="hosting")
    built(database, request)
    count_entitlement(maintenance_of(database))
    texts = table(fetched(database, built(database, request).export_id))
    bounds = {each["level_name"]: each["wait_bound"] for each in texts}
    assert bounds.keys() == {"gold", "silver"}
    assert (bounds["gold"], bounds["silver"].isdecimal()) == ("", True)
    for form in ("jsonl", "parquet"):
        content = fetched(database, built(database, replace(request, format=form)).export_id)
        rows = [json.loads(line) for line in lines(content)] if form == "jsonl" else None
        rows = rows or arrow.read_table(io.BytesIO(content)).to_pylist()
        told = {each["level_name"]: each["wait_bound"] for each in rows}
        assert told == {"gold": None, "silver": int(bounds["silver"])}, form


def test_an_export_is_ready_with_its_size_checksum_and_end(database: Database, sale: Sale) -> None:
    row = built(database, ExportRequest("ledger"), export_kept_days=3)
    content = fetched(database, row.export_id)
    assert (row.state, row.rows_written, row.byte_count) == ("ready", 4, len(content))
    assert row.checksum == sha256(content).hexdigest()
    assert row.finished_at is not None
    assert row.expires_at == row.finished_at + timedelta(days=3)
    assert row.rows_expected is not None
    assert row.rows_expected_is_estimate
    [requested] = audited(database, "export.requested")
    assert requested[2]["kind"] == "ledger"
    [ready] = audited(database, "export.ready")
    assert ready[2] == {"rows": 4, "byte_count": len(content)}
    [download] = audited(database, "export.downloaded")
    assert (download[2]["rows"], download[4]) == (4, "user:ann")


def test_a_part_of_the_file_is_that_part(database: Database, sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", 100)
    row = built(database, ExportRequest("ledger"))
    assert len(stored_pieces(database, row.export_id)) > 3
    whole = fetched(database, row.export_id)
    for wanted, part in (
        ((0, 0), whole[:1]),
        ((99, 100), whole[99:101]),
        ((150, None), whole[150:]),
        ((None, 7), whole[-7:]),
    ):
        download = open_download(database, row.export_id, ANN, wanted)
        assert download is not None
        with download.opened as opened:
            assert b"".join(opened.pieces) == part
    with pytest.raises(Refused, match="bytes"):
        open_download(database, row.export_id, ANN, (len(whole), None))
    assert open_download(database, row.export_id, ANN, known_checksum=row.checksum) is None


def test_an_empty_export_is_a_file(database: Database) -> None:
    for file_format in ("csv", "jsonl", "parquet"):
        row = built(database, ExportRequest("assignments", file_format))
        content = fetched(database, row.export_id)
        assert (row.state, row.rows_written, row.byte_count) == ("ready", 0, len(content))
        assert (content == b"") == (file_format == "jsonl")


def test_what_would_run_in_a_spreadsheet_is_disarmed(database: Database, sale: Sale) -> None:
    value(database, "update providers set name = %s where id = %s", '=HYPERLINK("http://x")', sale.anchor_id)
    value(database, "update leads set utm_source = %s", "x;=1+1")
    names = {
        each["provider_name"]
        for each in table(fetched(database, built(database, ExportRequest("assignments")).export_id))
    }
    assert names == {'\'=HYPERLINK("http://x")', "Bowline"}
    sources = {
        each["utm_source"] for each in table(fetched(database, built(database, ExportRequest("leads")).export_id))
    }
    assert sources == {"x;'=1+1"}


def test_columns_and_filters_choose(database: Database, sale: Sale) -> None:
    wanted = ExportRequest("assignments", provider=sale.anchor_id, columns=("provider_name", "assignment_id"))
    content = fetched(database, built(database, wanted).export_id)
    assert table(content) == [{"assignment_id": sale.anchor, "provider_name": "Anchor"}]
    for filters, count in (
        ({"outcome": "sold"}, 1),
        ({"outcome": "unsold"}, 0),
        ({"status": "distributed"}, 1),
        ({"id_prefix": sale.lead_id[:13].upper()}, 1),
        ({"source": "x"}, 0),
    ):
        assert built(database, ExportRequest("leads", filters=filters)).rows_written == count, filters
    assert built(database, ExportRequest("ledger", filters={"entry_kind": "lead_purchase"})).rows_written == 2
    assert built(database, ExportRequest("audit", filters={"action": "export."})).rows_written > 0
    for request in (
        ExportRequest("journal", provider=sale.anchor_id),
        ExportRequest("leads", filters={"actor": "operator"}),
        ExportRequest("leads", columns=("salt",)),
        ExportRequest("report_fairness"),
        ExportRequest("leads", "xlsx"),
        ExportRequest("secrets"),
    ):
        with pytest.raises(BadInput):
            request_export(database, request, ANN)


def test_contact_data_is_for_those_who_may_see_it(database: Database, sale: Sale) -> None:
    value(database, "update leads set contact_name = 'Sample Contact', contact_email = 'contact@example.com'")
    full = built(database, ExportRequest("leads"))
    assert full.with_contact_data
    assert table(fetched(database, full.export_id))[0]["contact_email"] == "contact@example.com"
    reporter = without(Permission.LEADS_READ)
    masked = built(database, ExportRequest("leads"), reporter)
    assert not masked.with_contact_data
    [lead] = table(fetched(database, masked.export_id, reporter))
    told = {lead[name] for name in ("contact_name", "contact_email", "attributes")}
    assert (told, lead["contact_phone"], lead["lead_id"]) == ({"withheld"}, "", sale.lead_id)
    unwanted = built(database, ExportRequest("ledger", without_contact_data=True))
    assert {each["provider_email"] for each in table(fetched(database, unwanted.export_id))} == {"withheld"}


def test_the_right_is_checked_again_when_the_file_is_fetched(database: Database, sale: Sale) -> None:
    row = built(database, ExportRequest("leads"))
    for lost in (without(Permission.LEADS_READ), without(Permission.LEADS_READ, Permission.REPORTS_READ)):
        with pytest.raises(Refused) as refused:
            open_download(database, row.export_id, lost)
        assert refused.value.code == "permission_missing"
    assert audited(database, "export.downloaded") == []
    ledger = built(database, ExportRequest("ledger"))
    with pytest.raises(Refused):
        open_download(database, ledger.export_id, without(Permission.PROVIDERS_READ))
    with pytest.raises(Refused):
        request_export(database, ExportRequest("ledger"), without(Permission.MONEY_READ))


@pytest.mark.usefixtures("small_pieces")
def test_a_cancelled_export_stops_and_keeps_nothing(database: Database, sale: Sale) -> None:
    row = request_export(database, ExportRequest("ledger"), ANN)
    pieces = 0

    def may_go_on() -> bool:
        nonlocal pieces
        pieces += 1
        if pieces == 3:
            assert show_export(database, row.export_id).state == "running"
            assert stored_pieces(database, row.export_id)
            cancel_export(database, row.export_id, OPERATOR)
        return True

    assert builder(database).build(row.export_id, may_go_on)
    forget_jobs(database)
    assert pieces <= 5, "it stopped at the next piece"
    assert show_export(database, row.export_id).state == "cancelled"
    assert stored_pieces(database, row.export_id) == []
    assert cancel_export(database, row.export_id, OPERATOR).state == "cancelled"
    with pytest.raises(Refused, match="cancelled"):
        open_download(database, row.export_id, ANN)
    assert builder(database).build(row.export_id), "a job that is left over does nothing"
    assert show_export(database, row.export_id).state == "cancelled"


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows are several pieces."""
    monkeypatch.setattr(module, "CHUNK_BYTES", 50)
    monkeypatch.setattr("fairlead.flows.exporting.export_text.CHUNK_CHARACTERS", 40)


@pytest.mark.usefixtures("small_pieces")
def test_a_worker_that_stops_leaves_it_to_another(database: Database, sale: Sale) -> None:
    row = request_export(database, ExportRequest("ledger"), ANN)
    answers = iter([True, True, False])
    assert not builder(database).build(row.export_id, lambda: next(answers))
    assert {attempt for attempt, _ in stored_pieces(database, row.export_id)} == {1}
    assert show_export(database, row.export_id).state == "waiting"
    assert builder(database).build(row.export_id)
    forget_jobs(database)
    done = show_export(database, row.export_id)
    assert (done.state, done.attempt) == ("ready", 2)
    assert {attempt for attempt, _ in stored_pieces(database, row.export_id)} == {2}


@pytest.mark.usefixtures("small_pieces")
def test_an_overtaken_run_writes_nothing(database: Database, sale: Sale) -> None:
    row = request_export(database, ExportRequest("ledger"), ANN)
    pieces = 0

    def overtake() -> bool:
        nonlocal pieces
        pieces += 1
        if pieces == 2:  # another worker has just begun
            database.run(lambda conn: begin_run(conn, row.export_id, clock(conn)))
            database.run(lambda conn: delete_chunks(conn, row.export_id))
        return True

    assert builder(database).build(row.export_id, overtake)
    assert pieces <= 3, "it stopped at the next piece"
    assert stored_pieces(database, row.export_id) == []
    now = show_export(database, row.export_id)
    assert (now.state, now.attempt, now.rows_written) == ("running", 2, 0)
    assert builder(database).build(row.export_id)
    forget_jobs(database)
    done = show_export(database, row.export_id)
    assert (done.state, done.attempt) == ("ready", 3)
    assert sha256(fetched(database, row.export_id)).hexdigest() == done.checksum


def test_what_commits_meanwhile_is_not_in_it(database: Database, sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.flows.exporting.export_text.CHUNK_CHARACTERS", 40)
    row = request_export(database, ExportRequest("leads"), ANN)
    value(database, "update leads set utm_source = 'before'")

    def change() -> bool:
        value(database, "update leads set utm_source = 'after'")
        return True

    assert builder(database).build(row.export_id, change)
    forget_jobs(database)
    assert {each["utm_source"] for each in table(fetched(database, row.export_id))} == {"before"}


def test_one_that_is_too_large_fails_with_the_reason(database: Database, sale: Sale) -> None:
    row = built(database, ExportRequest("ledger"), export_max_rows=2)
    assert row.state == "failed"
    assert row.error is not None
    assert "more than 2 rows (FAIRLEAD_EXPORT_MAX_ROWS)" in row.error
    assert stored_pieces(database, row.export_id) == []
    [letter] = list_dead_letters(database, queue="export")
    assert (letter.export_id, letter.error) == (row.export_id, row.error)
    assert retry_dead_letter(database, letter.dead_letter_id, OPERATOR).export_id == row.export_id
    assert jobs(database)[-1] == ("build_export", "waiting")
    assert builder(database).build(row.export_id)
    forget_jobs(database)
    assert show_export(database, row.export_id).state == "ready"


def test_what_fails_is_tried_again_then_given_up(
    database: Database, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise Unavailable("the database is away")

    monkeypatch.setattr("fairlead.flows.exporting.rows.stream_rows", fail)
    row = request_export(database, ExportRequest("ledger"), ANN)
    for failed_runs in range(1, 6):
        assert builder(database).build(row.export_id)
        now = show_export(database, row.export_id)
        assert (now.state, now.error) == ("waiting" if failed_runs < 5 else "failed", "Unavailable")
    assert len(query(database, "select from jobs where task = 'build_export' and scheduled_at is not null")) == 4
    forget_jobs(database)
    [letter] = list_dead_letters(database, queue="export")
    assert letter.attempts == 5
    with pytest.raises(Refused, match="failed"):
        open_download(database, row.export_id, ANN)
    discard_export(database, row.export_id, OPERATOR)
    assert list_dead_letters(database, queue="export") == []
    with pytest.raises(Refused, match="there is no export"):
        show_export(database, row.export_id)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_leaves_no_half_file(database: Database, sale: Sale, database_url: str) -> None:
    many_leads(database, 2_000)
    row = request_export(database, ExportRequest("leads"), ANN)
    begin_jobs(database, worker(database))
    script = Path(__file__).with_name("killed_worker.py")
    with python_process([str(script), row.export_id], {"FAIRLEAD_DATABASE_URL": database_url}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        killed = show_export(database, row.export_id)
        assert killed.state == "running"
        assert stored_pieces(database, row.export_id), "something is written"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with pytest.raises(Refused, match="running"):
        open_download(database, row.export_id, ANN)
    assert rescue(maintenance_of(database))["export"] == 1
    assert show_export(database, row.export_id).state == "waiting"
    assert builder(database).build(row.export_id)
    forget_jobs(database)
    done = show_export(database, row.export_id)
    assert (done.state, done.crash_count) == ("ready", 1)
    assert {attempt for attempt, _ in stored_pieces(database, row.export_id)} == {done.attempt}
    content = fetched(database, row.export_id)
    assert len(table(content)) == 2_001
    assert sha256(content).hexdigest() == done.checksum


def test_one_that_kills_its_workers_is_given_up(database: Database, sale: Sale) -> None:
    row = request_export(database, ExportRequest("leads"), ANN)
    for count in (1, 2, 3):
        begin_jobs(database, worker(database))
        assert rescue(maintenance_of(database))["given_up"] == (count == 3)
    assert show_export(database, row.export_id).state == "failed"
    [letter] = list_dead_letters(database, queue="export")
    assert letter.error == "its worker died while building it, 3 times"


def test_one_without_a_job_gets_one(database: Database, sale: Sale) -> None:
    row = request_export(database, ExportRequest("leads"), ANN)
    forget_jobs(database)
    assert requeue_orphans(maintenance_of(database))["exports"] == 1
    assert requeue_orphans(maintenance_of(database))["exports"] == 0
    assert jobs(database, "payload ->> 'export_id'")[-1] == row.export_id


def test_a_file_is_gone_when_its_time_is_over(database: Database, sale: Sale) -> None:
    row, kept = built(database, ExportRequest("ledger")), built(database, ExportRequest("ledger"))
    value(database, "update exports set expires_at = now() - interval '1 second' where id = %s", row.export_id)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            open_download(database, row.export_id, ANN)
        assert refused.value.code == "export_expired"
        expire_exports(maintenance_of(database))
    assert stored_pieces(database, row.export_id) == []
    assert show_export(database, row.export_id).state == "expired"
    assert fetched(database, kept.export_id)
    value(database, "update exports set requested_at = now() - interval '31 days'")
    assert clean_up(maintenance_of(database))["exports"] == 1
    assert query(database, "select id::text from exports") == [(kept.export_id,)]


def test_an_actor_has_only_so_many_under_way(database: Database, sale: Sale) -> None:
    for _ in range(MOST_UNDER_WAY):
        request_export(database, ExportRequest("ledger"), ANN)
    with pytest.raises(Refused) as refused:
        request_export(database, ExportRequest("ledger"), ANN)
    assert refused.value.code == "too_many_exports"


def of_key(number: int) -> Requester:
    return replace(ANN, actor=Actor(f"key:{number}", "admin"), user_id=None)


def test_however_many_actors_take_places_there_is_one_for_another(database: Database, sale: Sale) -> None:
    taken: list[int] = []
    for number in range(5):
        with suppress(Refused):
            for each in range(MOST_OF_ALL):
                request_export(database, ExportRequest("ledger"), of_key(number))
                taken[number:] = [each + 1]
    assert (taken[0], sum(taken) < MOST_OF_ALL) == (MOST_UNDER_WAY, True)
    assert taken == sorted(taken, reverse=True)
    assert request_export(database, ExportRequest("ledger"), ANN).state == "waiting"


def test_actors_are_served_in_turn_however_many_one_has_requested(database: Database, sale: Sale) -> None:
    mine = [request_export(database, ExportRequest("ledger"), of_key(1)).export_id for _ in range(3)]
    theirs = [request_export(database, ExportRequest("ledger"), of_key(2)).export_id for _ in range(2)]
    order: list[str] = []
    for _ in range(20):
        due = query(
            database,
            """
            select id, payload ->> 'export_id' from jobs where payload ? 'export_id'
            order by coalesce(scheduled_at, enqueued_at), id limit 1
            """,
        )
        for job_id, export_id in due:
            query(database, "delete from jobs where id = %s returning id", job_id)
            builder(database).build(export_id)
            if show_export(database, export_id).state == "ready":
                order.append(export_id)
    assert order == [mine[0], theirs[0], mine[1], theirs[1], mine[2]]


def many_leads(database: Database, count: int) -> None:
    """So many leads beside the one that was sold."""
    answers = [{"cores": number, "region": "north"} for number in range(1, count + 1)]
    submit_leads(database, "hosting", answers, OPERATOR, approve=False)


@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["csv", "jsonl", "parquet"])
def test_memory_stays_flat_while_a_hundred_thousand_rows_are_built_and_fetched(
    damaged_database: Database, file_format: str
) -> None:
    database = damaged_database
    many_entries(database, sell(database).anchor_id, 100_000)
    row = request_export(database, ExportRequest("ledger", file_format), ANN)
    tracemalloc.start()
    try:
        assert builder(database).build(row.export_id)
        download = open_download(database, row.export_id, ANN)
        assert download is not None
        with download.opened as opened:
            byte_count = sum(len(piece) for piece in opened.pieces)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    done = show_export(database, row.export_id)
    assert (done.state, done.rows_written, done.byte_count) == ("ready", 100_004, byte_count)
    assert peak_bytes < 24_000_000
