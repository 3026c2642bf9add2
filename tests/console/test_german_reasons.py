"""Why a lead was refused is said in the language of the page, wherever pages say it; the API says it in English."""

import re

from starlette.testclient import TestClient

from fairlead.core.gates import REGISTRY
from fairlead.flows.configuration.subscriptions import pause_subscription
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.portal import subscription
from tests.console.portal_pages import shown, visit_portal, words_of
from tests.flows.access.people import value

ENGLISH = [
    (text, re.compile(re.sub(r"\\\{\w+\\\}", ".+?", re.escape(text)), re.IGNORECASE))
    for refusal in REGISTRY.refusals
    for text in (refusal.summary, *refusal.sentences.values())
]


def test_pages_say_reasons_in_german(database: Database, ann: TestClient) -> None:
    portal = visit_portal(database)
    pause_subscription(
        database, subscription(database, portal.sale.bowline_id, "silver"), OPERATOR, of_provider_id=None
    )
    answers = {"cores": 2, "region": "south"}
    [lead_id] = submit_leads(database, "hosting", [answers], OPERATOR, approve=True)
    Distributor(database).distribute_waiting(value(database, "select id::text from niches"))
    asked = {"niche": "hosting", "attributes": answers}
    for client in (ann, portal.sam):
        client.cookies.set("language", "de", domain="leads.example.com")
    said = {
        "lead page": shown(ann, f"/leads/{lead_id}"),
        "paused provider": shown(ann, f"/leads/{lead_id}?provider={portal.sale.bowline_id}"),
        "other provider": shown(ann, f"/leads/{lead_id}?provider={portal.sale.anchor_id}"),
        "dry run": words_of(f"<main>{ann.post('/dry-run/outcome', json=asked).json()['html']}</main>"),
        "portal": shown(portal.sam, "/portal/more"),
    }
    english = {place: [text for text, pattern in ENGLISH if pattern.search(words)] for place, words in said.items()}
    assert english == {place: [] for place in said}
    assert "Filter: „Cores“ ist 2, genommen wird 4 oder mehr." in said["other provider"]
    assert "Filter nimmt diesen Lead nicht" in said["lead page"]
    assert "Filter: „Cores“ ist 2, genommen wird 4 oder mehr." in said["dry run"]
    assert "Das Abonnement war pausiert." in said["paused provider"]
    assert "Sie haben den Lead von einer anderen Stufe" in said["portal"]
    tried = ann.post("/api/v1/admin/dry-runs", json=asked).text
    assert "they take 4 or more" in tried
