"""`fairlead migrate`, `status` and `web` on a server without the portal's role."""

import os
import subprocess
import sys

import psycopg
import pytest

from fairlead.store.connection import Database
from fairlead.store.schema import migrate
from tests.cli.program import Program
from tests.store.owners import owned_database


def test_a_missing_role_is_told_with_what_makes_it(
    server_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with owned_database(server_url, may_create_roles=False) as url:
        fairlead = Program(monkeypatch, capsys, url)
        migrated = fairlead("migrate")
        assert (migrated.status, "portal's database role could not be created" in migrated.out) == (0, True)
        seen = fairlead("status", "--json").json["row_level_security"]
        assert (seen["is_on"], seen["is_ready"], len(seen["remedy"])) == (True, False, 2)
        told = fairlead("status")
        assert told.status == 0, "leads are sold all the same"
        assert "row security on, and providers are refused: the role fairlead_portal_" in told.out
        for statement in seen["remedy"]:
            assert f"{statement};" in told.out
        monkeypatch.setenv("FAIRLEAD_ROW_LEVEL_SECURITY", "off")
        assert "row security switched off: the role fairlead_portal_" in fairlead("status").out
        monkeypatch.delenv("FAIRLEAD_ROW_LEVEL_SECURITY")
        with psycopg.connect(server_url, autocommit=True) as superuser:
            for statement in seen["remedy"]:
                superuser.execute(statement.encode())
        assert "put it right: fairlead migrate" in fairlead("status").out
        assert fairlead("migrate", "--json").json["has_portal_role"]
        assert "row security on\n" in fairlead("status").out


@pytest.mark.slow
def test_the_site_warns_when_it_starts(server_url: str) -> None:
    with owned_database(server_url, may_create_roles=False) as url:
        with Database(url, "fairlead") as database:
            migrate(database)
        for setting, warning in (("on", "database role is missing"), ("off", "row-level security is switched off")):
            environment = os.environ | {"FAIRLEAD_DATABASE_URL": url, "FAIRLEAD_ROW_LEVEL_SECURITY": setting}
            command = [sys.executable, "-m", "fairlead", "web", "--port", "0"]
            with subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            ) as web:
                assert web.stdout is not None, "it was asked for"
                said: list[str] = []
                for line in web.stdout:
                    said.append(line)
                    if "web started" in line:
                        break
                web.terminate()
                web.communicate(timeout=30)
            assert [warning in line for line in said].count(True) == 1, said
