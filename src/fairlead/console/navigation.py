"""The sections of the console and of the portal, and which of them a page belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairlead.console.texts import noted
from fairlead.core.permissions import Permission, Role
from fairlead.flows.access.principal import Principal


@dataclass(frozen=True, slots=True)
class Section:
    """A link of the rail. `group` is the heading that it stands under, "" for none."""

    path: str
    title: str
    icon: str
    permission: Permission
    group: str = ""
    is_current: bool = False
    others: tuple[str, ...] = ()
    """Where else its pages are."""


OPERATOR_SECTIONS = (
    Section("/overview", noted("Overview"), "layout-dashboard", Permission.REPORTS_READ),
    Section("/review", noted("Review"), "check", Permission.LEADS_APPROVE),
    Section("/leads", noted("Leads"), "list-details", Permission.LEADS_READ),
    Section("/live", noted("Live"), "activity", Permission.LEADS_READ),
    Section("/niches", noted("Niches"), "chart-bar", Permission.NICHES_READ, noted("Market")),
    Section("/providers", noted("Providers"), "users", Permission.PROVIDERS_READ, noted("Market")),
    Section("/money", noted("Money"), "credit-card", Permission.MONEY_READ, noted("Market")),
    Section("/postcode-tables", noted("Postcode tables"), "world", Permission.NICHES_READ, noted("Market")),
    Section("/dry-run", noted("Dry run"), "player-play", Permission.LEADS_READ, noted("Insight")),
    Section("/fairness", noted("Fairness"), "scale", Permission.REPORTS_READ, noted("Insight")),
    Section("/analytics", noted("Analytics"), "chart-line", Permission.REPORTS_READ, noted("Insight")),
    Section("/operations", noted("Operations"), "heart-rate-monitor", Permission.JOBS_READ, noted("Running")),
    Section("/exports", noted("Exports"), "download", Permission.EXPORTS_READ, noted("Running")),
    Section("/settings", noted("Settings"), "adjustments-horizontal", Permission.SETTINGS_READ, noted("Running")),
)

PORTAL_SECTIONS = (
    Section("/portal/inbox", noted("Inbox"), "inbox", Permission.OWN_READ, others=("/portal/leads",)),
    Section("/portal/more", noted("Get more leads"), "trending-up", Permission.OWN_READ),
    Section(
        "/portal/subscriptions",
        noted("Subscriptions"),
        "filter",
        Permission.OWN_READ,
        others=("/portal/levels", "/portal/limits"),
    ),
    Section(
        "/portal/balance",
        noted("Balance"),
        "wallet",
        Permission.OWN_READ,
        others=(
            "/portal/payments",
            "/portal/auto-top-up",
            "/portal/test-gateway",
            "/portal/receipts",
            "/portal/statements",
        ),
    ),
    Section("/portal/deliveries", noted("Deliveries"), "webhook", Permission.OWN_READ),
    Section("/portal/settings", noted("Settings"), "adjustments-horizontal", Permission.OWN_READ),
)


def sections_for(principal: Principal, path: str) -> Sequence[Section]:
    """What the principal may open, with the section that `path` is in marked as the current one."""
    is_provider = principal.actor.role == Role.PROVIDER
    sections = PORTAL_SECTIONS if is_provider else OPERATOR_SECTIONS
    return [
        replace(each, is_current=any(_is_within(path, own) for own in (each.path, *each.others)))
        for each in sections
        if each.permission in principal.permissions
    ]


def home_of(principal: Principal) -> str:
    """The first page that the principal sees."""
    return sections_for(principal, "/")[0].path


def _is_within(path: str, section: str) -> bool:
    return path == section or path.startswith(f"{section}/")
