"""The entries of a niche's journal, and how they are chained.

What an entry holds is written and read back by `core.configuration_entries` and `core.decision_entries`. The formats
are documented in docs/reference/journal.md; they are read by other programs and never change meaning.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fairlead.core.canonical import JsonObject, canonical_json, timestamp_text


class JournalEntryKind(StrEnum):
    """What an entry of the journal is about."""

    NICHE = "niche"
    LEVEL = "level"
    PROVIDER = "provider"
    SUBSCRIPTION = "subscription"
    DECISION = "decision"
    RETURN = "return"


class UnreadableEntry(ValueError):
    """An entry that says what no entry can say at its place; the text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a niche's journal, sealed into its chain."""

    niche_id: str
    seq: int
    kind: JournalEntryKind
    payload: JsonObject
    recorded_at: datetime
    prev_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """A new entry together with the canonical text of its payload, which is both what was hashed and what is stored."""

    entry: Entry
    payload_text: str


def entry_hash(
    prev_hash: bytes, niche_id: str, seq: int, kind: str, canonical_payload: bytes, recorded_at: datetime
) -> bytes:
    """SHA-256 over the previous hash and the canonical JSON of {niche_id, seq, kind, payload, recorded_at}.

    The members stand in RFC 8785's order here, so a payload that is canonical already is not written twice.

    >>> from datetime import UTC
    >>> moment = datetime(2026, 1, 1, tzinfo=UTC)
    >>> whole = {"niche_id": "n", "seq": 1, "kind": "level", "payload": {"b": 1, "a": 2},
    ...          "recorded_at": timestamp_text(moment)}
    >>> one = entry_hash(bytes(32), "n", 1, "level", canonical_json({"b": 1, "a": 2}), moment)
    >>> one == hashlib.sha256(bytes(32) + canonical_json(whole)).digest()
    True
    """
    before = f'{{"kind":"{kind}","niche_id":"{niche_id}","payload":'
    after = f',"recorded_at":"{timestamp_text(recorded_at)}","seq":{seq}}}'
    return hashlib.sha256(prev_hash + before.encode() + canonical_payload + after.encode()).digest()


def seal(
    niche_id: str,
    head_seq: int,
    head_hash: bytes,
    contents: Sequence[tuple[JournalEntryKind, JsonObject]],
    recorded_at: datetime,
) -> list[SealedEntry]:
    """The contents as the next entries after the head: `seq` without gaps, each hashed over the one before.

    >>> from datetime import UTC
    >>> moment = datetime(2026, 1, 1, tzinfo=UTC)
    >>> status = (JournalEntryKind.PROVIDER, {"provider_id": "p", "status": "active"})
    >>> first, second = seal("n", 7, bytes(32), [status, status], moment)
    >>> first.entry.seq, second.entry.seq, second.entry.prev_hash == first.entry.hash
    (8, 9, True)
    """
    sealed: list[SealedEntry] = []
    prev_hash = head_hash
    for seq, (kind, payload) in enumerate(contents, start=head_seq + 1):
        canonical = canonical_json(payload)
        own_hash = entry_hash(prev_hash, niche_id, seq, kind.value, canonical, recorded_at)
        entry = Entry(niche_id, seq, kind, payload, recorded_at, prev_hash, own_hash)
        sealed.append(SealedEntry(entry, canonical.decode()))
        prev_hash = own_hash
    return sealed
