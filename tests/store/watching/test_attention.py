"""What waits for an operator: each kind as the flows leave it, gone when it is done, and read by what waits alone."""

from fairlead.core.errors import Broken
from fairlead.core.money.report_rules import ReportRules
from fairlead.flows.configuration.report_rules import change_report_rules
from fairlead.flows.failures.dead_letters import resolve_dead_letter
from fairlead.flows.failures.failed_runs import record_failed_run
from fairlead.flows.money.bad_leads import reject_bad_lead, report_bad_lead
from fairlead.flows.reject_lead import reject_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.watching.attention import Attention, read_attention
from fairlead.store.watching.gauges import read_gauges, watching
from tests.flows.access.people import add_provider, rows
from tests.flows.given_up import give_up_notification
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.sales import MEMO, PORTAL, query, sell

NORTH = {"cores": 8, "region": "north"}


def waiting(database: Database) -> dict[str, Attention]:
    return {each.kind: each for each in database.read(read_attention)}


def test_nothing_waits_in_an_empty_marketplace(database: Database) -> None:
    assert waiting(database) == {}


def test_leads_in_review_are_counted_until_they_are_decided(database: Database) -> None:
    declare(database, HOSTING)
    first, second = submit_leads(database, "hosting", [NORTH, NORTH], OPERATOR, approve=False)
    seen = waiting(database)["leads_to_review"]
    assert (seen.count, seen.is_more, seen.first_id, seen.first_provider) == (2, False, first, None)
    assert [seen.oldest_at] == rows(database, "select created_at from leads where id = %s", first)
    reject_lead(database, first, "not a lead", OPERATOR)
    assert waiting(database)["leads_to_review"].first_id == second


def test_a_report_waits_with_its_money_until_it_is_decided(database: Database) -> None:
    sale = sell(database)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "unreachable", None, PORTAL)
    report_bad_lead(database, sale.bowline_id, sale.bowline, "spam", None, PORTAL)
    seen = waiting(database)["bad_lead_reports"]
    assert (seen.count, seen.first_id, seen.first_provider, seen.amount_cents) == (2, sale.anchor, "Anchor", 2500)
    reject_bad_lead(database, sale.anchor, MEMO, OPERATOR)
    reject_bad_lead(database, sale.bowline, MEMO, OPERATOR)
    assert "bad_lead_reports" not in waiting(database)


def test_reports_are_overdue_once_they_are_older_than_the_days_set_for_deciding(database: Database) -> None:
    sale = sell(database)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "unreachable", None, PORTAL)
    report_bad_lead(database, sale.bowline_id, sale.bowline, "spam", None, PORTAL)
    age = "update assignments set bad_lead_reported_at = bad_lead_reported_at - interval '73 hours' where id = %s"
    query(database, age + " returning 1", sale.bowline)
    assert "reports_overdue" not in waiting(database), "the operators set themselves no days"
    change_report_rules(database, ReportRules(decision_days=3), OPERATOR)
    seen = waiting(database)
    assert (seen["reports_overdue"].count, seen["reports_overdue"].first_id) == (1, sale.bowline)
    assert (seen["reports_overdue"].amount_cents, seen["bad_lead_reports"].count) == (500, 2)
    with watching(database) as conn:
        gauges = read_gauges(conn).reports
    assert (gauges.open_count, gauges.overdue_count, gauges.oldest_seconds > 73 * 3600) == (2, 1, True)
    query(database, age.replace(" - ", " + ") + " returning 1", sale.bowline)
    assert "reports_overdue" not in waiting(database)


def test_leads_and_messages_that_were_given_up_are_told_apart(database: Database) -> None:
    declare(database, HOSTING)
    [lead_id] = submit_leads(database, "hosting", [NORTH], OPERATOR, approve=True)
    record_failed_run(database, lead_id, Broken("the books are wrong"), 0.1)
    _, letter = give_up_notification(database)
    seen = waiting(database)
    assert (seen["leads_given_up"].count, seen["messages_given_up"].first_id) == (1, letter)
    resolve_dead_letter(database, letter, "seen", OPERATOR)
    assert "messages_given_up" not in waiting(database)


def test_providers_that_cannot_pay_are_counted_once_each(database: Database) -> None:
    sale = sell(database)
    seen = waiting(database)["providers_out_of_money"]
    unpaid = rows(
        database,
        "select distinct provider_id::text from subscriptions where deactivation_reason = 'insufficient_funds'",
    )
    assert (seen.count, [seen.first_id], seen.first_provider) == (len(unpaid), unpaid, "Bowline")
    assert seen.first_id == sale.bowline_id
    assert seen.oldest_at is None


def test_more_than_can_be_counted_says_so(database: Database) -> None:
    declare(database, HOSTING)
    submit_leads(database, "hosting", [NORTH] * 3, OPERATOR, approve=False)
    found = database.read(lambda conn: read_attention(conn, count_limit=2))
    seen = next(each for each in found if each.kind == "leads_to_review")
    assert (seen.count, seen.is_more) == (2, True)


def test_what_waits_longest_comes_first(database: Database) -> None:
    declare(database, HOSTING)
    submit_leads(database, "hosting", [NORTH], OPERATOR, approve=False)
    [lead_id] = submit_leads(database, "hosting", [NORTH], OPERATOR, approve=True)
    record_failed_run(database, lead_id, Broken("the books are wrong"), 0.1)
    found = database.read(read_attention)
    dated = [each.oldest_at for each in found if each.oldest_at]
    assert dated == sorted(dated)
    assert [each.kind for each in found][:2] == ["leads_to_review", "leads_given_up"]


def test_providers_that_wait_for_approval(database: Database) -> None:
    pending = add_provider(database, "Dinghy", "pending")
    seen = waiting(database)["providers_to_approve"]
    assert (seen.count, seen.first_id, seen.first_provider) == (1, pending, "Dinghy")
