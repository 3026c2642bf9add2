"""Proving the past: hash chains, the replay of every decision, and every invariant of the rows (section 12).

One snapshot, read-only: it may run beside a working marketplace, and sees a single moment of it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fairlead.core.canonical import GENESIS_HASH, chain_hash, timestamp_text
from fairlead.core.errors import Refused
from fairlead.core.form import FormSchema
from fairlead.core.model import PLAIN_TERMS, ProviderTerms, Subscription
from fairlead.core.replay import UNREADABLE, Replay
from fairlead.core.roster import Roster
from fairlead.flows.proving.entitlement_check import EntitlementCheck
from fairlead.flows.proving.paper_check import receipt_differences, statement_differences
from fairlead.flows.proving.snapshot_check import SnapshotCheck
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.rosters import head_of, load_roster
from fairlead.store.history import audit_head, audit_rows, niches_of, past_entries
from fairlead.store.invariants.engine import DIFFERENCES_SHOWN, INVARIANTS, check_invariants
from fairlead.store.invariants.invariant import Invariant
from fairlead.store.journal import LockedNiche
from fairlead.store.reports.pieces import made_spans, span_differences


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was proven or not: on how many subjects, and the first differences in words."""

    name: str
    checked: int
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether no difference was found."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class Verification:
    """Every check of one run."""

    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)

    @property
    def decisions_replayed(self) -> int:
        """How many decisions were taken again, whole."""
        return sum(check.checked for check in self.checks if check.name.startswith(REPLAYED))

    @property
    def decisions_of_erased(self) -> int:
        """Of how many decisions all was taken again but whom the filters let through: their leads were erased."""
        return sum(check.checked for check in self.checks if check.name.startswith(ERASED))


REPLAYED = "decided again, byte for byte"
ERASED = "answers erased, all else decided again"

Progress = Callable[[str, int, int], None]
"""Told what is being checked, how far it is, and how far it goes."""


def verify(
    database: Database,
    niche_slug: str | None = None,
    *,
    allow_empty: bool = False,
    progress: Progress = lambda _what, _done, _total: None,
) -> Verification:
    """Every check, with the number of things it was made on. Changes nothing.

    With `niche_slug` only that niche's journal is replayed; the rows are checked as a whole all the same.

    Raises `Refused` for an unknown niche, and when there is no decision to check, since a check over nothing is not a
    pass (unless `allow_empty`, for callers that know why).
    """
    with database.snapshot(is_long=True) as conn:
        result = verify_snapshot(conn, niche_slug, progress)
    if not allow_empty and result.decisions_replayed + result.decisions_of_erased == 0:
        where = f"in niche {niche_slug!r}" if niche_slug else "here"
        raise Refused("nothing_to_verify", f"nothing was verified: no lead has been decided {where} yet")
    return result


def verify_snapshot(
    conn: Connection,
    niche_slug: str | None = None,
    progress: Progress = lambda _what, _done, _total: None,
    invariants: Sequence[Invariant] = INVARIANTS,
) -> Verification:
    """Every check, made on what this transaction sees; `verify` without its opinion of an empty marketplace."""
    checks: list[Check] = []
    niches = niches_of(conn, niche_slug)
    if niche_slug is not None and not niches:
        raise Refused("niche_unknown", f"there is no niche {niche_slug!r}")
    for niche in niches:
        checks += _replay_niche(conn, niche, progress)
    progress("rows", 0, len(invariants))
    for number, found in enumerate(check_invariants(conn, invariants), start=1):
        progress("rows", number, len(invariants))
        checks.append(Check(found.invariant.name, found.checked, found.first))
    checks.append(_check_audit_chain(conn, progress))
    checks.append(_check_reports(conn, progress))
    statements = "statements of closed months are the same bytes as ever"
    checks.append(_check_papers(statements, "statements", statement_differences(conn), progress))
    receipts = "receipts say what they said when they were issued"
    checks.append(_check_papers(receipts, "receipts", receipt_differences(conn), progress))
    return Verification(tuple(checks))


def _replay_niche(conn: Connection, niche: LockedNiche, progress: Progress) -> list[Check]:
    replay, snapshots = Replay(niche.niche_id), SnapshotCheck(conn, niche.niche_id)
    entitlement = EntitlementCheck(conn, niche.niche_id)
    differences: list[str] = []
    try:
        for past in past_entries(conn, niche.niche_id):
            snapshots.step(past.entry)
            entitlement.step(past, replay.roster)
            differences += replay.step(past.entry, past.attributes, past.salt, is_erased=past.is_erased)
            if past.entry.seq % 100 == 0 or past.entry.seq == niche.journal_seq:
                progress(f"journal of {niche.slug}", past.entry.seq, niche.journal_seq)
            if len(differences) >= DIFFERENCES_SHOWN:
                break  # what follows a difference differs because of it
        else:
            differences += replay.end()
            snapshots.end()
            entitlement.end()
    except UNREADABLE as error:
        differences.append(f"an entry after {replay.roster.head.seq} cannot be read: {type(error).__name__}")
    shown = tuple(differences[:DIFFERENCES_SHOWN])
    state = () if shown else _state(conn, replay.roster, niche)
    return [
        Check(f"journal entries of {niche.slug} chained and hashed", replay.entry_count, shown),
        Check(f"{REPLAYED}: decisions of {niche.slug}", replay.decision_count, shown),
        *([Check(f"{ERASED}: decisions of {niche.slug}", replay.erased_count, shown)] if replay.erased_count else []),
        Check(f"the journal of {niche.slug} ends in the tables' state", len(replay.roster), state),
        Check(
            f"roster snapshots of {niche.slug} hold what the journal's fold gives",
            snapshots.checked,
            tuple(snapshots.differences[:DIFFERENCES_SHOWN]),
        ),
        Check(
            f"what {niche.slug}'s subscriptions could have had is what its journal gives",
            entitlement.checked,
            tuple(entitlement.differences[:DIFFERENCES_SHOWN]),
        ),
    ]


