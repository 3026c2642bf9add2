"""A lead's story and a provider's standing as a person would tell them, line by line, for whoever shows them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fairlead.core.canonical import timestamp_text
from fairlead.core.currency import money
from fairlead.flows.explain import DecisionStory, LeadStory, ProviderStory

Tone = Literal["heading", "plain", "good", "refusal", "aside"]

REASON_WORDS: Mapping[str, str] = {
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


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a story, indented as it belongs to those above it. `tone` says what kind of thing it tells."""

    text: str
    tone: Tone = "plain"


def lead_words(story: LeadStory) -> tuple[Line, ...]:
    """What the lead is, and whether it was ever decided."""
    lead = story.lead
    lines = [Line(f"Lead {lead.lead_id} in {lead.niche_slug}: {lead.status}", "heading")]
    if not story.decisions:
        waits = "it awaits its decision" if lead.awaits_decision else "only approved leads are decided"
        lines.append(Line(f"  It was never decided; {waits}."))
    return tuple(lines)


def decision_words(story: LeadStory, decision: DecisionStory, number: int) -> tuple[Line, ...]:
    """One decision, the lead's first or second or so: where it started, and each level in its order."""
    payload = decision.payload
    when = timestamp_text(decision.recorded_at)
    lines = [Line(f"Decision {number} (journal entry {decision.seq}, {when}): {payload['outcome']}", "heading")]
    if payload["start_order_position"] is None:
        return (*lines, Line("  No level was active."))
    start, following = payload["start_order_position"], payload["next_start_order_position"]
    lines.append(
        Line(f"  The rotation started at position {start}; the next lead starts at {following}.", "aside"),
    )
    for level in payload["levels"]:
        lines += _level_words(story, level)
    return tuple(lines)


def provider_words(story: ProviderStory) -> tuple[Line, ...]:
    """Why the provider did or did not receive the lead, at each level that it subscribed to."""
    decided = timestamp_text(story.decided_at)
    lines = [Line(f"{story.provider_name} and lead {story.lead.lead_id}, decided {decided}", "heading")]
    if not story.standings and not story.unvisited:
        lines.append(Line("  It had no subscription in this niche at that time."))
    for level, standing in story.standings:
        if standing.recipient is not None:
            price = money(standing.recipient.price_cents, story.currency)
            lines.append(Line(f"  {level.name}: received the lead for {price}", "good"))
        else:
            assert standing.reason is not None, "who did not receive it was refused"
            lines.append(Line(f"  {level.name}: {standing.reason.value}: {standing.detail}", "refusal"))
    lines += [Line(f"  {each.name}: the level was inactive and was not visited", "aside") for each in story.unvisited]
    return tuple(lines)


def _level_words(story: LeadStory, level: Mapping[str, Any]) -> Iterator[Line]:
    name = story.level_names.get(level["level_id"], level["level_id"])
    price, taken = money(level["price_cents"], story.currency), len(level["recipients"])
    yield Line(f"  {name}: {price} each, {taken} of {level['max_recipients']} places taken", "heading")
    for place, recipient in enumerate(level["recipients"], start=1):
        before = money(recipient["balance_before_cents"], story.currency)
        yield Line(f"    {place}. {_name(story, recipient)}, paid from {before}", "good")
    for refused in level["refused"]:
        yield Line(f"    -  {_name(story, refused)}: {_refusal_words(story, refused, level)}", "refusal")
    for reason, count in level["counts"].items():
        yield Line(f"    {count:>5,} more: {REASON_WORDS[reason]} ({reason})", "aside")
    if not level["recipients"] and not level["refused"] and not level["counts"]:
        yield Line("    nobody is subscribed to this level", "aside")


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
