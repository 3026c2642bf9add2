"""`fairlead explain`: a decision as a person would tell it, or the exact reason for one provider."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say
from fairlead.core.canonical import timestamp_text
from fairlead.flows.explaining.decision_lines import (
    StoryLine,
    Tone,
    decision_lines,
    lead_lines,
    provider_lines,
    refusal_sentence,
)
from fairlead.flows.explaining.distribution_status import DistributionStatus, distribution_status
from fairlead.flows.explaining.explain import LeadStory, ProviderStory, explain_lead, explain_provider

_STYLES: Mapping[Tone, str] = {
    "heading": "bold",
    "plain": "",
    "good": "green",
    "refusal": "yellow",
    "aside": "dim",
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
                say_all(provider_lines(standing))


def _tell_lead(story: LeadStory, status: DistributionStatus) -> None:
    say_all(lead_lines(story))
    for note in status.notes:
        say(f"  {note[0].upper()}{note[1:]}.", "yellow")
    for number, decision in enumerate(story.decisions, start=1):
        say("")
        say_all(decision_lines(story, decision, number))


def say_all(lines: Sequence[StoryLine]) -> None:
    """The lines are on the screen, each in the style of its tone."""
    for line in lines:
        say(line.text, _STYLES[line.tone])


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
            {
                "journal_seq": each.seq,
                "recorded_at": timestamp_text(each.recorded_at),
                **each.payload,
                "levels": [_level_json(story, level) for level in each.payload["levels"]],
            }
            for each in story.decisions
        ],
        "provider_names": dict(story.provider_names),
        "level_names": dict(story.level_names),
    }


def _level_json(story: LeadStory, level: Mapping[str, Any]) -> dict[str, object]:
    """The level as it is recorded, and beside each reason its sentence."""
    refused = [{**each, "sentence": refusal_sentence(story, each, level)} for each in level["refused"]]
    return {**level, "refused": refused}


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
                "reason": standing.refusal.reason if standing.refusal else None,
                "sentence": standing.refusal.sentence(story.names) if standing.refusal else None,
            }
            for level, standing in story.standings
        ],
        "levels_not_visited": [level.name for level in story.unvisited],
    }
