"""The decision as a picture: levels as columns in the order of the traversal, in each the queue from its head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from fairlead.console.refusal_texts import refusal_sentence, summary_text
from fairlead.console.texts import translated
from fairlead.console.viewer import Viewer
from fairlead.core.decision import Decision
from fairlead.core.decision_queues import Candidate, LevelQueue
from fairlead.core.messages import Names
from fairlead.core.refusals import LeadFull, LevelFull
from fairlead.flows.explaining.decision_queues import MOST_LISTED

MOST_ROWS = 60
"""Of one level: what was asked beyond these is folded away, but for recipients."""

DENSE_FROM_ROWS = 60
"""From so many rows in all on, each takes one line."""

MOST_SLOTS_DRAWN = 12


class ToldDecision(Protocol):
    """A decision with the queues that it went through: one that was taken, or that of a dry run."""

    @property
    def decision(self) -> Decision: ...
    @property
    def levels(self) -> Sequence[LevelQueue]: ...
    @property
    def is_whole(self) -> bool: ...
    @property
    def provider_names(self) -> Mapping[str, str]: ...
    @property
    def names(self) -> Names: ...


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A candidate. `kind`: it received the lead, lacked money, or was passed over for another reason."""

    kind: Literal["received", "money", "passed"]
    rank: int | None
    provider_id: str
    provider_name: str
    served_ago: int | None
    was_served: bool | None
    price_cents: int | None = None
    before_cents: int | None = None
    after_cents: int | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class OutsideRows:
    """Subscriptions that were in no queue, for one reason; `more_count` are not listed."""

    reason: str
    summary: str
    count: int
    rows: tuple[PictureRow, ...]
    more_count: int


@dataclass(frozen=True, slots=True)
class PictureLevel:
    """One column. `full_text` says why the lead took no further recipient from it; empty where it did."""

    number: int
    name: str
    order_position: int
    price_cents: int
    max_recipients: int
    taken: int
    slots: tuple[bool, ...]
    queue_length: int
    outside_count: int
    rows: tuple[PictureRow, ...]
    folded: tuple[PictureRow, ...]
    behind_count: int
    outside: tuple[OutsideRows, ...]
    is_empty: bool
    full_text: str = ""
    price_rule: str | None = None

    @property
    def all_rows(self) -> tuple[PictureRow, ...]:
        """Every candidate that was asked, folded or not."""
        return tuple(sorted((*self.rows, *self.folded), key=lambda row: row.rank or 0))


@dataclass(frozen=True, slots=True)
class DecisionPicture:
    """All of it. `next_level` is where the pointer stands after the decision, None where no level is active.

    `hash_text` is of its entry in the journal; empty where nothing was decided, but tried.
    """

    journal_seq: int
    outcome: str
    levels: tuple[PictureLevel, ...]
    next_level: str | None
    next_position: int
    charged_cents: int
    recipient_count: int
    slot_count: int
    passed_count: int
    outside_count: int
    hash_text: str
    is_whole: bool
    is_dense: bool
    density: Literal["few", "some", "many"]


def picture_of(story: ToldDecision, viewer: Viewer, entry_hash: bytes = b"") -> DecisionPicture:
    """The picture of the decision that was told, in the language of the page."""
    levels = tuple(_column(story, viewer, number, queue) for number, queue in enumerate(story.levels, start=1))
    decision = story.decision
    row_count = sum(len(level.rows) + len(level.folded) for level in levels)
    return DecisionPicture(
        journal_seq=decision.seq,
        outcome=decision.outcome.value,
        levels=levels,
        next_level=next(
            (each.name for each in levels if each.order_position == decision.next_start_order_position), None
        ),
        next_position=decision.next_start_order_position,
        charged_cents=sum(each.price_cents for each in decision.recipients),
        recipient_count=len(decision.recipients),
        slot_count=sum(level.max_recipients for level in levels),
        passed_count=sum(row.kind != "received" for level in levels for row in level.all_rows)
        + sum(level.behind_count for level in levels),
        outside_count=sum(level.outside_count for level in levels),
        hash_text=entry_hash.hex(),
        is_whole=story.is_whole,
        is_dense=row_count >= DENSE_FROM_ROWS,
        density="few" if len(levels) <= 3 else "some" if len(levels) <= 6 else "many",
    )


