"""The page of money: its sums are those of the ledgers, and what waits can be decided."""

from datetime import UTC, datetime, timedelta

from fairlead.core.money.report_rules import ReportRules
from fairlead.flows.configuration.report_rules import change_report_rules
from fairlead.flows.maintenance.reconcile import reconcile
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import an_admin
from tests.console.visiting import console
from tests.flows.access.people import value
from tests.flows.configuration.market import UNKNOWN
from tests.flows.sales import PORTAL, query, sell


def test_money_shows_sums_reports_and_whether_the_books_agree(database: Database) -> None:
    operator = an_admin(console(database), database)
    assert "not compared yet" in operator.get("/money").text
    sale = sell(database)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "unreachable", "rang for days", PORTAL)
    reconcile(database, OPERATOR)
    text = operator.get("/money").text
    for words in ("€56.00", "€25.00", "€31.00", "the books agree", sale.lead_id, "1 waits for a decision: €20.00"):
        assert words in text, words
    assert "€56.00" not in operator.get("/money?from=2020-01-01&to=2020-01-31").text
    text = operator.get("/money/reports").text
    assert "rang for days" in text
    assert f"/api/v1/admin/bad-lead-reports/{sale.anchor}/accept" in text
    now = datetime.now(UTC)
    span = {
        "created_from": (now - timedelta(days=2)).isoformat(),
        "created_before": (now + timedelta(days=2)).isoformat(),
    }
    stated = operator.get("/api/v1/admin/statement", params=span).json()
    assert stated["held_cents"] == sum(row[0] for row in query(database, "select balance_cents from providers"))
    assert sum(each["amount_cents"] for each in stated["totals"]) == stated["held_cents"]
    assert stated["last_reconciliation"]["difference_count"] == 0


def test_money_stands_beside_that_of_the_days_before(database: Database) -> None:
    operator = an_admin(console(database), database)
    sell(database)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    text = operator.get("/money", params={"from": tomorrow, "to": tomorrow}).text
    assert "before: €25.00" in text, "what was sold"
    assert "before: €56.00" in text, "what came in"
    assert "before:" not in operator.get("/money?from=2020-01-01&to=2020-01-31").text


def test_the_page_says_what_the_api_says_in_one_answer(database: Database) -> None:
    operator = an_admin(console(database), database)
    sell(database)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    for day in (tomorrow - timedelta(days=1), tomorrow):
        text = operator.get("/money", params={"from": day.isoformat(), "to": day.isoformat()}).text
        asked = {"day_from": day.isoformat(), "day_before": (day + timedelta(days=1)).isoformat()}
        told = operator.get("/api/v1/admin/reports/money", params=asked).json()
        assert f"€{told['statement']['held_cents'] / 100:.2f}" in text
        assert all(f"€{abs(each['amount_cents']) / 100:.2f}" in text for each in told["statement"]["totals"])
        before = [f"before: €{abs(each['amount_cents']) / 100:.2f}" for each in told["earlier_totals"]]
        assert all(each in text for each in before)
        assert len(before) == (2 if day == tomorrow else 0)


