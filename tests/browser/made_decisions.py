"""Decisions of every size, with made values: from one level of one to twelve levels of thirty."""

from dataclasses import replace

from fairlead.core.decision import LevelResult, Recipient
from fairlead.core.decision_queues import Candidate, LevelQueue
from fairlead.core.filters.mismatch import FilterMismatch
from fairlead.core.filters.rules import Rule
from fairlead.core.form_field import FieldType
from fairlead.core.model import Level
from fairlead.core.refusals import InsufficientBalance
from fairlead.flows.explaining.decision_queues import RecordedQueues
from fairlead.store.ids import new_id

_NORTH = FilterMismatch(Rule("region", "in", ("north",), FieldType.SELECT), "Region", "south")


def of_size(real: RecordedQueues, level_count: int, recipient_count: int) -> RecordedQueues:
    """The decision as if it had so many levels, each with so many recipients, as many passed over, and more behind."""
    names: dict[str, str] = {}
    queues = tuple(_queue(number, recipient_count, names) for number in range(1, level_count + 1))
    decision = replace(real.decision, levels=tuple(each.result for each in queues), next_start_order_position=1)
    return replace(real, decision=decision, levels=queues, provider_names=names)


def _queue(number: int, recipient_count: int, names: dict[str, str]) -> LevelQueue:
    level = Level(new_id(), f"Level {number}", 900, recipient_count, number, is_active=True)
    reached: list[Candidate] = []
    for place in range(recipient_count):
        provider_id, other_id = new_id(), new_id()
        names |= {provider_id: f"Anchor Cloud Hosting {place}", other_id: f"Oarlock Systems {place}"}
        paid = Recipient(new_id(), new_id(), provider_id, place + 1, 900, 2, 120_400, 0)
        refusal = InsufficientBalance(650, 900)
        if recipient_count > 1:
            reached.append(Candidate(new_id(), other_id, 2 * place + 1, 40 + place, None, refusal))
        reached.append(Candidate(paid.subscription_id, provider_id, 2 * place + 2, None, paid, None))
    outside = tuple(
        Candidate(new_id(), provider_id, None, None, None, _NORTH)
        for provider_id in [each.provider_id for each in reached][:3]
    )
    recipients = tuple(each.recipient for each in reached if each.recipient is not None)
    return LevelQueue(LevelResult(level, recipients, (), {}), tuple(reached), 214, {"filter_mismatch": outside})
