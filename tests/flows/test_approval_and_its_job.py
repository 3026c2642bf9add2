"""An approval and the job that it causes are one: a process that dies in between leaves neither."""

import pytest

from fairlead.flows import approve_lead as flow
from fairlead.flows.approve_lead import approve_leads
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.jobs.orphans import leads_without_job
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.niches import stored_leads


def test_a_lead_whose_job_cannot_be_enqueued_is_not_approved(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(database, HOSTING)
    leads = submit_leads(database, "hosting", [{"cores": 8, "region": "north"}] * 2, OPERATOR, approve=False)
    with monkeypatch.context() as patch:

        def die(*_: object) -> None:
            raise ZeroDivisionError

        patch.setattr(flow, "enqueue", die)
        with pytest.raises(ZeroDivisionError):
            approve_leads(database, leads, OPERATOR)
    assert stored_leads(database, "status") == ["pending_approval"] * 2
    assert approve_leads(database, leads, OPERATOR).approved == tuple(sorted(leads))
    assert database.run(lambda conn: leads_without_job(conn, 10)) == []
