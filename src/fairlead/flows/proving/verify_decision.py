"""Taking one decision again on the spot."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.core.errors import Broken
from fairlead.core.replay import UNREADABLE, Replay
from fairlead.flows.explaining.decision_queues import decision_at, entry_at
from fairlead.store.connection import Database
from fairlead.store.distribution.snapshots import state_before
from fairlead.store.history import decisions_of, past_entries
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import lead_state


@dataclass(frozen=True, slots=True)
class DecisionVerified:
    """What came of taking a decision again: it `holds` if nothing differs.

    `is_whole` is False where the lead's answers were erased: all was taken again that they did not decide. `from_seq`
    is the entry before it, where the niche stood; `up_to_seq` the last entry that follows from it.
    """

    lead_id: str
    niche_id: str
    journal_seq: int
    hash: bytes
    recipients: int
    differences: tuple[str, ...]
    from_seq: int
    up_to_seq: int
    verified_at: datetime
    is_whole: bool

    @property
    def holds(self) -> bool:
        """Whether the decision came out byte for byte, with its place in the chain and what follows from it."""
        return not self.differences


def verify_decision(database: Database, lead_id: str, journal_seq: int | None = None) -> DecisionVerified:
    """The lead's newest decision, or the one at this entry, taken again from how the niche stood right before it.

    Its hash, that of the entry that it names, and the deactivations that follow are checked, too. Where the niche stood
    is taken from the newest roster snapshot and the entries since; that those are what the whole journal says is for
    `verify`. Changes nothing, locks nothing.

    Raises `BadInput` for what is no id, and `Refused`: `lead_unknown`, `lead_undecided`.
    """
    with database.snapshot() as conn:
        lead = lead_state(conn, lead_id)
        chosen = decision_at(lead, decisions_of(conn, lead.lead_id), journal_seq)
        found = entry_at(conn, chosen)
        try:
            state = state_before(conn, chosen.niche_id, chosen.seq)
            roster = state.roster()
        except UNREADABLE as error:
            raise Broken(f"entries before {chosen.seq} of niche {chosen.niche_id} cannot be read") from error
        if roster.head.seq != chosen.seq - 1:
            raise Broken(f"entries before {chosen.seq} of niche {chosen.niche_id} are gone: run `fairlead verify`")
        replay = Replay(chosen.niche_id, roster)
        differences = replay.step(found.entry, found.attributes, found.salt, is_erased=found.is_erased)
        following = past_entries(conn, chosen.niche_id, from_seq=chosen.seq + 1)
        while replay.needs_more and (entry := next(following, None)) is not None:
            differences += replay.step(entry.entry, entry.attributes, entry.salt, is_erased=entry.is_erased)
        differences += replay.end()
        return DecisionVerified(
            lead.lead_id,
            chosen.niche_id,
            chosen.seq,
            found.entry.hash,
            replay.pick_count,
            tuple(differences),
            chosen.seq - 1,
            replay.roster.head.seq,
            clock(conn),
            is_whole=not found.is_erased,
        )
