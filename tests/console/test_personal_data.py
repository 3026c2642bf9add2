"""The pages of erasures: what may go, what goes next and what has gone, and nothing personal of what has."""

from fairlead.core.retention import RetentionPolicy
from fairlead.flows.approve_lead import approve_lead
from fairlead.flows.erasure.retention import change_retention
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin
from tests.console.portal_pages import shown, words_of
from tests.console.visiting import console
from tests.flows.access.people import value
from tests.flows.erasure.canaries import NEEDLES, bought, distribute, open_market, sent
from tests.flows.intake.senders import send

PAGE = "/settings/personal-data"


def test_an_erased_lead_is_on_record_by_nothing_personal(database: Database) -> None:
    open_market(database)
    ann = an_admin(console(database), database)
    assert "Nothing was erased yet" in shown(ann, PAGE)
    lead_id = _sold(database)
    page = ann.get(f"/leads/{lead_id}").text
    assert 'id="erase"' in page
    assert _names(page)
    done = ann.post(f"/api/v1/admin/leads/{lead_id}/erase", json={"reason": "consumer_request"})
    assert done.status_code == 200, done.text
    for address in (PAGE, f"/leads/{lead_id}", "/leads", "/operations/audit"):
        assert not _names(ann.get(address).text), address
    words = shown(ann, PAGE)
    assert lead_id[:8] in words
    assert f'href="/leads/{lead_id}"' in ann.get(PAGE).text
    after = ann.get(f"/leads/{lead_id}").text
    assert "Its personal data was erased on" in words_of(after)
    assert 'id="erase"' not in after, "there is nothing left to erase"


def test_those_who_bought_it_see_that_it_is_erased_and_no_one_else_does(database: Database) -> None:
    open_market(database)
    app = console(database)
    ann = an_admin(app, database)
    lead_id = _sold(database)
    [(assignment_id, provider_id), *_] = bought(database, lead_id)
    sam = a_provider(app, database, provider_id)
    assert _names(sam.get(f"/portal/leads/{assignment_id}").text)
    ann.post(f"/api/v1/admin/leads/{lead_id}/erase", json={"reason": "consumer_request"})
    for address in ("/portal/inbox", f"/portal/leads/{assignment_id}"):
        assert not _names(sam.get(address).text), address
    assert "Please erase what you have of it too" in shown(sam, f"/portal/leads/{assignment_id}")
    assert sam.get(PAGE, headers={"Accept": "text/html"}).status_code in (403, 404)


def test_what_goes_next_is_counted_by_rule(database: Database) -> None:
    open_market(database)
    ann = an_admin(console(database), database)
    assert "Everything is kept" in shown(ann, PAGE)
    _sold(database)
    niche_id = value(database, "select id::text from niches")
    change_retention(database, niche_id, RetentionPolicy(answers_days=1, contact_days=400), OPERATOR)
    words = shown(ann, PAGE)
    assert "Hosting" in words or "hosting" in words
    assert "one day 1" in words
    assert "400 days 0" in words


def _sold(database: Database) -> str:
    lead_id = send(database, sent()).lead_id
    approve_lead(database, lead_id, OPERATOR)
    distribute(database)
    return lead_id


def _names(text: str) -> bool:
    return any(needle in text.lower() for needle in NEEDLES)
