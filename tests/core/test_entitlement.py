"""Counting what subscriptions could have had: in whichever pieces, the same; and what it says where leads are gone."""

import random

import pytest

from fairlead.core.configuration_entries import level_payload, niche_payload, provider_payload, subscription_payload
from fairlead.core.entitlement import (
    ENTITLED,
    MILLIONTHS,
    EntitlementCounter,
    EntitlementPiece,
    added_up,
    longest_wait,
    wait_bound,
)
from fairlead.core.journal import JournalEntryKind
from fairlead.core.model import Balance, Level, Subscription, filter_text
from fairlead.core.roster import Roster
from tests.core.history import EVERY_LEAD, FORM, History, id_of

COOKS = {"version": 1, "rules": [{"field_key": "job", "operator": "eq", "value": "cook"}]}
LEVEL = Level(id_of("level", 1), "gold", 100, 2, 1, is_active=True)


def subscription(number: int, rules: dict[str, object]) -> Subscription:
    return Subscription(
        id_of("subscription", number), id_of("provider", number), LEVEL.level_id, True, None, filter_text(rules), True
    )


def history(dice: random.Random, leads: int) -> History:
    """Five providers with money for some leads, one more that joins half way; two of them only want cooks."""
    past = History()
    past.write(
        (JournalEntryKind.NICHE, niche_payload("hosting", "Hosting", True, FORM)),
        (JournalEntryKind.LEVEL, level_payload(LEVEL, is_deleted=False)),
    )
    for lead in range(leads):
        for number in range(5) if lead == 0 else [5] if lead == leads // 2 else []:
            past.balances[id_of("provider", number)] = Balance(300 if number == 2 else 100_000, 0, 0)
            own = subscription(number, COOKS if number % 3 == 0 else dict(EVERY_LEAD))
            past.write(
                (JournalEntryKind.PROVIDER, provider_payload(own.provider_id, "active")),
                (JournalEntryKind.SUBSCRIPTION, subscription_payload(own, is_deleted=False)),
            )
        past.distribute(past.lead({"job": dice.choice(("cook", "pilot"))}))
    return past


def counted(past: History, cuts: frozenset[int], gone: frozenset[str] = frozenset()) -> list[EntitlementPiece]:
    """The journal counted anew, in pieces that end before these entries."""
    counter, roster, pieces = EntitlementCounter(), Roster(past.roster.niche_id), list[EntitlementPiece]()
    for entry in past.entries:
        if entry.seq in cuts:
            pieces.append(counter.take())
        if entry.kind is JournalEntryKind.DECISION:
            lead_id = str(entry.payload["lead_id"])
            counter.count(roster, entry.payload, None if lead_id in gone else past.leads[lead_id][0])
        else:
            counter.forget_roster()
        roster.fold(entry)
    return [*pieces, counter.take()]


@pytest.mark.parametrize("seed", range(12))
def test_in_whichever_pieces_it_is_counted_the_whole_is_the_same(seed: int) -> None:
    dice = random.Random(seed)
    past = history(dice, 40)
    [whole] = counted(past, frozenset())
    cuts = frozenset(dice.sample(range(2, len(past.entries)), dice.randrange(1, 9)))
    pieces = [EntitlementPiece.unpacked(each.packed()) for each in counted(past, cuts)]
    assert len(pieces) > 1
    assert added_up(pieces).packed() == whole.packed()
    middle = len(pieces) // 2
    assert added_up(pieces[:middle]).followed_by(added_up(pieces[middle:])).packed() == whole.packed()


@pytest.mark.parametrize("seed", range(6))
def test_slots_are_shared_whole_and_no_wait_is_longer_than_its_bound(seed: int) -> None:
    [whole] = counted(history(random.Random(seed), 60), frozenset())
    [slots] = whole.levels.values()
    rows = whole.rows()
    assert slots.filled == sum(row[0] for row in rows.values())
    assert sum(row[ENTITLED] for row in rows.values()) == pytest.approx(slots.filled * MILLIONTHS, abs=60 * 6)
    assert 0 < max(map(longest_wait, rows.values())) <= wait_bound(len(rows), slots.least_slots)


def test_a_lead_whose_answers_are_gone_counts_for_none() -> None:
    past = history(random.Random(1), 10)
    gone = frozenset(sorted(past.leads)[:4])
    [whole], [rest] = counted(past, frozenset()), counted(past, frozenset(), gone)
    assert (rest.decisions, rest.uncounted, whole.uncounted) == (10, 4, 0)
    [slots] = rest.levels.values()
    assert slots.decisions == 6
