"""Every address that libpq takes is taken, by each part that connects; one that is none is refused in one line."""

import re
import socket

import pytest
from psycopg.conninfo import conninfo_to_dict

from fairlead.core.errors import Refused, Unavailable
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.embedded.launch import free_port
from fairlead.store.session_settings import place_of
from fairlead.store.watching.gauges import watching
from tests.cli.program import Program
from tests.flows.marketplaces import HOSTING, declare


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("postgresql://fl:secret@db.example.org/fl", "db.example.org:5432/fl"),
        ("postgres://db.example.org:6000/fl?sslmode=require", "db.example.org:6000/fl"),
        ("postgresql://fl@a:5801,b:5802/fl?target_session_attrs=read-write", "a:5801,b:5802/fl"),
        ("postgresql:///fl?host=a,b&port=5801,5802", "a:5801,b:5802/fl"),
        ("postgresql:///fl?host=a,b&port=5801", "a:5801,b:5801/fl"),
        ("host=a,b port=5801, dbname=fl password=secret", "a:5801,b:5432/fl"),
        ("postgresql://fl@[::1]:5801/fl", "::1:5801/fl"),
        ("postgresql:///fl?host=/run/postgresql", "/run/postgresql:5432/fl"),
        ("hostaddr=127.0.0.1 dbname=fl", "127.0.0.1:5432/fl"),
        ("service=leads", "service leads"),
    ],
)
def test_where_a_database_is_can_be_told_of_every_address(
    address: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGHOST", raising=False)
    monkeypatch.delenv("PGPORT", raising=False)
    assert place_of(address) == place
    assert "secret" not in Database(address, "fairlead").place


@pytest.mark.parametrize("address", ["postgresql://a:hush@b/c?nonsense=1", "user='hush", "postgresql://[hush/fl"])
def test_an_address_that_is_none_is_refused_without_repeating_it(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refused, match="address is none that PostgreSQL takes") as refusal:
        Database(address, "fairlead")
    assert "hush" not in str(refusal.value)
    ran = Program(monkeypatch, capsys, address)("status")
    assert ran.status in (1, 2)
    assert len(ran.err.strip().splitlines()) == 1
    assert "hush" not in ran.err


def _forms(database: Database) -> dict[str, str]:
    """The test database's address, in every form; where there are two hosts, the first does not answer."""
    parts = conninfo_to_dict(database.url)
    host, port, name, deaf = parts["host"], parts["port"], parts["dbname"], free_port()
    login = f"{parts['user']}:{parts.get('password', '')}"
    words = " ".join(f"{key}='{value}'" for key, value in parts.items() if key not in ("host", "port"))
    primary = "target_session_attrs=read-write"
    return {
        "several in the authority": f"postgresql://{login}@{host}:{deaf},{host}:{port}/{name}?{primary}",
        "several in the query": f"postgresql://{login}@/{name}?host={host},{host}&port={deaf},{port}&{primary}",
        "several in words": f"{words} host={host},{host} port={deaf},{port} {primary}",
        "words": f"{words} host={host} port={port}",
    }


FORMS = ("several in the authority", "several in the query", "several in words", "words")


@pytest.mark.parametrize("form", FORMS)
def test_every_verb_connects_by_every_form_of_address(
    form: str, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    declare(database, HOSTING)
    submit_leads(database, "hosting", [{"cores": 4, "region": "north"}], OPERATOR, approve=True)
    run = Program(monkeypatch, capsys, _forms(database)[form])
    for words in (
        ("migrate",),
        ("status",),
        ("jobs", "queues"),
        ("distribute", "--pending"),
        ("verify",),
        ("db", "status"),
    ):
        ran = run(*words)
        # A marketplace without a worker is not well, and status says so by its exit code.
        assert ran.status == 0 or (words == ("status",) and "no worker" in ran.out + ran.err), (words, ran)
        assert not re.search("internal error|Traceback", ran.err), (words, ran.err)


def test_looking_is_read_only_and_finds_the_server_that_takes_writes(database: Database) -> None:
    for form in FORMS:
        with (
            Database(_forms(database)[form], "fairlead") as found,
            watching(found) as conn,
            pytest.raises(Exception, match="read-only"),
        ):
            conn.execute("delete from workers")


def test_a_database_of_several_hosts_that_is_away_is_told_with_all_of_them() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        address = f"postgresql://fl@127.0.0.1:{port},127.0.0.1:{port}/fl"
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port},127.0.0.1:{port}/fl"):
            Database(address, "fairlead").check()
