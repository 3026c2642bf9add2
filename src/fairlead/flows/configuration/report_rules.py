"""The operators' rules of reports of bad leads: categories, a daily limit, and a share."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import canonical_line
from fairlead.core.errors import BadInput
from fairlead.core.money.report_rules import (
    MOST_A_DAY,
    MOST_CATEGORIES,
    MOST_DECISION_DAYS,
    MOST_SHARE_DAYS,
    SHIPPED,
    ReportRules,
    rules_document,
)
from fairlead.flows.configuration.versions import require_version, setting_version
from fairlead.flows.input_types import canonical_values
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import DEFAULT_CURRENCY, lock_marketplace
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.money.report_rules import report_rules, write_report_rules

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST_LABEL = 80


@dataclass(frozen=True, slots=True)
class SeenReportRules:
    """The rules, and their opaque version. `took_effect` is False where they were so before."""

    rules: ReportRules
    version: str
    took_effect: bool = False


def read_report_rules(database: Database) -> SeenReportRules:
    """The rules as they are."""
    return _seen(database.read(report_rules))


def change_report_rules(
    database: Database,
    rules: ReportRules,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> SeenReportRules:
    """These are the rules from now on. Reports that were made stay, and count in the limits.

    A category is never taken away, since reports name it: it is switched off. Audited; locks the marketplace's row.
    Raises `BadInput` and `Refused`: `version_conflict`.
    """
    memo = canonical_values({"memo": memo})["memo"]
    rules = _checked(rules)  # what is wrong with them by themselves is told without any lock

    def work(conn: Connection, _: Sequence[str]) -> SeenReportRules:
        lock_marketplace(conn, DEFAULT_CURRENCY, may_change=False)
        before = report_rules(conn)
        if rules_document(before) == rules_document(rules):
            return _seen(before)
        require_version(expected_version, _seen(before).version, "the rules of reports")
        checked_change(before, rules)
        write_report_rules(conn, rules)
        event = AuditEvent(
            actor, "marketplace.report_rules_changed", "marketplace", "*", rules_document(before),
            rules_document(rules), memo,
        )  # fmt: skip
        append_audit(conn, [event], clock(conn))
        return _seen(rules, took_effect=True)

    return with_niche_locks(database, work)


def checked_change(before: ReportRules, rules: ReportRules) -> ReportRules:
    """The rules with their labels as they are stored. Raises `BadInput` where they cannot come after those before."""
    checked = _checked(rules)
    gone = [each.key for each in before.categories if rules.category(each.key) is None]
    if gone:
        raise BadInput([f"categories: {', '.join(gone)} may be switched off, but not taken away"])
    return checked


def _checked(rules: ReportRules) -> ReportRules:
    """The rules with their labels as they are stored. Raises `BadInput` with every problem."""
    problems, labels = list[str](), list[str | None]()
    keys = [each.key for each in rules.categories]
    if not rules.active_keys:
        problems.append("categories: one must be active")
    if len(keys) > MOST_CATEGORIES:
        problems.append(f"categories: at most {MOST_CATEGORIES}")
    if len({*keys}) < len(keys):
        problems.append("categories: each key once")
    shipped = {each.key for each in SHIPPED}
    for number, each in enumerate(rules.categories):
        if not _KEY.fullmatch(each.key):
            problems.append(f"categories/{number}/key: a-z, 0-9 and _, up to 40, beginning with a letter")
        try:
            labels.append(None if each.label is None else canonical_line(each.label, _LONGEST_LABEL))
        except EntryRefused as refused:
            problems.append(f"categories/{number}/label: {refused.message}")
        if each.label is None and each.key not in shipped:
            problems.append(f"categories/{number}/label: one of your own needs a label")
    if rules.most_a_day is not None and not 1 <= rules.most_a_day <= MOST_A_DAY:
        problems.append(f"most_a_day: 1 to {MOST_A_DAY}")
    if rules.decision_days is not None and not 1 <= rules.decision_days <= MOST_DECISION_DAYS:
        problems.append(f"decision_days: 1 to {MOST_DECISION_DAYS}")
    if rules.share is not None and not 1 <= rules.share.percent <= 100:
        problems.append("share/percent: 1 to 100")
    if rules.share is not None and not 1 <= rules.share.days <= MOST_SHARE_DAYS:
        problems.append(f"share/days: 1 to {MOST_SHARE_DAYS}")
    if problems:
        raise BadInput(problems)
    named = zip(rules.categories, labels, strict=True)
    return replace(rules, categories=tuple(replace(each, label=label) for each, label in named))


def _seen(rules: ReportRules, *, took_effect: bool = False) -> SeenReportRules:
    return SeenReportRules(rules, setting_version("report_rules", "*", rules_document(rules)), took_effect)
