"""Statements over the API: of two providers each has its own; the CSV is the same bytes as ever."""

import hashlib

import pytest

from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, application
from tests.console.test_statements import close_this_month
from tests.flows.sales import MEMO, sell

OWN = "/api/v1/provider/statements"


def test_each_provider_has_its_own_statements(database: Database) -> None:
    sale, app = sell(database), application(database)
    sam, bea = (
        a_provider(app, database, sale.anchor_id),
        a_provider(app, database, sale.bowline_id, "b@bowline.example"),
    )
    assert sam.get(OWN).json() == {"items": [], "next_cursor": None}
    month = close_this_month(database)
    [mine], [hers] = (each.get(OWN).json()["items"] for each in (sam, bea))
    assert (mine["month"], mine["opening_cents"], mine["closing_cents"]) == (month, 0, 3000)
    assert (hers["closing_cents"], hers["currency"]) == (100, "EUR")
    assert mine["sha256"] != hers["sha256"]
    whole = sam.get(f"{OWN}/{month}").json()
    assert [(each["kind"], each["amount_cents"]) for each in whole["entries"]] == [
        ("deposit", 5000),
        ("lead_purchase", -2000),
    ]
    assert (whole["is_final"], whole["sha256"]) == (True, mine["sha256"])
    file = sam.get(f"{OWN}/{month}/csv")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert hashlib.sha256(file.content).hexdigest() == mine["sha256"]
    theirs = bea.get(f"{OWN}/{month}/csv")
    assert hashlib.sha256(theirs.content).hexdigest() == hers["sha256"]
    assert not {each["assignment_id"] for each in bea.get(f"{OWN}/{month}").json()["entries"]} & {
        each["assignment_id"] for each in whole["entries"] if each["assignment_id"]
    }


def test_operators_read_the_statements_of_each(database: Database) -> None:
    sale, app = sell(database), application(database)
    ann, sam = an_admin(app, database), a_provider(app, database, sale.anchor_id)
    month = close_this_month(database)
    path = f"/api/v1/admin/providers/{sale.anchor_id}/statements"
    before = ann.get(f"{path}/{month}/csv").content
    adjust_balance(database, sale.anchor_id, "credit", 77, MEMO, OPERATOR)
    assert ann.get(f"{path}/{month}/csv").content == before
    assert ann.get(path).json()["items"] == sam.get(OWN).json()["items"]
    assert ann.get(f"{path}/{month}").json()["closing_cents"] == 3000
    assert sam.get(path).status_code == 403


@pytest.mark.parametrize(("month", "status"), [("1999-01", 404), ("2999-01", 404), ("2026-13", 422), ("now", 422)])
def test_what_there_is_no_statement_of(month: str, status: int, database: Database) -> None:
    sale, app = sell(database), application(database)
    sam = a_provider(app, database, sale.anchor_id)
    assert sam.get(f"{OWN}/{month}").status_code == status