def test_reports_are_chosen_by_what_they_are_and_read_page_by_page(database: Database) -> None:
    operator = an_admin(console(database), database)
    sale = sell(database)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "unreachable", "rang for days", PORTAL)
    report_bad_lead(
        database, sale.bowline_id, sale.bowline, "spam", "sells carpets", PORTAL, evidence="<b>10 carpets</b>"
    )
    assert "&lt;b&gt;10 carpets&lt;/b&gt;" in operator.get("/money/reports").text

    def shown(**filters: str) -> list[str]:
        text = operator.get("/money/reports", params=filters).text
        return [words for words in ("rang for days", "sells carpets") if words in text]

    both = ["rang for days", "sells carpets"]
    assert shown() == both
    assert shown(provider_id=sale.bowline_id) == ["sells carpets"]
    assert shown(reason="unreachable") == ["rang for days"]
    assert shown(niche="hosting") == both
    assert shown(niche="moving") == []
    assert shown(age="1") == []
    value(
        database,
        "update assignments set bad_lead_reported_at = bad_lead_reported_at - interval '2 days' where id = %s",
        sale.anchor,
    )
    assert shown(age="1") == ["rang for days"]
    assert shown(age="3") == []
    value(
        database,
        "update assignments set bad_lead_reported_at = bad_lead_reported_at + interval '2 days' where id = %s",
        sale.anchor,
    )
    assert "overdue" not in operator.get("/money/reports").text, "no days are set for deciding"
    change_report_rules(database, ReportRules(decision_days=1), OPERATOR)
    older = "update assignments set bad_lead_reported_at = bad_lead_reported_at - interval '26 hours' where id = %s"
    value(database, older, sale.anchor)
    started = operator.get("/").text
    assert shown(age="overdue") == ["rang for days"]
    text = operator.get("/money/reports", params={"order": "newest"}).text
    assert text.index("sells carpets") < text.index("rang for days"), "the newest first"
    assert "2 hours overdue" in text
    assert "24 hours left" in text or "1 day left" in text
    assert "1 report is overdue" in started
    page = operator.get("/money/reports", params={"order": "newest", "limit": 1}).text
    following = page.split("cursor=")[1].split('"')[0].split("&")[0]
    second = operator.get("/money/reports", params={"order": "newest", "limit": 1, "cursor": following}).text
    assert ("rang for days" in second, "sells carpets" in second) == (True, False)
    value(database, older.replace(" - ", " + "), sale.anchor)
    first = operator.get("/money/reports", params={"limit": 1}).text
    assert "2 reports, €25.00 in all" in first, "the sums are of every page"
    assert "cursor=" in first
    assert "sells carpets" not in first
    totals = operator.get("/api/v1/admin/bad-lead-reports/totals", params={"reason": "spam"}).json()
    assert (totals["report_count"], totals["provider_count"], totals["price_cents"]) == (1, 1, 500)
    assert operator.get("/api/v1/admin/bad-lead-reports", params={"reason": "spam"}).json()["items"][0]["note"] == (
        "sells carpets"
    )
    found = operator.get("/money/reports", params={"q": "Bowl", "reason": "spam"}).text
    assert f"provider_id={sale.bowline_id}" in found
    assert operator.get("/money/reports", params={"provider_id": UNKNOWN}).status_code == 404


def test_every_movement_is_found_by_its_days_kind_and_provider(database: Database) -> None:
    operator = an_admin(console(database), database)
    sale = sell(database)
    text = operator.get("/money/ledger").text
    entries = query(database, "select count(*) from ledger_entries")[0][0]
    assert text.count("#") >= entries
    ledgers = [f"/providers/{each}/ledger" for each in (sale.anchor_id, sale.bowline_id)]
    assert all(each in text for each in ledgers)
    only = operator.get("/money/ledger", params={"provider_id": sale.bowline_id, "kind": "lead_purchase"}).text
    assert [each in only for each in ledgers] == [False, True]
    assert (
        "No entry is like that" in operator.get("/money/ledger", params={"from": "2020-01-01", "to": "2020-01-02"}).text
    )
    seen: list[int] = []
    address = "/api/v1/admin/ledger"
    for provider_id in (sale.anchor_id, sale.bowline_id):
        cursor: str | None = None
        while True:
            filters = {"provider_id": provider_id, "limit": 1} | ({} if cursor is None else {"cursor": cursor})
            found = operator.get(address, params=filters).json()
            assert {each["provider_id"] for each in found["items"]} <= {provider_id}
            seen += [each["seq"] for each in found["items"]]
            if (cursor := found["next_cursor"]) is None:
                break
    assert (
        len(seen)
        == query(
            database,
            "select count(*) from ledger_entries where provider_id in (%s, %s)",
            sale.anchor_id,
            sale.bowline_id,
        )[0][0]
    )
