"""Journals that earlier versions and whole days of the marketplace left: read, replayed, changed and sealed again."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from fairlead.core.canonical import timestamp_from_text
from fairlead.core.journal import Entry, JournalEntryKind, seal
from fairlead.core.replay import Replay
from fairlead.core.roster_state import RosterState

Line = dict[str, Any]
"""An entry as it is exported, with the attributes and the salt of the lead that it decides on."""


def frozen_lines(name: str) -> list[Line]:
    """The lines of `journal_NAME.jsonl`."""
    text = Path(__file__).with_name(f"journal_{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def entry_of(line: Line) -> Entry:
    """The entry that was exported as this line."""
    return Entry(
        line["niche_id"],
        line["seq"],
        JournalEntryKind(line["kind"]),
        line["payload"],
        timestamp_from_text(line["recorded_at"]),
        bytes.fromhex(line["prev_hash"]),
        bytes.fromhex(line["hash"]),
    )


def replayed(told: list[Line]) -> tuple[Replay, list[str]]:
    """The journal decided again, and what differs."""
    replay, differences = Replay(told[0]["niche_id"]), list[str]()
    for line in told:
        salt = bytes.fromhex(line["salt"]) if "salt" in line else None
        is_erased = line.get("is_erased", False)
        differences += replay.step(entry_of(line), line.get("attributes"), salt, is_erased=is_erased)
    return replay, differences + replay.end()


def resealed(told: list[Line]) -> list[Line]:
    """The lines with hashes that fit them again."""
    fitting, head = [], bytes(32)
    for line in deepcopy(told):
        moment = timestamp_from_text(line["recorded_at"])
        content = [(JournalEntryKind(line["kind"]), line["payload"])]
        [sealed] = seal(line["niche_id"], line["seq"] - 1, head, content, moment)
        line["prev_hash"], line["hash"] = head.hex(), sealed.entry.hash.hex()
        head = sealed.entry.hash
        fitting.append(line)
    return fitting


def assert_snapshots_go_on(told: list[Line], every: int = 1) -> None:
    """A snapshot taken before any entry, or before every so many, goes on as the journal does."""
    niche_id = told[0]["niche_id"]
    whole = RosterState(niche_id)
    for line in told:
        whole.fold(entry_of(line))
    for cut in range(0, len(told), every):
        state = RosterState(niche_id)
        for line in told[:cut]:
            state.fold(entry_of(line))
        state = RosterState.from_document(json.loads(json.dumps(state.document())))
        for line in told[cut:]:
            state.fold(entry_of(line))
        assert state.document() == whole.document(), cut
