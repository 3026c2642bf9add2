"""The demo itself: set up, stream, summarise, verify."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Annotated

import typer
from rich.live import Live

from fairlead.cli.demo.console import CONNECTIONS, demo_console
from fairlead.cli.demo.history import NO_EMAIL_LEAVES, SENDER, make_history
from fairlead.cli.demo.past_changes import demo_marketplace, former_providers
from fairlead.cli.demo.providers_desk import ProvidersDesk
from fairlead.cli.demo.screen import live_view, show_next_commands, show_summary
from fairlead.cli.demo.stream import DemoLead, by_niche, demo_leads
from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import console, say
from fairlead.cli.progress import progress_bar
from fairlead.core.errors import Refused
from fairlead.core.money.currency import money
from fairlead.flows.declaring.apply_marketplace import apply_marketplace
from fairlead.flows.distribute_niche import distribute_niche
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.deposit import deposit
from fairlead.flows.notifications.hand_over import hand_over_emails
from fairlead.flows.proving.verify import verify
from fairlead.flows.submit_leads import submit_leads
from fairlead.settings import load_settings
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from fairlead.store.lookups import (
    count_of_leads,
    has_other_providers,
    niches_with_waiting_leads,
    providers_out_of_funds,
)

NICHES = ["vps-hosting", "dedicated-servers"]
CURRENCY = "EUR"
LEADS_WITHOUT_A_TERMINAL = 400
HISTORY_DAYS = 365
LEADS_PER_TICK = 5
LEADS_PER_TOP_UP = 20
TOP_UP_CENTS = 30_000
EXAMPLE_PROVIDER = "sales@anchor-cloud.example"


def demo(
    leads: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="How many leads stream in; on a terminal as many as come until Ctrl-C."),
    ] = None,
    per_second: Annotated[float, typer.Option(min=0.1, help="How fast, on a terminal.")] = 5.0,
    seed: Annotated[int, typer.Option(help="Another number, other leads.")] = 7,
    fast: Annotated[bool, typer.Option("--fast", help="As fast as they can be distributed, and no console.")] = False,
    history_days: Annotated[
        int | None,
        typer.Option(
            min=0, max=730, help="How much history is behind a new marketplace; on a terminal a year, else none."
        ),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the console in the browser.")] = True,
) -> None:
    """Watch leads being sold: a sample marketplace for VPS and dedicated servers, leads streaming in.

    On a terminal the marketplace has a year of history first, the console opens in the browser, logged in, and leads
    keep coming until Ctrl-C. Elsewhere, and with --fast, there is no history and it ends by itself. It proves with
    `verify` that all of it was right, and leaves the marketplace to play with. Run it again and more leads come in, on
    a terminal after those of the days between.

    Examples:

        fairlead demo

        fairlead demo --leads 2000 --fast --seed 11
    """
    say("Setting up: PostgreSQL, schema, a sample marketplace ...", "dim")
    with marketplace(max_connections=CONNECTIONS) as database:
        is_living = console.is_terminal and not fast
        days = history_days if history_days is not None else (HISTORY_DAYS if is_living else 0)
        _set_up(database, seed, days)
        with database.snapshot() as conn:
            already = count_of_leads(conn)
        stream = demo_leads(seed, already)
        if is_living:
            with demo_console(database, EXAMPLE_PROVIDER, SENDER, open_browser=browser) as address:
                newest = _run(database, islice(stream, leads), leads, LEADS_PER_TICK / per_second, address)
        else:
            count = leads or LEADS_WITHOUT_A_TERMINAL
            newest = _run(database, islice(stream, count), count, 0.0)
        show_summary(database, NICHES, CURRENCY)
        _prove(database)
        show_next_commands(newest, EXAMPLE_PROVIDER)


def _set_up(database: Database, seed: int, history_days: int) -> None:
    declaration = demo_marketplace()
    providers = [*declaration.providers, *former_providers().providers]
    with database.snapshot() as conn:
        # By its providers, not by its niches: others may sell VPS hosting too, and made-up leads cost real money.
        is_elsewhere = has_other_providers(conn, [provider.email for provider in providers])
        is_elsewhere |= any(niche.slug not in NICHES for niche in niches_with_waiting_leads(conn, None))
    if is_elsewhere:
        raise Refused(
            "demo_not_here",
            f"the schema {database.schema_name!r} holds a marketplace already: the demo wants one of its own, for "
            "example with FAIRLEAD_SCHEMA=fairlead_demo",
        )
    if history_days:
        _make_history(database, seed, history_days)
    apply_marketplace(database, declaration, SENDER)


def _make_history(database: Database, seed: int, days: int) -> None:
    """Ctrl-C leaves what there is of it: the next start goes on from there."""
    started, made = time.monotonic(), None
    with suppress(KeyboardInterrupt), progress_bar("days") as bar:
        task = bar.add_task("the days before", total=None)

        def show(first: datetime, reached: datetime, until: datetime) -> None:
            bar.update(task, completed=(reached - first).days, total=(until - first).days)

        made = make_history(database, seed, days, show)
    if made is not None and made.leads:
        took = f"{time.monotonic() - started:.0f} s"
        say(
            f"The days since {made.first:%d %B %Y}: {made.leads:,} leads, sold by the rules of every day, in {took}.",
            "dim",
        )


@dataclass(slots=True)
class _DemoTally:
    """What the demo has done so far."""

    leads: int = 0
    assignments: int = 0
    revenue_cents: int = 0
    newest_lead_id: str | None = None

    def __str__(self) -> str:
        return f"{self.leads:,} leads, {self.assignments:,} assignments, {money(self.revenue_cents, CURRENCY)} charged"


def _run(
    database: Database, stream: Iterator[DemoLead], total: int | None, pause_seconds: float, address: str | None = None
) -> str | None:
    """The stream is distributed, until its end or Ctrl-C. With an address it is said where the console is, and
    providers answer what they get.
    """
    started = time.monotonic()
    tally = _DemoTally()
    desk = None if address is None else ProvidersDesk(database)
    with suppress(KeyboardInterrupt), _display(database, total, address) as show:
        for tally in _distributed(database, stream, pause_seconds, desk):
            show(tally)
    say(f"{tally} in {time.monotonic() - started:.1f} s: each lead decided, charged, assigned and", "bold")
    say("journaled in one transaction.", "bold")
    return tally.newest_lead_id


@contextmanager
def _display(database: Database, total: int | None, address: str | None) -> Generator[Callable[[_DemoTally], None]]:
    """A way to show progress: everything live on a terminal, a bar where only errors go to one, else nothing."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            where = "" if address is None else f"Console: {address}  (Ctrl-C ends the demo)\n"
            of_all = "" if total is None else f"Of {total:,} leads: "
            yield lambda tally: live.update(
                live_view(database, NICHES, CURRENCY, f"{where}{of_all}{tally}"), refresh=True
            )
    else:
        with progress_bar("leads") as bar:
            task = bar.add_task("leads", total=total)
            yield lambda tally: bar.update(task, completed=tally.leads)


