"""Files over HTTP: whole or broken off, audited before they leave, few at once, and never more than a little memory."""

import csv
import io
import json
import socket
import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api.schemas import files
from fairlead.api.serve import serve_in_thread
from fairlead.core.permissions import Permission
from fairlead.flows.access.api_keys import create_api_key
from fairlead.flows.access.read_limits import EXPORTS_OF_CALLER
from fairlead.flows.exporting import rows as flow
from fairlead.flows.exporting.export import export, open_export
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.exports.slots import OPEN_AT_ONCE, Exporter
from tests.api.asking import COOKIE, a_provider, an_admin, application, logged_in, machine
from tests.flows.access.people import enrolled_admin, rows, value
from tests.flows.sales import Sale, audited, sell
from tests.waiting import wait_until

EXPORTS = "/api/v1/admin/exports"


def parsed(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("what", ["journal", "assignments", "ledger", "receipts", "refusals"])
def test_what_comes_is_what_the_command_line_writes(ann: TestClient, database: Database, sale: Sale, what: str) -> None:
    for file_format, media_type in (("csv", "text/csv"), ("jsonl", "application/x-ndjson")):
        answer = ann.get(f"{EXPORTS}/{what}", params={"format": file_format})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["content-disposition"] == f'attachment; filename="{what}.{file_format}"'
        written = io.BytesIO()
        assert export(database, ExportRequest(what, file_format), written, OPERATOR) > 0
        assert answer.content == written.getvalue()


def test_filters_choose_and_formulas_are_disarmed(ann: TestClient, database: Database, sale: Sale) -> None:
    value(database, "update providers set name = '=1+1' where id = %s", sale.anchor_id)
    mine = parsed(ann.get(f"{EXPORTS}/assignments", params={"provider_id": sale.anchor_id, "niche": "hosting"}).text)
    assert [(each["assignment_id"], each["provider_name"]) for each in mine] == [(sale.anchor, "'=1+1")]
    exact = parsed(ann.get(f"{EXPORTS}/assignments", params={"provider_id": sale.anchor_id, "exact": "true"}).text)
    assert [each["provider_name"] for each in exact] == ["=1+1"]
    for nothing in ({"created_before": "2020-01-01T00:00:00Z"}, {"created_from": "2999-01-01T00:00:00Z"}):
        assert parsed(ann.get(f"{EXPORTS}/ledger", params=nothing).text) == []


def test_an_export_is_in_the_audit_log_before_it_leaves(
    ann: TestClient, database: Database, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann.get(f"{EXPORTS}/ledger", params={"provider_id": sale.anchor_id})
    [(what, _, told, _, actor)] = audited(database, "data.exported")
    assert (what, told["provider_id"], told["rows"], actor[:5]) == ("ledger", sale.anchor_id, 2, "user:")

    def fail(*_: object) -> Iterator[Sequence[Any]]:
        raise RuntimeError("no row leaves")

    monkeypatch.setattr(flow, "stream_rows", fail)
    with pytest.raises(RuntimeError, match="no row leaves"):
        client_that_sees_errors(ann).get(f"{EXPORTS}/assignments")
    assert [each[0] for each in audited(database, "data.exported")] == ["ledger", "assignments"]


def client_that_sees_errors(client: TestClient) -> TestClient:
    """The same, and an answer that is broken off raises as it does for its reader."""
    seeing = TestClient(client.app, base_url=str(client.base_url))
    seeing.cookies = client.cookies
    return seeing


def test_what_was_done_is_exported_too(ann: TestClient, database: Database, sale: Sale) -> None:
    wanted = {"format": "jsonl", "action": "distribution.", "entity": "lead"}
    lines = ann.get(f"{EXPORTS}/audit-events", params=wanted).text.splitlines()
    events = [json.loads(line) for line in lines]
    assert {each["entity_id"] for each in events} == {sale.lead_id}
    assert [each["created_at"] for each in events] == sorted(each["created_at"] for each in events)
    [(what, _, told, _, _)] = audited(database, "data.exported")
    assert (what, told["filters"]["action"], told["format"]) == ("audit", "distribution.", "jsonl")
    everything = parsed(ann.get(f"{EXPORTS}/audit-events").text)
    assert {"assignment.created", "data.exported"} <= {each["action"] for each in everything}


def test_what_is_not_there(ann: TestClient, sale: Sale) -> None:
    for what in ("journal", "assignments", "ledger", "refusals", "audit-events"):
        answer = ann.get(f"{EXPORTS}/{what}", params={"niche": "nothing-here"})
        assert (answer.status_code, answer.json()["code"]) == (404, "niche_unknown")
    answer = ann.get(f"{EXPORTS}/ledger", params={"provider_id": sale.lead_id})
    assert (answer.status_code, answer.json()["code"]) == (404, "provider_unknown")
    assert ann.get(f"{EXPORTS}/ledger", params={"format": "xlsx"}).status_code == 422


def test_only_so_many_are_open_at_once_and_each_gives_its_place_back(
    app: FastAPI, database: Database, database_url: str, sale: Sale
) -> None:
    ann = an_admin(app, database)
    with Database(database_url, "fairlead", max_connections=6) as elsewhere:
        opened = [
            open_export(
                elsewhere, ExportRequest("ledger"), OPERATOR, exporter=Exporter("operators", f"operator {number}")
            )
            for number in range(OPEN_AT_ONCE)
        ]
        refused = ann.get(f"{EXPORTS}/ledger")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_exports")
        assert int(refused.headers["retry-after"]) >= 1
        assert len(audited(database, "data.exported")) == OPEN_AT_ONCE, "what was refused never left"
        for each in opened:
            each.close()
            each.close()
        assert ann.get(f"{EXPORTS}/ledger").status_code == 200
        assert ann.get(f"{EXPORTS}/ledger").status_code == 200


def test_an_operator_has_one_open_at_a_time_by_all_that_it_has(
    app: FastAPI, database: Database, database_url: str, sale: Sale
) -> None:
    person = enrolled_admin(database)
    scopes = [Permission.MONEY_READ.value]
    key = create_api_key(database, "a machine", scopes, OPERATOR, user_id=person.user_id).text
    with Database(database_url, "fairlead", max_connections=4) as elsewhere:
        own = Exporter("operators", person.user_id)
        with open_export(elsewhere, ExportRequest("ledger"), OPERATOR, exporter=own):
            for client in (logged_in(app, person.token), machine(app, key)):
                refused = client.get(f"{EXPORTS}/ledger")
                assert (refused.status_code, refused.json()["code"]) == (429, "too_many_exports")
            assert an_admin(app, database, "ben@example.com").get(f"{EXPORTS}/ledger").status_code == 200
    assert machine(app, key).get(f"{EXPORTS}/ledger").status_code == 200


def test_a_user_asking_too_often_waits_whichever_process_is_asked(
    app: FastAPI, database: Database, database_url: str, sale: Sale
) -> None:
    person = enrolled_admin(database)
    with Database(database_url, "fairlead", max_connections=4) as elsewhere:
        clients = [logged_in(app, person.token), logged_in(application(elsewhere), person.token)]
        answers = [clients[number % 2].get(f"{EXPORTS}/journal") for number in range(EXPORTS_OF_CALLER.capacity + 2)]
    codes = [each.status_code for each in answers]
    assert codes == [200] * EXPORTS_OF_CALLER.capacity + [429, 429]
    assert answers[-1].json()["code"] == "too_many_attempts"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= EXPORTS_OF_CALLER.seconds_per_token
    other = an_admin(app, database, "ben@example.com")
    assert other.get(f"{EXPORTS}/journal").status_code == 200, "another operator is not held back"


def test_who_hangs_up_leaves_nothing_behind(damaged_database: Database, database_url: str) -> None:
    database = damaged_database
    person = enrolled_admin(database)
    many_entries(database, sell(database).anchor_id, 60_000)
    with Database(database_url, "fairlead", max_connections=3) as of_server:
        served = serve_in_thread(application(of_server), "127.0.0.1", 0)
        with served:
            for _ in range(OPEN_AT_ONCE + 2):
                with socket.create_connection(("127.0.0.1", served.port), timeout=20) as asked:
                    cookie = f"{COOKIE}={person.token}"
                    asked.sendall(
                        f"GET {EXPORTS}/ledger HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode()
                    )
                    assert asked.recv(4096).startswith(b"HTTP/1.1 200")
                wait_until_nothing_is_read(database)


def test_who_stops_reading_does_not_keep_a_place(
    damaged_database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "STALLED_SECONDS", 0.5)
    database = damaged_database
    person = enrolled_admin(database)
    many_entries(database, sell(database).anchor_id, 60_000)
    with Database(database_url, "fairlead", max_connections=3) as of_server:
        served = serve_in_thread(application(of_server), "127.0.0.1", 0)
        with served, socket.socket() as asked:
            asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that little is on its way
            asked.connect(("127.0.0.1", served.port))
            cookie = f"{COOKIE}={person.token}"
            asked.sendall(f"GET {EXPORTS}/ledger HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
            assert asked.recv(1024).startswith(b"HTTP/1.1 200")
            wait_until_nothing_is_read(database)


def many_entries(database: Database, provider_id: str, count: int) -> None:
    """So many entries that nothing accounts for."""
    value(
        database,
        """
        insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, actor, memo, created_at)
        select %s, number + 1000, case when number %% 2 = 0 then 'manual_credit' else 'manual_debit' end,
               case when number %% 2 = 0 then 1 else -1 end, 1, 'operator', 'one of very many', now()
        from generate_series(0, %s - 1) number
        """,
        provider_id,
        count,
    )


def wait_until_nothing_is_read(database: Database) -> None:
    """The server has no snapshot open any more."""
    query = "select count(*) from pg_locks where locktype = 'advisory' and granted"
    wait_until(lambda: rows(database, query) == [0], "the end of the export")


@pytest.mark.slow
def test_memory_stays_flat(damaged_database: Database) -> None:
    database = damaged_database
    many_entries(database, sell(database).anchor_id, 60_000)
    tracemalloc.start()
    try:
        with open_export(database, ExportRequest("ledger"), OPERATOR) as opened:
            length = sum(len(piece) for piece in opened.pieces)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert length > 8_000_000
    assert peak_bytes < length / 2


def test_providers_export_nothing(app: FastAPI, database: Database, sale: Sale) -> None:
    sam = a_provider(app, database, sale.anchor_id)
    for what in ("journal", "assignments", "ledger", "receipts", "audit-events"):
        answer = sam.get(f"{EXPORTS}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
    assert audited(database, "data.exported") == []
