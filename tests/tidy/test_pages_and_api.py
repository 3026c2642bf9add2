"""No page calls a flow, or reads a view, that the API does not: what a page shows, a developer can ask for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.document import written_document

PACKAGE = Path(__file__).parents[2] / "src" / "fairlead"

OFFERED_OTHERWISE = {
    "flows.access.first_operator.is_set_up": "POST /api/v1/setup/operator",
    "flows.configuration.reading.subscriptions_of": "GET /api/v1/admin/subscriptions",
    "flows.configuration.templates_of_niches.niche_template": "GET /api/v1/admin/niche-templates",
    "flows.configuration.terms_in_force.terms_of_provider": "GET /api/v1/admin/subscriptions/{subscription_id}/limits",
    "flows.exporting.export_text.text_of": "GET /api/v1/admin/exports/{export_id}/content",
    "flows.exporting.file_formats.available_formats": "POST /api/v1/admin/exports",
    "flows.intake.take_in.niche_unknown": "POST /api/v1/admin/dry-runs",
    "flows.money.receipts.receipt_zone": "GET /api/v1/admin/receipts/{number}",
    "flows.payments.saving_methods.require_test_saving": "POST /api/v1/provider/auto-top-up/method/test-card",
    "flows.reporting.period_report.first_moment": "GET /api/v1/admin/reports/figures",
    "flows.reporting.period_report.period_and_busiest_niche": "GET /api/v1/admin/reports/period",
    "flows.reporting.reports.busiest_niche": "GET /api/v1/admin/reports/analytics",
    "store.access.users.actor_names": "GET /api/v1/admin/users",
    "store.configuration.marketplace.logo_content": "GET /api/v1/admin/marketplace/logo",
    "store.configuration.marketplace.marketplace_identity": "GET /api/v1/admin/marketplace",
    "store.configuration.marketplace.marketplace_row": "GET /api/v1/admin/marketplace",
    "store.configuration.pages.every_niche": "GET /api/v1/admin/niches",
    "store.configuration.postcode_table_uses.loaded_postcode_tables": "GET /api/v1/admin/postcode-tables",
    "store.configuration.postcode_table_uses.postcode_table_uses": "GET /api/v1/admin/postcode-tables",
    "store.configuration.postcode_tables.postcode_table_names": "GET /api/v1/provider/postcode-tables",
    "store.configuration.rows.level_rows": "GET /api/v1/admin/niches/{niche_id}/levels",
    "store.history.niches_of": "GET /api/v1/admin/leads/{lead_id}",
    "store.leads.listing.most_cents_of_leads": "GET /api/v1/admin/niches/{niche_id}/levels",
    "store.leads.review.pending_count": "GET /api/v1/admin/overview",
    "store.leads.rows.clock": "GET /api/v1/admin/settings",
    "store.leads.rows.niche_form": "GET /api/v1/admin/niches/{niche_id}/form",
    "store.leads.search.leads_of_contact": "GET /api/v1/admin/leads",
    "store.lookups.niche_names": "GET /api/v1/admin/niches",
    "store.lookups.provider_names": "GET /api/v1/admin/providers",
    "store.money.reconciliations.last_reconciliation": "GET /api/v1/admin/statement",
    "store.money.report_rules.report_rules": "GET /api/v1/provider/report-allowance",
    "store.money.spending_pace.spending_paces": "GET /api/v1/admin/providers/{provider_id}/statement",
    "store.watching.overview.read_demand": "GET /api/v1/admin/overview",
}
"""Reviewed: what pages read by a way of their own (a name, a choice, a part), and the operation that answers it."""


def called(source: str, modules: frozenset[str]) -> Iterator[str]:
    """The functions of `flows` and `store` that a module imports by name, or reaches through one that it imports."""
    tree, named = ast.parse(source), dict[str, str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and re.match(r"fairlead\.(flows|store)\b", node.module or ""):
            for each in node.names:
                place = f"{node.module}.{each.name}".removeprefix("fairlead.")
                if place in modules:
                    named[each.asname or each.name] = place
                elif re.match("[a-z]", each.name):
                    yield place
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in named and re.match("[a-z]", attr):
                yield f"{named[name]}.{attr}"
            case _:
                pass


def all_modules() -> frozenset[str]:
    return frozenset(
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        for path in PACKAGE.rglob("*.py")
    )


def called_in(package: str) -> dict[str, list[str]]:
    """By function of `flows` or `store`, the modules of the package that call it."""
    modules, found = all_modules(), dict[str, list[str]]()
    for path in sorted((PACKAGE / package).rglob("*.py")):
        for name in called(path.read_text(encoding="utf-8"), modules):
            found.setdefault(name, []).append(path.relative_to(PACKAGE).as_posix())
    return found


def test_pages_call_what_the_api_calls() -> None:
    pages, operations = called_in("console"), called_in("api")
    assert len(pages) > 100, "pages that read nothing prove nothing"
    own = {name: places for name, places in pages.items() if name not in operations}
    assert {name: places for name, places in own.items() if name not in OFFERED_OTHERWISE} == {}
    assert OFFERED_OTHERWISE.keys() - own.keys() == set(), "what no page calls any more, or an operation does by now"


def test_what_is_offered_otherwise_is_an_operation() -> None:
    paths = written_document()["paths"]
    there = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    assert {each for each in OFFERED_OTHERWISE.values() if each not in there} == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from fairlead.flows.reporting.analytics import read_analytics", ["flows.reporting.analytics.read_analytics"]),
        (
            "from fairlead.flows.reporting import reports as flow\nflow.fill_report()",
            ["flows.reporting.reports.fill_report"],
        ),
        ("from fairlead.store.reports.days import MOST_DAYS, Days", []),
        ("from fairlead.core.rotation import start", []),
    ],
)
def test_calls_are_found(source: str, found: list[str]) -> None:
    assert list(called(source, all_modules())) == found