def _distributed(
    database: Database, stream: Iterator[DemoLead], pause_seconds: float, desk: ProvidersDesk | None
) -> Iterator[_DemoTally]:
    """The stream submitted and distributed, some leads at a time; what was done, after each time."""
    distributor = Distributor(database, load_settings().max_leads_per_batch)
    with database.snapshot() as conn:
        niche_ids = {niche.slug: niche.niche_id for niche in niches_with_waiting_leads(conn, None)}
    tally = _DemoTally()
    while tick := list(islice(stream, LEADS_PER_TICK)):
        began = time.monotonic()
        if tally.leads % LEADS_PER_TOP_UP == 0:
            _top_up(database)
        for slug, leads in by_niche(tick).items():
            attributes, details = [each.attributes for each in leads], [each.details for each in leads]
            lead_ids = submit_leads(database, slug, attributes, SENDER, approve=True, details=details)
            tally.newest_lead_id = lead_ids[-1]
            for result in distribute_niche(distributor, niche_ids[slug]):
                for decision in result.decisions:
                    tally.assignments += len(decision.recipients)
                    tally.revenue_cents += sum(recipient.price_cents for recipient in decision.recipients)
                    if desk is not None:
                        desk.answer(decision.recipients)
        hand_over_emails(database, NO_EMAIL_LEAVES)
        tally.leads += len(tick)
        yield tally
        time.sleep(max(0.0, pause_seconds - (time.monotonic() - began)))


def _top_up(database: Database) -> None:
    """Every provider that ran out of money pays in again: its subscriptions come back."""
    with database.snapshot() as conn:
        out_of_funds = providers_out_of_funds(conn)
    for provider_id in out_of_funds:
        deposit(database, provider_id, TOP_UP_CENTS, "demo", f"top-up-{new_id(database)}", SENDER)


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
        f"{sum(check.checked > 0 for check in result.checks)} checks on {things:,} things hold.",
        "bold green",
    )
