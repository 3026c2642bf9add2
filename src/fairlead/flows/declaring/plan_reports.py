"""What a marketplace file makes of reports of bad leads and of what refunds give back: the pure difference."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from fairlead.core.errors import BadInput
from fairlead.core.money.report_rules import ReportCategory, ReportRules, ReportShare, rules_document
from fairlead.core.returns import RefundPolicy
from fairlead.flows.changes import Change, difference
from fairlead.flows.configuration.report_rules import checked_change
from fairlead.flows.declaring.tables import MarketplaceTable, NicheTable, ReportsTable
from fairlead.store.audit.log import Actor, AuditEvent
from fairlead.store.money.bad_leads import WINDOW_DAYS


@dataclass(slots=True)
class ReportsPlan:
    """The rules of reports, old and new, where they change; by niche id the policies and windows that change."""

    rules: tuple[ReportRules, ReportRules] | None = None
    refunds: list[tuple[str, RefundPolicy, RefundPolicy]] = field(
        default_factory=list[tuple[str, RefundPolicy, RefundPolicy]]
    )
    windows: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])

    def events(self, actor: Actor) -> list[AuditEvent]:
        """One event for each of them, as the API's change of it has."""
        events = [
            AuditEvent(actor, "niche.refund_policy_changed", "niche", niche_id, asdict(before), asdict(after))
            for niche_id, before, after in self.refunds
        ]
        for niche_id, before, after in self.windows:
            old, new = {"bad_lead_window_days": before}, {"bad_lead_window_days": after}
            events.append(AuditEvent(actor, "niche.bad_lead_window_changed", "niche", niche_id, old, new))
        if self.rules is not None:
            old, new = (rules_document(each) for each in self.rules)
            events.append(AuditEvent(actor, "marketplace.report_rules_changed", "marketplace", "*", old, new))
        return events


def plan_reports(
    marketplace: MarketplaceTable,
    niches: Sequence[NicheTable],
    ids_by_slug: Mapping[str, str],
    rules: ReportRules,
    refunds: Mapping[str, RefundPolicy],
    windows: Mapping[str, int],
) -> ReportsPlan:
    """The plan that makes these what the file says; of what it says nothing, nothing changes.

    `refunds` and `windows`, by niche id, are what there is; a niche that is new has what new niches have.
    """
    plan = ReportsPlan()
    if marketplace.reports is not None:
        _plan_rules(plan, marketplace.reports, rules)
    for table in niches:
        niche_id = ids_by_slug.get(table.slug)
        if niche_id is None:
            continue
        old = refunds.get(niche_id, RefundPolicy())
        if table.refunds is not None:
            new = RefundPolicy(**table.refunds.model_dump())
            if change := difference("refunds", table.slug, asdict(old), asdict(new)):
                plan.refunds.append((niche_id, old, new))
                plan.changes.append(change)
        days = windows.get(niche_id, WINDOW_DAYS)
        if table.report_window_days not in (None, days):
            said = {"report_window_days": table.report_window_days}
            plan.windows.append((niche_id, days, table.report_window_days or days))
            plan.changes.append(Change("change", "report window", table.slug, {"report_window_days": days}, said))
    return plan


def _plan_rules(plan: ReportsPlan, table: ReportsTable, before: ReportRules) -> None:
    after = before
    if table.categories is not None:
        own = tuple(ReportCategory(each.key, each.label, each.active) for each in table.categories)
        after = replace(after, categories=own)
    if table.most_a_day is not None:
        after = replace(after, most_a_day=table.most_a_day or None)
    if table.decision_days is not None:
        after = replace(after, decision_days=table.decision_days or None)
    if table.share is not None:
        percent, days = table.share.percent, table.share.days
        after = replace(after, share=None if percent is None or days is None else ReportShare(percent, days))
    try:
        after = checked_change(before, after)
    except BadInput as refused:
        plan.problems += [f"marketplace.reports.{problem}" for problem in refused.problems]
        return
    old, new = rules_document(before), rules_document(after)
    if old != new:
        plan.rules = before, after
        plan.changes.append(Change("change", "marketplace", "reports", old, new))


def reports_table(rules: ReportRules) -> Mapping[str, object] | None:
    """The rules in the words of the file; None where they are as shipped."""
    if rules_document(rules) == rules_document(ReportRules()):
        return None
    return {
        "categories": [{"key": each.key, "label": each.label, "active": each.is_active} for each in rules.categories],
        "most_a_day": rules.most_a_day,
        "share": None if rules.share is None else asdict(rules.share),
        "decision_days": rules.decision_days,
    }
