"""A lead's story and a provider's standing as a person would tell them, line by line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from fairlead.core import gates
from fairlead.core.canonical import timestamp_text
from fairlead.core.messages import Names
from fairlead.core.money.currency import money
from fairlead.core.refusals import LeadFull
from fairlead.flows.explaining.explain import DecisionStory, LeadStory, ProviderStory
from fairlead.flows.try_lead import TriedLead

Tone = Literal["heading", "plain", "good", "refusal", "aside"]


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One line of a story, indented as it belongs to those above it. `tone` says what kind of thing it tells."""

    text: str
    tone: Tone = "plain"


def lead_lines(story: LeadStory) -> tuple[StoryLine, ...]:
    """What the lead is, and whether it was ever decided."""
    lead = story.lead
    lines = [StoryLine(f"Lead {lead.lead_id} in {lead.niche_slug}: {lead.status}", "heading")]
    if not story.decisions:
        waits = "it awaits its decision" if lead.awaits_decision else "only approved leads are decided"
        lines.append(StoryLine(f"  It was never decided; {waits}."))
    return tuple(lines)


def decision_lines(story: LeadStory, decision: DecisionStory, number: int) -> tuple[StoryLine, ...]:
    """One decision, the lead's first or second or so: where it started, and each level in its order."""
    when = timestamp_text(decision.recorded_at)
    head = f"Decision {number} (journal entry {decision.seq}, {when}): {decision.payload['outcome']}"
    return (StoryLine(head, "heading"), *_payload_lines(story, decision.payload))


def dry_run_lines(tried: TriedLead) -> tuple[StoryLine, ...]:
    """What would become of the lead: each level in its order, what it would bring, and what that would switch off."""
    decision, when = tried.decision, timestamp_text(tried.tried_at)
    moment = f"at {when}, with the turns and balances of now" if tried.is_later else f"now ({when})"
    head = f"A lead like this in {tried.niche_slug}, were it decided {moment}: {decision.outcome.value}"
    lines = [StoryLine(head, "heading"), *_payload_lines(tried, tried.payload)]
    count, charged = len(decision.recipients), money(tried.charged_cents, tried.currency)
    many = f"  {count} providers would pay {charged} in all."
    lines.append(
        StoryLine({0: "  No provider would get it.", 1: f"  1 provider would pay {charged}."}.get(count, many))
    )
    for each in tried.deactivated:
        provider, level = tried.provider_names[each.provider_id], tried.level_names[each.level_id]
        lines.append(StoryLine(f"  {provider} could not pay for {level} any more: it is switched off.", "aside"))
    return (*lines, StoryLine("  Nothing was written, and no turn has moved.", "aside"))


def provider_lines(story: ProviderStory) -> tuple[StoryLine, ...]:
    """Why the provider did or did not receive the lead, at each level that it subscribed to."""
    decided = timestamp_text(story.decided_at)
    lines = [StoryLine(f"{story.provider_name} and lead {story.lead.lead_id}, decided {decided}", "heading")]
    if not story.standings and not story.unvisited:
        lines.append(StoryLine("  It had no subscription in this niche at that time."))
    for level, standing in story.standings:
        if standing.recipient is not None:
            price = money(standing.recipient.price_cents, story.currency)
            by_rule = "" if standing.price_rule is None else f", by the price rule `{standing.price_rule}`"
            lines.append(StoryLine(f"  {level.name}: received the lead for {price}{by_rule}", "good"))
        else:
            assert standing.refusal is not None, "who did not receive it was refused"
            told = f"{standing.refusal.sentence(story.names)} ({standing.refusal.reason})"
            lines.append(StoryLine(f"  {level.name}: {told}", "refusal"))
    lines += [
        StoryLine(f"  {each.name}: the level was inactive and was not visited", "aside") for each in story.unvisited
    ]
    return tuple(lines)


class _Named(Protocol):
    """What the ids of a decision stand for."""

    @property
    def currency(self) -> str: ...
    @property
    def provider_names(self) -> Mapping[str, str]: ...
    @property
    def level_names(self) -> Mapping[str, str]: ...


def _payload_lines(named: _Named, payload: Mapping[str, Any]) -> Iterator[StoryLine]:
    if payload["start_order_position"] is None:
        yield StoryLine("  No level was active.")
        return
    start, following = payload["start_order_position"], payload["next_start_order_position"]
    yield StoryLine(f"  The rotation started at position {start}; the next lead starts at {following}.", "aside")
    for level in payload["levels"]:
        yield from _level_lines(named, level)


def refusal_sentence(story: _Named, refused: Mapping[str, Any], level: Mapping[str, Any]) -> str:
    """Why this one of a recorded level's `refused` did not receive the lead."""
    names = Names(story.level_names, story.currency, story.provider_names)
    return gates.recorded_refusal(refused, level).sentence(names)


def _level_lines(story: _Named, level: Mapping[str, Any]) -> Iterator[StoryLine]:
    name = story.level_names.get(level["level_id"], level["level_id"])
    price, taken = money(level["price_cents"], story.currency), len(level["recipients"])
    rule = f" by the price rule `{level['price_rule']['name']}`" if "price_rule" in level else ""
    yield StoryLine(f"  {name}: {price} each{rule}, {taken} of {level['max_recipients']} places taken", "heading")
    for place, recipient in enumerate(level["recipients"], start=1):
        before = money(recipient["balance_before_cents"], story.currency)
        yield StoryLine(f"    {place}. {_name(story, recipient)}, paid from {before}", "good")
    for refused in level["refused"]:
        yield StoryLine(f"    -  {_name(story, refused)}: {refusal_sentence(story, refused, level)}", "refusal")
    for reason, count in level["counts"].items():
        yield StoryLine(f"    {count:>5,} more: {gates.REGISTRY.by_reason[reason].summary} ({reason})", "aside")
    if "lead_full" in level:
        full = LeadFull.read(level["lead_full"], level)
        yield StoryLine(f"    {full.sentence(Names(story.level_names, story.currency))}", "aside")
    if not level["recipients"] and not level["refused"] and not level["counts"]:
        yield StoryLine("    no provider is subscribed to this level", "aside")


def _name(story: _Named, each: Mapping[str, Any]) -> str:
    return story.provider_names.get(each["provider_id"], each["provider_id"])
