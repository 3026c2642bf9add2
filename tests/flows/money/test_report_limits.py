"""How many leads a provider may report as bad, and for what: the operators' rules, also when many report at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.core.money.report_rules import SHIPPED, ReportCategory, ReportRules, ReportShare
from fairlead.flows.configuration.report_rules import change_report_rules, read_report_rules
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.bad_leads import accept_bad_lead, report_bad_lead
from fairlead.flows.money.report_limits import report_allowance
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import declare, provider_id
from tests.flows.sales import MEMO, PORTAL, audited, query, sell, told
from tests.race.processes import opened

WOOD = """
[[niche]]
slug = "wood"
name = "Wood"
level = [{ name = "only", price_cents = 100, max_recipients = 1, order_position = 1 }]

[[provider]]
email = "ann@example.com"
name = "Ann"
deposit = [{ external_id = "opening", amount_cents = 90000 }]
subscription = [{ niche = "wood", level = "only" }]
"""


def sold(database: Database, leads: int) -> tuple[str, list[str]]:
    """Ann's id, and the assignments of so many leads that she bought."""
    declare(database, WOOD)
    submit_leads(database, "wood", [{}] * leads, OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches")
    Distributor(database).distribute_waiting(niche_id)
    return provider_id(database, "ann@example.com"), [
        row[0] for row in query(database, "select id::text from assignments order by served_seq")
    ]


def report(database: Database, ann: str, assignment_id: str, key: str = "spam") -> str:
    try:
        report_bad_lead(database, ann, assignment_id, key, None, PORTAL)
    except Refused as refused:
        return refused.code
    return "done"


def test_a_day_has_so_many_reports_also_when_they_come_at_once(database: Database, database_url: str) -> None:
    ann, bought = sold(database, 20)
    change_report_rules(database, ReportRules(most_a_day=7), OPERATOR)
    with opened(database_url, 10) as pooled, ThreadPoolExecutor(10) as pool:
        came = list(pool.map(lambda each: report(pooled, ann, each), bought))
    assert sorted(came) == ["bad_lead_daily_limit"] * 13 + ["done"] * 7
    allowance = report_allowance(database, ann)
    assert allowance.today is not None
    assert (allowance.today.most, allowance.today.used, allowance.today.left) == (7, 7, 0)
    with pytest.raises(Refused, match=r"7 leads were reported today, and at most 7 may be; the next day begins at"):
        report_bad_lead(database, ann, bought[came.index("bad_lead_daily_limit")], "spam", None, PORTAL)
    # A decision gives no place back: what was reported was reported.
    accept_bad_lead(database, bought[came.index("done")], MEMO, OPERATOR)
    assert report(database, ann, bought[came.index("bad_lead_daily_limit")]) == "bad_lead_daily_limit"


def test_one_lead_is_one_lead(database: Database) -> None:
    ann, bought = sold(database, 2)
    change_report_rules(database, ReportRules(most_a_day=1), OPERATOR)
    assert report(database, ann, bought[0]) == "done"
    with pytest.raises(Refused, match=r"1 lead was reported today, and at most 1 may be"):
        report_bad_lead(database, ann, bought[1], "spam", None, PORTAL)


def test_of_the_leads_received_such_a_part_also_when_they_come_at_once(database: Database, database_url: str) -> None:
    ann, bought = sold(database, 20)
    change_report_rules(database, ReportRules(share=ReportShare(30, 7)), OPERATOR)
    with opened(database_url, 10) as pooled, ThreadPoolExecutor(10) as pool:
        came = list(pool.map(lambda each: report(pooled, ann, each), bought))
    assert sorted(came) == ["bad_lead_share_reached"] * 14 + ["done"] * 6
    with pytest.raises(Refused, match="6 of the 20 leads of the last 7 days were reported, and at most 6 may be"):
        report_bad_lead(database, ann, bought[came.index("bad_lead_share_reached")], "spam", None, PORTAL)
    allowance = report_allowance(database, ann)
    assert allowance.share is not None
    assert (allowance.received, allowance.days, allowance.share.left) == (20, 7, 0)


def test_categories_of_their_own(database: Database) -> None:
    sale = sell(database)
    budget = ReportCategory("no_budget", "No budget")
    shipped = tuple(replace(each, is_active=each.key != "spam") for each in SHIPPED)
    change_report_rules(database, ReportRules((budget, *shipped)), OPERATOR)
    assert [each.key for each in report_allowance(database, sale.anchor_id).categories][:2] == [
        "no_budget",
        "unreachable",
    ]
    with pytest.raises(BadInput, match="reason: must be one of no_budget, unreachable"):
        report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", None, PORTAL)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "no_budget", None, PORTAL)
    accept_bad_lead(database, sale.anchor, MEMO, OPERATOR)
    assert told(database, "refund_issued") == [("Anchor", {"reason": "No budget"})]


def test_the_rules_have_a_version_and_a_history(database: Database) -> None:
    declare(database, WOOD)
    seen = read_report_rules(database)
    assert seen.rules == ReportRules()
    rules = ReportRules(most_a_day=3)
    done = change_report_rules(database, rules, OPERATOR, memo="too many", expected_version=seen.version)
    assert done.took_effect
    assert not change_report_rules(database, rules, OPERATOR).took_effect
    [(_, old, new, memo, _)] = audited(database, "marketplace.report_rules_changed")
    assert (old["most_a_day"], new["most_a_day"], memo) == (None, 3, "too many")
    with pytest.raises(Refused) as stale:
        change_report_rules(database, ReportRules(), OPERATOR, expected_version=seen.version)
    assert stale.value.code == "version_conflict"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (ReportRules(()), "one must be active"),
        (ReportRules((*SHIPPED, SHIPPED[0])), "each key once"),
        (ReportRules((*SHIPPED, ReportCategory("Loud", "Loud"))), "categories/7/key"),
        (ReportRules((*SHIPPED, ReportCategory("own"))), "needs a label"),
        (ReportRules((*SHIPPED, ReportCategory("own", " "))), "categories/7/label"),
        (ReportRules(SHIPPED[1:]), "unreachable may be switched off, but not taken away"),
        (ReportRules(most_a_day=0), "most_a_day"),
        (ReportRules(decision_days=0), "decision_days"),
        (ReportRules(share=ReportShare(0, 7)), "share/percent"),
        (ReportRules(share=ReportShare(5, 999)), "share/days"),
    ],
)
def test_what_cannot_be_a_rule(rules: ReportRules, words: str, database: Database) -> None:
    declare(database, WOOD)
    with pytest.raises(BadInput, match=words):
        change_report_rules(database, rules, OPERATOR)
