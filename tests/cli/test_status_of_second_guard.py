"""`fairlead migrate`, `status` and `web` on a server where nobody made the portal's role."""

import psycopg
import pytest

from tests.cli.program import Program
from tests.store.owners import owned_database


def test_a_missing_role_is_told_with_what_makes_it(
    server_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with owned_database(server_url, may_create_roles=False) as url:
        fairlead = Program(monkeypatch, capsys, url)
        migrated = fairlead("migrate")
        assert (migrated.status, "second guard of the portal could not be made" in migrated.out) == (0, True)
        seen = fairlead("status", "--json").json["second_guard"]
        assert (seen["is_on"], seen["is_ready"], len(seen["remedy"])) == (True, False, 2)
        told = fairlead("status")
        assert told.status == 0, "leads are sold all the same"
        assert "second guard the portal is closed: the role fairlead_portal_" in told.out
        for statement in seen["remedy"]:
            assert f"{statement};" in told.out
        monkeypatch.setenv("FAIRLEAD_SECOND_GUARD", "off")
        assert "second guard off: the role fairlead_portal_" in fairlead("status").out
        monkeypatch.delenv("FAIRLEAD_SECOND_GUARD")
        with psycopg.connect(server_url, autocommit=True) as superuser:
            for statement in seen["remedy"]:
                superuser.execute(statement.encode())
        assert "put it right: fairlead migrate" in fairlead("status").out
        assert fairlead("migrate", "--json").json["has_second_guard"]
        assert "second guard on\n" in fairlead("status").out
