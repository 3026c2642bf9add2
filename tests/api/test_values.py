"""What the values of requests cannot be, because no client could read them back."""

import pytest

from fairlead.store.connection import Database
from tests.api.asking import an_admin, anonymous, application
from tests.api.test_intake import PUBLIC, SENT
from tests.flows.access.people import rows
from tests.flows.intake.senders import open_niche

NO_TIMES_IN_UTC = ("0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00")


@pytest.mark.parametrize("when", NO_TIMES_IN_UTC)
def test_a_time_that_lies_outside_all_years_in_utc_is_refused_everywhere(database: Database, when: str) -> None:
    open_niche(database, is_public=True)
    app = application(database)
    consent = {**SENT["consent"], "consented_at": when}
    sent = anonymous(app).post(PUBLIC, json={**SENT, "consent": consent})
    assert sent.status_code == 422
    assert [each["pointer"] for each in sent.json()["errors"]] == ["/consent/consented_at"]
    assert rows(database, "select count(*) from leads") == [0]
    ann = an_admin(app, database)
    for path, name in (
        ("exports/journal", "recorded_from"),
        ("exports/audit-events", "created_from"),
        ("audit-events", "created_before"),
    ):
        asked = ann.get(f"/api/v1/admin/{path}", params={name: when})
        assert (asked.status_code, asked.json()["errors"][0]["pointer"]) == (422, f"/{name}"), path


def test_the_first_time_that_there_is_can_be_read_back(database: Database) -> None:
    open_niche(database, is_public=True)
    app = application(database)
    consent = {**SENT["consent"], "consented_at": "0001-01-01T10:00:00+10:00"}
    lead_id = anonymous(app).post(PUBLIC, json={**SENT, "consent": consent}).json()["lead_id"]
    origin = an_admin(app, database).get(f"/api/v1/admin/leads/{lead_id}/origin")
    assert origin.json()["consent"]["consented_at"] == "0001-01-01T00:00:00Z"