def _column(story: ToldDecision, viewer: Viewer, number: int, queue: LevelQueue) -> PictureLevel:
    level, result = queue.result.level, queue.result
    rows = [_row(story, viewer, each) for each in queue.reached]
    shown = [row for place, row in enumerate(rows) if place < MOST_ROWS or row.kind == "received"]
    folded = [row for place, row in enumerate(rows) if place >= MOST_ROWS and row.kind != "received"]
    drawn = range(level.max_recipients) if level.max_recipients <= MOST_SLOTS_DRAWN else ()
    outside = _outside(story, viewer, queue)
    return PictureLevel(
        number=number,
        name=level.name,
        order_position=level.order_position,
        price_cents=level.price_cents,
        max_recipients=level.max_recipients,
        taken=len(result.recipients),
        slots=tuple(slot < len(result.recipients) for slot in drawn),
        queue_length=queue.queue_length,
        outside_count=sum(each.count for each in outside),
        rows=tuple(shown),
        folded=tuple(folded),
        behind_count=queue.behind_count if story.is_whole else _behind(result.counts),
        outside=outside,
        is_empty=not rows and not outside and not queue.behind_count,
        full_text="" if result.lead_full is None else refusal_sentence(result.lead_full, story.names, viewer),
        price_rule=result.price_rule and result.price_rule.name,
    )


def _behind(counts: Mapping[str, int]) -> int:
    """Of a decision of which only the record is left: those that the lead or the level was full for."""
    return sum(counts.get(reason, 0) for reason in _FULL)


_FULL = (LeadFull.reason, LevelFull.reason)


def _outside(story: ToldDecision, viewer: Viewer, queue: LevelQueue) -> tuple[OutsideRows, ...]:
    if not story.is_whole:
        counts = {reason: count for reason, count in queue.result.counts.items() if reason not in _FULL}
        return tuple(OutsideRows(reason, summary_text(reason), count, (), count) for reason, count in counts.items())
    return tuple(
        OutsideRows(
            reason,
            summary_text(reason),
            len(own),
            tuple(_row(story, viewer, each) for each in own[:MOST_LISTED]),
            max(0, len(own) - MOST_LISTED),
        )
        for reason, own in queue.outside.items()
    )


def _row(story: ToldDecision, viewer: Viewer, each: Candidate) -> PictureRow:
    name = story.provider_names.get(each.provider_id, each.provider_id)
    was_served = None if each.rank is None else each.served_ago is not None
    if each.recipient is not None:
        paid = each.recipient
        before, after = paid.balance_before_cents, paid.balance_before_cents - paid.price_cents
        return PictureRow(
            "received", each.rank, each.provider_id, name, each.served_ago, was_served, paid.price_cents, before, after
        )
    assert each.refusal is not None, "a candidate received the lead or was refused"
    kind: Literal["money", "passed"] = "money" if each.refusal.used_balance else "passed"
    sentence = refusal_sentence(each.refusal, story.names, viewer)
    return PictureRow(kind, each.rank, each.provider_id, name, each.served_ago, was_served, sentence=sentence)


def choices_of(story: ToldDecision, most: int = 1_000) -> Sequence[tuple[str, str]]:
    """The providers that had a subscription in the niche then, by name: id and name, at most so many."""
    return sorted(story.provider_names.items(), key=lambda each: (each[1].casefold(), each[0]))[:most]


def outcome_sentence(picture: DecisionPicture) -> str:
    """What came of the decision, in words."""
    if not picture.levels:
        return translated("no level was active")
    if picture.outcome == "partial":
        return translated("partial: a slot stayed open because of money, a limit or a schedule")
    if picture.outcome == "no_eligible":
        return translated("no candidate could receive it")
    return translated("every slot that a candidate could take is sold")
