"""A route that is about a provider's own rows gets a database that knows no other's."""

from typing import Annotated

from fairlead.api.access import OwnProvider, needs_own
from fairlead.core.permissions import Permission
from fairlead.store.connection import Connection, Database
from tests.api.asking import a_provider, an_admin, application
from tests.flows.access.people import add_provider
from tests.flows.sales import query
from tests.store.two_providers import changed


def _seen(conn: Connection) -> list[str]:
    return [row[0] for row in conn.execute("select id::text from providers").fetchall()]


def test_a_route_of_a_provider_sees_that_one_alone(database: Database) -> None:
    app = application(database)

    @app.get("/seen")
    def seen(caller: Annotated[OwnProvider, needs_own(Permission.OWN_READ)]) -> list[str]:  # pyright: ignore[reportUnusedFunction]
        return caller.database.run(_seen)

    anchor, bowline = add_provider(database), add_provider(database, "Bowline")
    assert a_provider(app, database, anchor).get("/seen").json() == [anchor]
    assert a_provider(app, database, bowline, "sales@bowline.example").get("/seen").json() == [bowline]
    assert an_admin(app, database).get("/seen").status_code == 403
    assert len(query(database, "select from providers")) == 2


def test_without_the_guard_a_provider_is_not_answered_and_an_operator_is(database: Database) -> None:
    app = application(database)

    @app.get("/seen")
    def seen(caller: Annotated[OwnProvider, needs_own(Permission.OWN_READ)]) -> list[str]:  # pyright: ignore[reportUnusedFunction]
        return caller.database.run(_seen)

    changed(database, "delete from portal_role")
    answer = a_provider(app, database, add_provider(database)).get("/seen")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert an_admin(app, database).get("/api/v1/session").status_code == 200
