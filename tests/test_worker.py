"""One worker process's work, from the approval of a lead to the emails about it, and what it says of itself."""

import json
import logging
import socket
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairlead.core.errors import Refused
from fairlead.flows.approve_lead import approve_leads
from fairlead.flows.submit_leads import submit_leads
from fairlead.settings import Settings
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database, Timeouts
from fairlead.store.jobs.queue import jobs_at_all
from fairlead.telemetry.logs import set_up_logs
from fairlead.worker import connections_needed, work
from tests.flows.marketplaces import HOSTING, declare
from tests.waiting import PATIENCE_SECONDS, wait_until

CLERK = Actor("clerk", "admin", "req-from-outside")
LEAD = {"cores": 8, "region": "north"}


@contextmanager
def working(database: Database, settings: Settings) -> Iterator[None]:
    """A worker with these settings is at work; it must have finished everything when it is told to stop."""
    stop, serving = threading.Event(), threading.Event()
    timeouts = Timeouts(30_000, 10_000, 30_000)
    with (
        Database(database.url, "fairlead", timeouts, connections_needed(settings)) as own,
        ThreadPoolExecutor(1) as pool,
    ):
        running = pool.submit(work, own, settings, stop, serving.set)
        try:
            wait_until(lambda: serving.is_set() or running.done())
            yield
        finally:
            stop.set()
            is_drained = running.result(PATIENCE_SECONDS)
        assert is_drained


def settings_for(directory: Path, **others: object) -> Settings:
    """Emails go to files."""
    given = {"mail_transport": "directory", "mail_directory": directory, "worker_port": 0, **others}
    return Settings.model_validate(given)


def test_approving_is_enough(database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    declare(database, HOSTING)
    leads = submit_leads(database, "hosting", [LEAD] * 2, CLERK, approve=False)
    set_up_logs("info", "json")
    try:
        with working(database, settings_for(tmp_path)):
            approve_leads(database, leads, CLERK)
            wait_until(lambda: not database.run(jobs_at_all))
    finally:
        logging.getLogger().handlers.clear()
    with database.snapshot() as conn:
        told = conn.execute("select state, count(*) from notifications where kind = 'lead_assigned' group by 1")
        assert told.fetchall() == [("sent", 3)]
        assert conn.execute("select distinct status from leads").fetchall() == [("distributed",)]
    mails = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.eml")]
    assert sum("X-Fairlead-Correlation: req-from-outside" in mail for mail in mails) == 3

    # One id leads from the request to the decision and to every message about it.
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    asked = [line["event"] for line in lines if line.get("correlation_id") == "req-from-outside"]
    assert asked.count("lead decided") == 2
    assert asked.count("notification delivery") == 3


def test_a_worker_says_how_it_is(database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    declare(database, HOSTING)
    set_up_logs("info", "json")
    try:
        with working(database, settings_for(tmp_path)):
            submit_leads(database, "hosting", [LEAD], CLERK, approve=True)
            wait_until(lambda: not database.run(jobs_at_all))
            (port,) = [
                line["port"]
                for line in map(json.loads, capsys.readouterr().err.splitlines())
                if line["event"] == "worker started"
            ]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
                assert json.load(answer)["ready"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                text = answer.read().decode()
    finally:
        logging.getLogger().handlers.clear()
    assert 'fairlead_decisions_total{niche="hosting",outcome="success"} ' in text
    assert 'fairlead_deliveries_total{channel="email",result="sent"} ' in text
    assert 'fairlead_jobs_ready{queue="distribute"} 0.0' in text


def test_an_error_of_the_queues_leaves_no_maintenance_behind(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[threading.Thread] = []

    def fails(*_: object) -> bool:
        kept.extend(each for each in threading.enumerate() if each.name == "maintenance")
        raise Refused("no_session", "a pooler hides the server")

    monkeypatch.setattr("fairlead.worker.run_worker", fails)
    stop = threading.Event()
    with pytest.raises(Refused, match="pooler"):
        work(database, settings_for(tmp_path), stop, lambda: None)
    assert stop.is_set()
    assert len(kept) >= 2
    for thread in kept:
        thread.join(30)
        assert not thread.is_alive()


def test_a_port_that_is_taken_is_said_before_anything_is_done(database: Database, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = settings_for(tmp_path, worker_port=other.getsockname()[1])
        said = r"cannot listen on 127.0.0.1, port \d+: Address already in use: set FAIRLEAD_WORKER_PORT to another port"
        with pytest.raises(Refused, match=said):
            work(database, settings, threading.Event(), lambda: None)


def test_a_host_that_is_not_of_this_machine_is_said_with_its_setting(database: Database, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, http_host="192.0.2.1", worker_port=0)
    with pytest.raises(Refused, match=r"cannot listen on 192.0.2.1, port 0: .*: set FAIRLEAD_HTTP_HOST to"):
        work(database, settings, threading.Event(), lambda: None)
