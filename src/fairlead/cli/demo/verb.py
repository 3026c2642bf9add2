"""The demo itself: set up, stream, summarise, verify."""

import time
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from itertools import islice
from typing import Annotated

import typer
from rich.live import Live

from fairlead.cli.demo.screen import live_view, show_next_commands, show_summary
from fairlead.cli.demo.stream import DemoLead, demo_leads
from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import console, money, progress_bar, say
from fairlead.core.errors import Refused
from fairlead.flows.apply_marketplace import apply_marketplace, parse_declaration
from fairlead.flows.distribute import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.flows.verify import verify
from fairlead.settings import load_settings
from fairlead.store.audit import Actor
from fairlead.store.connection import Database
from fairlead.store.lookups import count_of_leads, niches_with_waiting_leads

VISITOR = Actor("demo", "system")
NICHES = ["vps-hosting", "dedicated-servers"]
CURRENCY = "EUR"
LEADS_PER_TICK = 5
EXAMPLE_PROVIDER = "sales@anchor-cloud.example"


def demo(
    leads: Annotated[int, typer.Option(min=1, max=100_000, help="How many leads stream in.")] = 400,
    per_second: Annotated[float, typer.Option(min=0.1, help="How fast, on a terminal.")] = 25.0,
    seed: Annotated[int, typer.Option(help="Another number, other leads.")] = 7,
    fast: Annotated[bool, typer.Option("--fast", help="As fast as they can be distributed.")] = False,
) -> None:
    """Watch leads being sold: a sample marketplace for VPS and dedicated servers, leads streaming in.

    Sets everything up by itself, ends by itself, proves with `verify` that all of it was right, and leaves the
    marketplace to play with. Run it again and more leads come in.

    Examples:

        fairlead demo

        fairlead demo --leads 2000 --fast --seed 11
    """
    say("Setting up: PostgreSQL, schema, a sample marketplace ...", "dim")
    with marketplace() as database:
        _set_up(database)
        with database.snapshot() as conn:
            already = count_of_leads(conn)
        stream = islice(demo_leads(seed, already), leads)
        pause_seconds = 0.0 if fast or not console.is_terminal else LEADS_PER_TICK / per_second
        newest = _run(database, stream, leads, pause_seconds)
        show_summary(database, NICHES, CURRENCY)
        _prove(database)
        show_next_commands(newest, EXAMPLE_PROVIDER)


def _set_up(database: Database) -> None:
    with database.snapshot() as conn:
        slugs = {niche.slug for niche in niches_with_waiting_leads(conn, None)}
    if slugs and not slugs >= set(NICHES):
        raise Refused(
            "demo_not_here",
            f"the schema {database.schema_name!r} holds a marketplace already: the demo wants one of its own, for "
            "example with FAIRLEAD_SCHEMA=fairlead_demo",
        )
    text = files("fairlead.cli.demo").joinpath("marketplace.toml").read_text(encoding="utf-8")
    apply_marketplace(database, parse_declaration(text), VISITOR)


def _run(database: Database, stream: Iterator[DemoLead], total: int, pause_seconds: float) -> str | None:
    distributor = Distributor(database, load_settings().batch_limit_leads)
    with database.snapshot() as conn:
        niche_ids = {niche.slug: niche.niche_id for niche in niches_with_waiting_leads(conn, None)}
    started = time.monotonic()
    newest: str | None = None
    done = assignments = revenue_cents = 0
    with progress_bar("leads") as bar, Live(console=console, auto_refresh=False, transient=True) as live:
        task = bar.add_task("leads", total=total, visible=not console.is_terminal)
        while tick := list(islice(stream, LEADS_PER_TICK)):
            tick_began = time.monotonic()
            for slug, attributes in _by_niche(tick).items():
                lead_ids = submit_leads(database, slug, attributes, VISITOR, approve=True)
                while len(result := distributor.distribute_waiting(niche_ids[slug])):
                    assignments += sum(len(decision.recipients) for decision in result.decisions)
                    revenue_cents += sum(r.price_cents for decision in result.decisions for r in decision.recipients)
                newest = lead_ids[-1]
            done += len(tick)
            bar.advance(task, len(tick))
            if console.is_terminal:
                title = f"{done} of {total} leads, {assignments} assignments, {money(revenue_cents, CURRENCY)} charged"
                live.update(live_view(database, NICHES, CURRENCY, title), refresh=True)
            time.sleep(max(0.0, pause_seconds - (time.monotonic() - tick_began)))
    seconds = time.monotonic() - started
    say(
        f"{done:,} leads in {seconds:.1f} s: {assignments:,} assignments, {money(revenue_cents, CURRENCY)} charged, "
        "each lead decided, charged, assigned and journaled in one transaction.",
        "bold",
    )
    return newest


def _by_niche(leads: list[DemoLead]) -> dict[str, list[dict[str, object]]]:
    grouped: dict[str, list[dict[str, object]]] = defaultdict(list)
    for lead in leads:
        grouped[lead.niche_slug].append(lead.attributes)
    return grouped


def _prove(database: Database) -> None:
    result = verify(database)
    things = sum(check.checked for check in result.checks)
    if not result.holds:
        for check in result.checks:
            for difference in check.differences:
                say(f"{check.name}: {difference}", "red")
        raise typer.Exit(1)
    say(
        f"Verified: {result.decisions_replayed:,} decisions taken again and equal byte for byte, "
        f"{len(result.checks)} checks on {things:,} things hold.",
        "bold green",
    )
