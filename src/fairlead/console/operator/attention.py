"""What waits for an operator, in words, with the page where it is done and the section of the rail that counts it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fairlead.console.texts import noted, translated_count
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.store.watching.attention import Attention


@dataclass(frozen=True, slots=True)
class AttentionKind:
    """`section` is where the rail counts it; "" where it is a state rather than a task."""

    section: str
    permission: Permission
    address: str
    button: str
    title: Callable[[int], str]


KINDS: Mapping[str, AttentionKind] = {
    "leads_to_review": AttentionKind(
        "/review",
        Permission.LEADS_APPROVE,
        "/review",
        noted("Review leads"),
        lambda count: translated_count("%(count)s lead to review", "%(count)s leads to review", count),
    ),
    "bad_lead_reports": AttentionKind(
        "/money",
        Permission.MONEY_READ,
        "/money/reports",
        noted("Decide"),
        lambda count: translated_count("%(count)s report of a bad lead", "%(count)s reports of bad leads", count),
    ),
    "reports_overdue": AttentionKind(
        "",
        Permission.MONEY_READ,
        "/money/reports?age=overdue",
        noted("Decide"),
        lambda count: translated_count("%(count)s report is overdue", "%(count)s reports are overdue", count),
    ),
    "payments_in_doubt": AttentionKind(
        "/money",
        Permission.MONEY_READ,
        "/money/payments/doubts",
        noted("Decide"),
        lambda count: translated_count("%(count)s payment in doubt", "%(count)s payments in doubt", count),
    ),
    "leads_given_up": AttentionKind(
        "/operations",
        Permission.JOBS_READ,
        "/operations/dead-letters?queue=distribute",
        noted("Look"),
        lambda count: translated_count("%(count)s lead given up", "%(count)s leads given up", count),
    ),
    "messages_given_up": AttentionKind(
        "/operations",
        Permission.JOBS_READ,
        "/operations/dead-letters",
        noted("Look"),
        lambda count: translated_count("%(count)s message given up", "%(count)s messages given up", count),
    ),
    "failing_endpoints": AttentionKind(
        "/operations",
        Permission.NOTIFICATIONS_READ,
        "/operations/endpoints",
        noted("Look"),
        lambda count: translated_count("%(count)s webhook endpoint fails", "%(count)s webhook endpoints fail", count),
    ),
    "providers_to_approve": AttentionKind(
        "/providers",
        Permission.PROVIDERS_READ,
        "/providers?status=pending",
        noted("Decide"),
        lambda count: translated_count("%(count)s provider to approve", "%(count)s providers to approve", count),
    ),
    "providers_out_of_money": AttentionKind(
        "",
        Permission.PROVIDERS_READ,
        "/providers?out_of_money=true",
        noted("Look"),
        lambda count: translated_count("%(count)s provider out of money", "%(count)s providers out of money", count),
    ),
    "past_not_proven": AttentionKind(
        "/fairness",
        Permission.REPORTS_READ,
        "/fairness/proofs",
        noted("Look"),
        lambda count: translated_count(
            "%(count)s check of the past does not hold", "%(count)s checks of the past do not hold", count
        ),
    ),
    "differences_in_the_books": AttentionKind(
        "/money",
        Permission.MONEY_READ,
        "/money",
        noted("Look"),
        lambda count: translated_count(
            "%(count)s difference in the books", "%(count)s differences in the books", count
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of thing that waits, with its page; `button` is to be translated where it is shown."""

    waiting: Attention
    address: str
    button: str

    def title(self, count: str) -> str:
        """How many of what, in the language of the page that is being written; `count` is the number as it is shown."""
        return KINDS[self.waiting.kind].title(self.waiting.count) % {"count": count}


def rail_counts(waiting: Sequence[Attention], principal: Principal) -> Mapping[str, int]:
    """How many tasks wait in each section, by its path, of those that the principal may open."""
    counts: dict[str, int] = {}
    for each in waiting:
        kind = KINDS[each.kind]
        if kind.section and kind.permission in principal.permissions:
            counts[kind.section] = counts.get(kind.section, 0) + each.count
    return counts


def tasks_of(waiting: Sequence[Attention], principal: Principal) -> list[Task]:
    """What waits of what the principal may open, in the same order."""
    kinds = [(each, KINDS[each.kind]) for each in waiting]
    return [Task(each, kind.address, kind.button) for each, kind in kinds if kind.permission in principal.permissions]
