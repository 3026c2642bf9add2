"""Emails that are handed over all at once, where no mail server is asked: what else waits goes its usual way."""

import pytest

from fairlead.flows.notifications import hand_over as flow
from fairlead.flows.notifications.hand_over import hand_over_emails
from fairlead.flows.notifications.preferences import set_notification_preferences
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import provider_id
from tests.flows.notifications.stage import BOWLINE, jobs, open_marketplace, query, sell_lead, set_endpoint

SAID = "the demo sends no email"


@pytest.mark.parametrize("batch", [500, 1])
def test_emails_to_providers_are_sent_and_the_rest_has_its_jobs(
    batch: int, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "BATCH_NOTIFICATIONS", batch)
    open_marketplace(database)
    set_endpoint(database, "https://crm.example.com/leads")
    set_notification_preferences(
        database, provider_id(database, BOWLINE), {"lead_assigned": {"email": False}}, OPERATOR
    )
    sell_lead(database)
    sent = hand_over_emails(database, SAID)
    found = query(database, "select channel, state, attempts, last_answer, provider_id is null from notifications")
    mails = [each for each in found if each[0] == "email" and not each[4]]
    assert sent == len([each for each in mails if each[1:4] == ("sent", 1, SAID)]) > 0
    assert {each[1] for each in mails} == {"sent", "skipped"}
    assert len(jobs(database, "send_webhook")) == len([each for each in found if each[0] == "webhook"]) > 0
    assert jobs(database, "send_email") == []
    assert jobs(database, "dispatch_notifications") == []
    assert hand_over_emails(database, SAID) == 0