def _state(conn: Connection, folded: Roster, niche: LockedNiche) -> tuple[str, ...]:
    try:
        return tuple(_state_differences(folded, load_roster(conn, niche), niche))
    except UNREADABLE as error:
        return (f"the rows of the niche cannot be read: {type(error).__name__}",)


def _state_differences(folded: Roster, loaded: Roster, niche: LockedNiche) -> list[str]:
    differences: list[str] = []
    if folded.head != head_of(niche):
        differences.append(f"the journal's head is {folded.head.seq}, the niche says {niche.journal_seq}")
    if _niche_of(folded) != _niche_of(loaded):
        differences.append("the niche's form schema, activity or limit of recipients is another than in its journal")
    if dict(folded.levels) != dict(loaded.levels):
        differences.append("the levels are others than in the journal")
    if dict(folded.level_passes) != dict(loaded.level_passes):
        differences.append("the levels' passes are others than in the journal")
    if folded.passes_while_gone != loaded.passes_while_gone:
        differences.append("the passes of ended subscriptions are others than in the journal")
    in_journal, in_tables = dict(folded.subscriptions), dict(loaded.subscriptions)
    for subscription_id in sorted({*in_journal, *in_tables}):
        ours, theirs = in_journal.get(subscription_id), in_tables.get(subscription_id)
        either = ours or theirs
        provider_id = either.provider_id if either else ""
        if (
            ours != theirs
            or folded.served_seq(subscription_id) != loaded.served_seq(subscription_id)
            or folded.pass_value(subscription_id) != loaded.pass_value(subscription_id)
            or folded.provider_status(provider_id) != loaded.provider_status(provider_id)
            or _terms(folded, provider_id, either) != _terms(loaded, provider_id, either)
            or (ours and theirs and folded.shut_by(subscription_id) != loaded.shut_by(subscription_id))
        ):
            differences.append(f"subscription {subscription_id} is another than in the journal")
    return differences[:DIFFERENCES_SHOWN]


def _check_reports(conn: Connection, progress: Progress) -> Check:
    spans, differences = made_spans(conn), list[str]()
    for number, days in enumerate(spans, start=1):
        if len(differences) < DIFFERENCES_SHOWN:
            differences += span_differences(conn, days)
        progress("reports", number, len(spans))
    shown = tuple(differences[:DIFFERENCES_SHOWN])
    return Check("what reports keep of days that are over is what the rows give", len(spans), shown)


def _check_papers(name: str, what: str, made: Iterable[str | None], progress: Progress) -> Check:
    checked, differences = 0, list[str]()
    for checked, difference in enumerate(made, start=1):
        if difference and len(differences) < DIFFERENCES_SHOWN:
            differences.append(difference)
        if checked % 1000 == 0:
            progress(what, checked, checked)
    return Check(name, checked, tuple(differences))


def _niche_of(roster: Roster) -> tuple[bool, FormSchema, int | None]:
    return roster.is_active, roster.schema, roster.max_recipients_per_lead


def _terms(roster: Roster, provider_id: str, subscription: Subscription | None) -> ProviderTerms:
    """The terms that the subscription goes by; the journal follows the time zone only where that matters."""
    terms = roster.terms.get(provider_id, PLAIN_TERMS)
    matters = terms.go_by_local_time or (subscription is not None and subscription.goes_by_local_time)
    return terms if matters else ProviderTerms(conflict_group_id=terms.conflict_group_id)


def _check_audit_chain(conn: Connection, progress: Progress) -> Check:
    head_seq, head = audit_head(conn)
    checked, previous = 0, GENESIS_HASH
    differences: list[str] = []
    for row in audit_rows(conn):
        content = row.content | {"created_at": timestamp_text(row.created_at)}
        if row.content["seq"] != checked + 1 or row.prev_hash != previous:
            differences.append(f"audit entry {row.content['seq']} does not name the entry before it")
        if row.hash != chain_hash(row.prev_hash, content):
            differences.append(f"the hash of audit entry {row.content['seq']} is not that of its content")
        checked, previous = checked + 1, row.hash
        if checked % 1000 == 0 or checked == head_seq:
            progress("audit log", checked, head_seq)
    if (checked, previous) != (head_seq, head):
        differences.append("the audit log does not end in its head")
    return Check("audit log chained and hashed", checked, tuple(differences[:DIFFERENCES_SHOWN]))
