"""R11: a journal decides itself again byte for byte, and it cannot be changed unnoticed."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fairlead.core.canonical import canonical_json
from fairlead.core.configuration_entries import filter_digest
from fairlead.core.decision import Outcome
from fairlead.core.journal import Entry, JournalEntryKind, seal
from fairlead.core.model import filter_text
from fairlead.core.replay import Replay
from fairlead.core.roster import Roster
from tests.core.history import EVERY_LEAD, History, decided_again, state_of
from tests.core.markets import Market, attributes, busy_history, markets, opened

Payload = dict[str, Any]


@pytest.fixture(scope="module")
def history() -> History:
    busy = busy_history(seed=7, providers=9, leads=25)
    assert {each.outcome for each in busy.decisions} == {Outcome.SUCCESS, Outcome.PARTIAL, Outcome.NO_ELIGIBLE}
    return busy


def replayed(history: History, entries: list[Entry]) -> list[str]:
    other = History()
    other.entries, other.leads = entries, history.leads
    return other.replayed()[1]


def resealed(entries: list[Entry]) -> list[Entry]:
    """The entries with hashes that fit them again: what a superuser who can write the whole table could do."""
    fitting: list[Entry] = []
    for entry in entries:
        seq, head = (fitting[-1].seq, fitting[-1].hash) if fitting else (0, bytes(32))
        contents = [(entry.kind, entry.payload)]
        fitting += [sealed.entry for sealed in seal(entry.niche_id, seq, head, contents, entry.recorded_at)]
    return fitting


def test_an_untouched_history_replays_whole(history: History) -> None:
    replay, differences = history.replayed()
    assert differences == []
    assert replay.entry_count == len(history.entries)
    assert replay.decision_count == len(history.decisions) == 25
    assert replay.pick_count == sum(len(each.recipients) for each in history.decisions) > 0


@given(markets(), st.lists(attributes, max_size=5))
def test_any_history_replays_whole(market: Market, leads: list[dict[str, object]]) -> None:
    own = opened(market)
    for lead in leads:
        own.distribute(own.lead(lead))
    replay, differences = own.replayed()
    assert differences == []
    assert replay.roster.head == own.roster.head


def test_deciding_again_needs_only_the_record(history: History) -> None:
    roster = Roster(history.roster.niche_id)
    for entry in history.entries:
        if entry.kind is JournalEntryKind.DECISION:
            attributes, _ = history.leads[entry.payload["lead_id"]]  # type: ignore[index]
            again = decided_again(roster, entry.payload, attributes)
            assert again == next(each for each in history.decisions if each.seq == entry.seq)
        roster.fold(entry)


def _level_with(payload: Payload, part: str, count: int = 1) -> Payload | None:
    return next((level for level in payload["levels"] if len(level[part]) >= count), None)


def dearer(payload: Payload) -> bool:
    if level := _level_with(payload, "recipients"):
        level["recipients"][0]["price_cents"] += 1
    return level is not None


def swapped(payload: Payload) -> bool:
    if level := _level_with(payload, "recipients", 2):
        level["recipients"][:2] = level["recipients"][1::-1]
    return level is not None


def withheld(payload: Payload) -> bool:
    if level := _level_with(payload, "recipients"):
        level["recipients"].pop()
    return level is not None


def richer(payload: Payload) -> bool:
    if level := _level_with(payload, "refused"):
        refusal = level["refused"][0]
        if refusal["reason"] != "insufficient_balance":
            return False
        refusal["available_cents"] = 10**6
    return level is not None


def unrefused(payload: Payload) -> bool:
    if level := _level_with(payload, "refused"):
        level["refused"].pop()
    return level is not None


def another_start(payload: Payload) -> bool:
    payload["start_order_position"] = 5 if payload["start_order_position"] == 2 else 2
    return True


def another_pointer(payload: Payload) -> bool:
    payload["next_start_order_position"] += 1
    return True


def another_outcome(payload: Payload) -> bool:
    payload["outcome"] = "success" if payload["outcome"] != "success" else "partial"
    return True


def miscounted(payload: Payload) -> bool:
    counts = payload["levels"][0]["counts"]
    counts["filter_mismatch"] = counts.get("filter_mismatch", 0) + 1
    return True


def fewer_elsewhere(payload: Payload) -> bool:
    counts = [level["counts"] for level in payload["levels"] if level["counts"].get("already_recipient", 0) > 1]
    if counts:
        counts[0]["already_recipient"] -= 1
    return bool(counts)


def named_elsewhere(payload: Payload) -> bool:
    """One of those that had the lead already is named, as version 1 did."""
    for number, level in enumerate(payload["levels"]):
        if level["counts"].get("already_recipient", 0) > 1:
            level["counts"]["already_recipient"] -= 1
            before = next(each for each in payload["levels"][:number] if each["recipients"])
            names = {key: before["recipients"][0][key] for key in ("subscription_id", "provider_id")}
            reason = {"reason": "already_recipient", "received_at_level_id": before["level_id"]}
            level["refused"].insert(0, {**names, **reason})
            return True
    return False


def of_version_1(payload: Payload) -> bool:
    """As if the first version had counted, too."""
    del payload["version"]
    return any(level["counts"].get("already_recipient") for level in payload["levels"])


def another_assignment(payload: Payload) -> bool:
    if level := _level_with(payload, "recipients"):
        level["recipients"][0]["assignment_id"] = level["level_id"]
    return level is not None


FORGERIES = [
    dearer,
    swapped,
    withheld,
    richer,
    unrefused,
    another_start,
    another_pointer,
    another_outcome,
    miscounted,
    fewer_elsewhere,
    named_elsewhere,
    of_version_1,
    another_assignment,
]


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forged_decision_is_found_even_when_every_hash_fits_again(
    history: History, forge: Callable[[Payload], bool]
) -> None:
    for number, entry in enumerate(history.entries):
        payload = json.loads(canonical_json(entry.payload))
        if entry.kind is JournalEntryKind.DECISION and forge(payload):
            forged = [*history.entries]
            forged[number] = replace(entry, payload=payload)
            assert replayed(history, forged)[0] == f"entry {entry.seq}: its hash is not that of its content"
            found = replayed(history, resealed(forged))
            assert found
            assert found[0].startswith(f"entry {entry.seq}: deciding it again gives another decision")
            return
    pytest.fail("the history holds no decision that could be forged like this")


def test_a_deactivation_that_was_left_out_is_found(history: History) -> None:
    number = next(
        number
        for number, entry in enumerate(history.entries)
        if entry.payload.get("deactivation_reason") == "insufficient_funds"
    )
    found = replayed(history, resealed(history.entries[:number] + history.entries[number + 1 :]))
    assert "a deactivation for lack of funds was due here" in found[0]
    assert replayed(history, history.entries[:number]) == [
        "the journal ends before deactivations that its last decision made due"
    ]


def test_a_broken_link_is_found(history: History) -> None:
    entry = history.entries[3]
    broken = [*history.entries]
    broken[3] = replace(entry, prev_hash=bytes(32))
    assert replayed(history, broken)[0] == f"entry {entry.seq}: it does not name the entry before it"


def test_a_lead_that_was_changed_afterwards_or_is_gone_is_found(history: History) -> None:
    entry = next(entry for entry in history.entries if entry.kind is JournalEntryKind.DECISION)
    attributes, salt = history.leads[str(entry.payload["lead_id"])]
    cases = [
        ({**attributes, "age": 99}, salt, "the lead's attributes are not those that it committed to"),
        (attributes, bytes(16), "the lead's attributes are not those that it committed to"),
        (None, None, "the lead that it decided is gone"),
    ]
    for changed, own_salt, words in cases:
        replay = Replay(entry.niche_id)
        for before in history.entries[: entry.seq - 1]:
            assert replay.step(before, None, None) == []
        assert replay.step(entry, changed, own_salt) == [f"entry {entry.seq}: {words}"]


NONSENSE = [None, True, -1, 10**400, 1.5, "x", [], {}, [None], {"a": 1}]


def _places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in inner for place in [(*path, key), *_places(each, (*path, key))]]


@settings(max_examples=60)
@given(data=st.data())
def test_any_damage_is_told_and_never_stops_the_replay(history: History, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(history.entries) - 1))
    payload = json.loads(canonical_json(history.entries[number].payload))
    *way, last = data.draw(st.sampled_from(_places(payload)))
    parent = payload
    for key in way:
        parent = parent[key]
    nonsense = data.draw(st.sampled_from(["nothing", *NONSENSE]))
    if nonsense == "nothing":
        del parent[last]
    else:
        assume(parent[last] != nonsense or type(parent[last]) is not type(nonsense))
        parent[last] = nonsense
    damaged = [*history.entries]
    damaged[number] = replace(damaged[number], payload=payload)
    assert replayed(history, damaged)[0].startswith(f"entry {number + 1}: ")


def test_an_entry_that_is_missing_is_found(history: History) -> None:
    found = replayed(history, history.entries[:4] + history.entries[5:])
    assert found[0] == "entry 6: it does not name the entry before it"


def named(history: History) -> tuple[int, Entry]:
    """The first entry that names its filter by a digest, and where it is."""
    return next((n, entry) for n, entry in enumerate(history.entries) if "filter_sha256" in entry.payload)


OTHER_FILTER = {"version": 1, "rules": [{"field_key": "age", "operator": "gte", "value": 31}]}
DIGEST_FORGERIES: dict[str, tuple[dict[str, object], str]] = {
    "another filter's": (
        {"filter_sha256": filter_digest(filter_text(OTHER_FILTER))},
        "`filter_sha256` is not that of the filter",
    ),
    "no digest": ({"filter_sha256": None}, "`filter_sha256` is not that of the filter"),
    "of no subscription": ({"subscription_id": "unknown"}, "`filter_sha256` is not that of the filter"),
    "beside a filter": ({"filter_rules": EVERY_LEAD}, "it has a filter, and the digest of one"),
}


@pytest.mark.parametrize("forgery", DIGEST_FORGERIES)
def test_a_forged_digest_is_found_even_when_every_hash_fits_again(history: History, forgery: str) -> None:
    change, words = DIGEST_FORGERIES[forgery]
    number, entry = named(history)
    forged = [*history.entries]
    forged[number] = replace(entry, payload={**entry.payload, **change})
    found = replayed(history, resealed(forged))
    assert any(words in each for each in found), found


def test_a_filter_forged_where_it_was_written_is_found_where_its_digest_stands(history: History) -> None:
    number, entry = named(history)
    own = entry.payload["subscription_id"]
    first = next(n for n, each in enumerate(history.entries) if each.payload.get("subscription_id") == own)
    payload = json.loads(canonical_json(history.entries[first].payload))
    payload["filter_rules"]["rules"].append({"field_key": "height", "operator": "exists", "value": False})
    forged = [*history.entries]
    forged[first] = replace(forged[first], payload=payload)
    assert first < number
    words = "`filter_sha256` is not that of the filter that the subscription has"
    found = replayed(history, resealed(forged))
    assert any(each.startswith(f"entry {number + 1}:") and each.endswith(words) for each in found), found


@given(markets(), st.lists(attributes, max_size=5))
def test_naming_filters_by_digest_or_repeating_them_is_the_same_history(
    market: Market, leads: list[dict[str, object]]
) -> None:
    first, second = opened(market), opened(market)
    first.version = 1
    for own in (first, second):
        for lead in leads:
            own.distribute(own.lead(lead))
        assert own.replayed()[1] == []
    assert [entry.kind for entry in first.entries] == [entry.kind for entry in second.entries]
    assert state_of(first.roster) | {"head": None} == state_of(second.roster) | {"head": None}
    opening = len(opened(market).entries)
    assert all("filter_rules" in entry.payload for entry in first.entries[opening:] if entry.kind == "subscription")
    assert all("filter_sha256" in entry.payload for entry in second.entries[opening:] if entry.kind == "subscription")
