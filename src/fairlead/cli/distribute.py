"""`fairlead distribute`: decide waiting leads now."""

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Annotated

import typer
from rich.progress import Progress

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say, say_aside
from fairlead.cli.progress import progress_bar
from fairlead.core.errors import BadInput, FairleadError, Refused, Unavailable
from fairlead.core.money.currency import money
from fairlead.flows.approve_lead import trigger_distribution, trigger_untried
from fairlead.flows.distribute_niche import distribute_niche
from fairlead.flows.distributor import Distributed, Distributor
from fairlead.flows.lead_jobs import withdraw_needless_jobs
from fairlead.settings import load_settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.lookups import WaitingNiche, lead_state, marketplace_currency, niches_with_waiting_leads

OUTCOME_WORDS = {
    "success": "sold to all it could be sold to",
    "partial": "sold, though some who wanted it could not pay",
    "no_eligible": "no eligible provider; stays approved and can be tried again",
    "failed": "failed; nothing was sold, and a worker tries again",
}


def distribute(
    lead_id: Annotated[
        str | None, typer.Argument(help="One lead, decided at once (again, if no provider bought it).")
    ] = None,
    pending: Annotated[bool, typer.Option("--pending", help="Every approved lead that awaits a decision.")] = False,
    niche: Annotated[str | None, typer.Option(help="Only this niche (its slug); with --pending.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Distribute leads now: decide, charge, assign, each lead in one transaction.

    Workers do this by themselves for every approved lead; here it is done at once, also where no worker runs and in
    niches that do not distribute by themselves. A lead that was distributed before is left as it is and its recorded
    outcome shown.

    Examples:

        fairlead distribute --pending

        fairlead distribute --pending --niche vps-hosting

        fairlead distribute 01900000-0000-7000-8000-000000000000
    """
    if (lead_id is None) == (not pending):
        raise BadInput(["say which: one LEAD_ID, or --pending for all that wait"])
    if lead_id is not None and niche is not None:
        raise BadInput(["--niche goes with --pending; a LEAD_ID says its niche itself"])
    with marketplace() as database:
        distributor = Distributor(database, load_settings().max_leads_per_batch)
        if lead_id is not None:
            _one(database, distributor, lead_id, as_json)
        else:
            _pending(database, distributor, niche, as_json)


def _one(database: Database, distributor: Distributor, lead_id: str, as_json: bool) -> None:
    trigger_distribution(database, lead_id, OPERATOR)
    with database.snapshot() as conn:
        before = lead_state(conn, lead_id)
    result = Distributed(())
    if before.awaits_decision:
        result = distributor.distribute_waiting(before.niche_id, only_lead_id=before.lead_id)
        withdraw_needless_jobs(database, [decision.lead_id for decision in result.decisions])
    error = next((failure.error for failure in result.failures), None)
    with database.snapshot() as conn:
        lead = lead_state(conn, lead_id)
    if as_json:
        print_json(
            {
                "lead_id": lead.lead_id,
                "lead_status": lead.status,
                "last_attempt_status": lead.last_outcome or "none",
                "assignments_created": lead.assignment_count,
                "distribution_attempts": lead.distribution_attempts,
                "was_decided_before": not before.awaits_decision,
                "error": error,
            }
        )
    else:
        outcome = lead.last_outcome or "none"
        earlier = "" if before.awaits_decision else ", decided earlier"
        say(f"{lead.lead_id}: {outcome}{earlier}, {lead.assignment_count} recipients", _style(outcome))
        if error is not None:
            say(f"  {error}", "red")
        say(f"  {OUTCOME_WORDS.get(outcome, '')}. Why: fairlead explain {lead.lead_id}", "dim")
    if lead.last_outcome == "failed":
        raise typer.Exit(1)


@dataclass(slots=True)
class _Tally:
    """What was done so far. `inactive` are the niches whose leads wait, `stopped_by` is what ended it half-way."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    assignments: int = 0
    revenue_cents: int = 0
    failures: list[str] = field(default_factory=list[str])
    inactive: list[WaitingNiche] = field(default_factory=list[WaitingNiche])
    stopped_by: FairleadError | None = None

    def add(self, result: Distributed) -> None:
        self.outcomes.update(decision.outcome.value for decision in result.decisions)
        self.outcomes["failed"] += len(result.failures)
        self.failures += [f"{failure.lead_id}: {failure.error}" for failure in result.failures]
        recipients = [recipient for decision in result.decisions for recipient in decision.recipients]
        self.assignments += len(recipients)
        self.revenue_cents += sum(recipient.price_cents for recipient in recipients)


def _pending(database: Database, distributor: Distributor, slug: str | None, as_json: bool) -> None:
    with database.snapshot() as conn:
        niches = niches_with_waiting_leads(conn, slug)
    for niche in niches:
        trigger_untried(database, niche.niche_id, OPERATOR)
    with database.snapshot() as conn:
        niches = niches_with_waiting_leads(conn, slug)
        currency = marketplace_currency(conn)
    started = time.monotonic()
    tally = _Tally()
    with progress_bar("leads") as bar:
        try:
            for waiting in niches:
                _drain(distributor, waiting, tally, bar)
        except (Refused, Unavailable) as error:
            tally.stopped_by = error
    seconds = time.monotonic() - started
    if as_json:
        _summary_as_json(tally, currency, seconds)
    else:
        _summary(tally, currency, seconds)
    if tally.stopped_by is not None:
        raise tally.stopped_by
    if tally.failures:
        raise typer.Exit(1)


def _drain(distributor: Distributor, waiting: WaitingNiche, tally: _Tally, bar: Progress) -> None:
    """The niche's waiting leads are decided and tallied, unless it is inactive: then they wait, and others go on."""
    if not waiting.waiting_count:
        return
    if not waiting.is_active:
        tally.inactive.append(waiting)
        return
    task = bar.add_task(waiting.slug, total=waiting.waiting_count)
    left = waiting.waiting_count
    try:
        for result in distribute_niche(distributor, waiting.niche_id):
            bar.advance(task, len(result))
            left -= len(result)
            tally.add(result)
            if result.batch_error is not None:
                say_aside(f"leads of {waiting.slug} failed together, so each was tried alone: {result.batch_error}")
    except Refused as refused:
        if refused.code != "niche_inactive":
            raise
        if left > 0:  # switched off meanwhile
            tally.inactive.append(replace(waiting, is_active=False, waiting_count=left))


def _summary_as_json(tally: _Tally, currency: str, seconds: float) -> None:
    print_json(
        {
            "leads_decided": tally.outcomes.total(),
            "outcomes": {name: tally.outcomes[name] for name in OUTCOME_WORDS},
            "assignments": tally.assignments,
            "revenue_cents": tally.revenue_cents,
            "currency": currency,
            "seconds": round(seconds, 3),
            "failures": tally.failures,
            "inactive_niches_with_waiting_leads": [niche.slug for niche in tally.inactive],
        }
    )


def _summary(tally: _Tally, currency: str, seconds: float) -> None:
    decided = tally.outcomes.total()
    for niche in tally.inactive:
        say(f"{niche.slug} is inactive: its {niche.waiting_count} leads wait", "yellow")
    if not decided and tally.stopped_by is None:
        say("No lead awaits a decision.")
        return
    say(
        f"{decided:,} leads decided in {seconds:.1f} s ({decided / max(seconds, 0.001):,.0f}/s), "
        f"{tally.assignments:,} assignments, {money(tally.revenue_cents, currency)} charged",
        "bold",
    )
    for outcome, words in OUTCOME_WORDS.items():
        if tally.outcomes[outcome]:
            say(f"  {outcome:<12}{tally.outcomes[outcome]:>8,}  {words}", _style(outcome))
    for failure in tally.failures:
        say(f"  {failure}", "red")


def _style(outcome: str) -> str:
    return {"success": "green", "partial": "yellow", "failed": "red"}.get(outcome, "cyan")
