"""What the demo shows: levels, providers and recent decisions, live on a terminal, and a summary at the end."""

import shutil
import sys
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fairlead.cli.output import console, say, table
from fairlead.core.money.currency import money
from fairlead.store.connection import Database
from fairlead.store.watching.dashboard import (
    LevelSales,
    ProviderMoney,
    RecentDecision,
    RecentLevelFairness,
    level_fairness,
    level_sales,
    provider_money,
    recent_decisions,
)

DECISIONS_SHOWN = 8
ROWS_BESIDE_PROVIDERS = 22


def live_view(database: Database, niche_slugs: list[str], currency: str, title: str) -> RenderableType:
    """Everything that the marketplace looks like at this moment."""
    with database.snapshot() as conn:
        levels = level_sales(conn, niche_slugs)
        providers = provider_money(conn, niche_slugs)
        decisions = recent_decisions(conn, niche_slugs, DECISIONS_SHOWN)
    room = max(console.height - ROWS_BESIDE_PROVIDERS, 4)
    return Group(
        Text(title, style="bold"),
        _levels(levels, currency),
        _providers(providers, currency, room),
        _decisions(decisions),
    )


def _levels(levels: list[LevelSales], currency: str) -> Table:
    shown = _table(
        "Competition levels", ["niche", "level", "price", "takes", "active", "started", "sold", "revenue"], 2
    )
    for level in levels:
        shown.add_row(
            level.niche_slug,
            level.level_name,
            money(level.price_cents, currency),
            str(level.max_recipients),
            str(level.active_subscriptions),
            str(level.starts),
            str(level.assignments),
            money(level.revenue_cents, currency),
        )
    return shown


def _providers(providers: list[ProviderMoney], currency: str, room: int) -> Table:
    shown = _table(f"Providers ({len(providers)})", ["provider", "balance", "bought", "spent", "subscriptions"], 1)
    for provider in sorted(providers, key=lambda each: (-each.assignments, each.name))[:room]:
        broke = provider.active_subscriptions < provider.subscriptions
        shown.add_row(
            provider.name,
            Text(money(provider.balance_cents, currency), style="red" if broke else ""),
            str(provider.assignments),
            money(provider.spent_cents, currency),
            f"{provider.active_subscriptions} of {provider.subscriptions} active",
        )
    return shown


def _decisions(decisions: list[RecentDecision]) -> Table:
    shown = _table("Newest decisions", ["time", "niche", "started at", "outcome", "went to, in order"], 5)
    for decision in decisions:
        names = ", ".join(decision.recipients)
        shown.add_row(
            f"{decision.decided_at:%H:%M:%S}",
            decision.niche_slug,
            decision.start_level or "",
            Text(
                decision.outcome,
                style={"success": "green", "partial": "yellow"}.get(decision.outcome, "cyan"),
            ),
            Text(names, no_wrap=True, overflow="ellipsis"),
        )
    return shown


def _table(title: str, columns: list[str], right_from: int) -> Table:
    shown = Table(title=title, title_justify="left", title_style="bold cyan", box=None, pad_edge=False, expand=False)
    for number, name in enumerate(columns):
        shown.add_column(name, justify="right" if number >= right_from else "left", header_style="dim")
    return shown


def show_summary(database: Database, niche_slugs: list[str], currency: str) -> None:
    """The shares: how often each level started, what it sold, and how evenly it served."""
    with database.snapshot() as conn:
        levels = level_sales(conn, niche_slugs)
        fairness = {(each.niche_slug, each.level_name): each for each in level_fairness(conn, niche_slugs)}
        providers = provider_money(conn, niche_slugs)
    rows = [_fairness_row(level, fairness.get((level.niche_slug, level.level_name)), currency) for level in levels]
    table(
        "Shares and waits",
        ["niche", "level", "started", "sold", "revenue", "served", "fewest", "most", "longest wait"],
        rows,
        right=range(2, 9),
    )
    say(
        "  served: providers that received something; fewest, most: leads each; longest wait: leads of the level that",
        "dim",
    )
    say(
        "  went to others between two of one's own. Only filters and money make them differ, never chance.",
        "dim",
    )
    broke = [provider.name for provider in providers if provider.active_subscriptions < provider.subscriptions]
    if broke:
        say(f"Out of money since, and yet to pay in again ({len(broke)}): {', '.join(broke)}", "yellow")


def _fairness_row(level: LevelSales, fair: RecentLevelFairness | None, currency: str) -> list[object]:
    evenness = [fair.served, fair.fewest, fair.most, fair.longest_wait] if fair else [0, "", "", ""]
    revenue = money(level.revenue_cents, currency)
    return [level.niche_slug, level.level_name, level.starts, level.assignments, revenue, *evenness]


def show_next_commands(lead_id: str | None, provider_email: str) -> None:
    """What to try next, in words that work where the demo was started."""
    program = "fairlead" if shutil.which("fairlead") else _path_of_program()
    say("The marketplace stays as it is. Look around:", "bold")
    if lead_id is not None:
        say(f"  {program} explain {lead_id}")
        say(f"  {program} explain {lead_id} --provider {provider_email}")
    for arguments in ("status", "verify", "export assignments --format csv", "demo", "--help"):
        say(f"  {program} {arguments}")


def _path_of_program() -> str:
    path = Path(sys.argv[0]).resolve()
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
