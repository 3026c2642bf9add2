"""The connection that looks: it changes nothing and waits for no lock."""

import socket

import pytest

from fairlead.core.errors import Unavailable
from fairlead.store.connection import Database
from fairlead.store.watching.gauges import watching


def test_looking_changes_nothing(database: Database) -> None:
    with watching(database) as conn, pytest.raises(Exception, match="read-only"):
        conn.execute("delete from workers")


def test_a_slow_query_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.store.watching.gauges.STATEMENT_TIMEOUT_MS", 100)
    with watching(database) as conn, pytest.raises(Exception, match="statement timeout"):
        conn.execute("select pg_sleep(5)")


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as unheard:  # bound, so that no other is there; not listening, so that none answers
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        nowhere = Database(f"postgresql://app@127.0.0.1:{port}/nothing", "fairlead")
        with pytest.raises(Unavailable), watching(nowhere):
            pass
