"""`fairlead explain`: a decision as a person would tell it, or the exact reason for one provider."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say
from fairlead.core.canonical import timestamp_text
from fairlead.core.currency import money
from fairlead.flows.distribution_status import DistributionStatus, distribution_status
from fairlead.flows.explain import DecisionStory, LeadStory, ProviderStory, explain_lead, explain_provider

REASON_WORDS = {
    "provider_inactive": "provider not active",
    "subscription_inactive": "subscription not active",
    "filter_invalid": "filter does not fit the form",
    "filter_mismatch": "filter does not want this lead",
    "outside_schedule": "outside its schedule",
    "cap_reached": "cap reached",
    "already_recipient": "provider has the lead from another level",
    "insufficient_balance": "not enough money",
    "level_full": "level was full before their turn",
}


def explain(
    lead_id: Annotated[str, typer.Argument(help="The lead.")],
    provider: Annotated[str | None, typer.Option(help="Why this provider (id or email) did or did not get it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
) -> None:
    """Tell why a lead went to whom it went, level by level, and why not to others.

    With --provider: the exact reason for one provider, by replay of the journal up to the decision, however its
    subscriptions look today.

    Examples:

        fairlead explain 01900000-0000-7000-8000-000000000000

        fairlead explain 01900000-0000-7000-8000-000000000000 --provider hosting@example.com
    """
    with marketplace() as database:
        if provider is None:
            story = explain_lead(database, lead_id)
            status = distribution_status(database, lead_id)
            if as_json:
                print_json(_lead_json(story, status))
            else:
                _tell_lead(story, status)
        else:
            standing = explain_provider(database, lead_id, provider)
            if as_json:
                print_json(_provider_json(standing))
            else:
                _tell_provider(standing)


def _tell_lead(story: LeadStory, status: DistributionStatus) -> None:
    lead = story.lead
    say(f"Lead {lead.lead_id} in {lead.niche_slug}: {lead.status}", "bold")
    if not story.decisions:
        waits = "it awaits its decision" if lead.awaits_decision else "only approved leads are decided"
        say(f"  It was never decided; {waits}.")
    for note in status.notes:
        say(f"  {note[0].upper()}{note[1:]}.", "yellow")
    for number, decision in enumerate(story.decisions, start=1):
        _tell_decision(story, decision, number)


def _tell_decision(story: LeadStory, decision: DecisionStory, number: int) -> None:
    payload = decision.payload
    say("")
    say(
        f"Decision {number} (journal entry {decision.seq}, {timestamp_text(decision.recorded_at)}): "
        f"{payload['outcome']}",
        "bold",
    )
    if payload["start_order_position"] is None:
        say("  No level was active.")
        return
    say(
        f"  The rotation started at position {payload['start_order_position']}; "
        f"the next lead starts at {payload['next_start_order_position']}.",
        "dim",
    )
    for level in payload["levels"]:
        _tell_level(story, level)


def _tell_level(story: LeadStory, level: Mapping[str, Any]) -> None:
    name = story.level_names.get(level["level_id"], level["level_id"])
    price = money(level["price_cents"], story.currency)
    say(
        f"  {name}: {price} each, {len(level['recipients'])} of {level['max_recipients']} places taken",
        "bold",
    )
    for place, recipient in enumerate(level["recipients"], start=1):
        before = money(recipient["balance_before_cents"], story.currency)
        say(f"    {place}. {_name(story, recipient)}, paid from {before}", "green")
    for refused in level["refused"]:
        say(f"    -  {_name(story, refused)}: {_refusal_words(story, refused, level)}", "yellow")
    for reason, count in level["counts"].items():
        say(f"    {count:>5,} more: {REASON_WORDS[reason]} ({reason})", "dim")
    if not level["recipients"] and not level["refused"] and not level["counts"]:
        say("    nobody is subscribed to this level", "dim")


def _refusal_words(story: LeadStory, refused: Mapping[str, Any], level: Mapping[str, Any]) -> str:
    if "available_cents" in refused:
        available = money(refused["available_cents"], story.currency)
        return f"only {available} available, {money(level['price_cents'], story.currency)} needed"
    if "received_at_level_id" in refused:
        elsewhere = story.level_names.get(refused["received_at_level_id"], refused["received_at_level_id"])
        return f"has the lead from level {elsewhere}"
    return REASON_WORDS[refused["reason"]]


def _name(story: LeadStory, each: Mapping[str, Any]) -> str:
    return story.provider_names.get(each["provider_id"], each["provider_id"])


def _tell_provider(story: ProviderStory) -> None:
    say(
        f"{story.provider_name} and lead {story.lead.lead_id}, decided {timestamp_text(story.decided_at)}",
        "bold",
    )
    if not story.standings and not story.unvisited:
        say("  It had no subscription in this niche at that time.")
    for level, standing in story.standings:
        if standing.recipient is not None:
            price = money(standing.recipient.price_cents, story.currency)
            say(f"  {level.name}: received the lead for {price}", "green")
        else:
            assert standing.reason is not None
            say(f"  {level.name}: {standing.reason.value}: {standing.detail}", "yellow")
    for level in story.unvisited:
        say(f"  {level.name}: the level was inactive and was not visited", "dim")


def _lead_json(story: LeadStory, status: DistributionStatus) -> dict[str, object]:
    return {
        "lead_id": story.lead.lead_id,
        "niche": story.lead.niche_slug,
        "lead_status": story.lead.status,
        "last_attempt_at": status.last_attempt_at and timestamp_text(status.last_attempt_at),
        "last_attempt_status": status.last_attempt_status,
        "notes": list(status.notes),
        "currency": story.currency,
        "decisions": [
            {"journal_seq": each.seq, "recorded_at": timestamp_text(each.recorded_at), **each.payload}
            for each in story.decisions
        ],
        "provider_names": dict(story.provider_names),
        "level_names": dict(story.level_names),
    }


def _provider_json(story: ProviderStory) -> dict[str, object]:
    return {
        "lead_id": story.lead.lead_id,
        "provider_name": story.provider_name,
        "decided_at": timestamp_text(story.decided_at),
        "levels": [
            {
                "level_id": level.level_id,
                "level_name": level.name,
                "subscription_id": standing.subscription_id,
                "received": standing.recipient is not None,
                "assignment_id": standing.recipient.assignment_id if standing.recipient else None,
                "reason": standing.reason.value if standing.reason else None,
                "detail": standing.detail,
            }
            for level, standing in story.standings
        ],
        "levels_not_visited": [level.name for level in story.unvisited],
    }
