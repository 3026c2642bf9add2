"""Renewing the filters that go by an older version of a postcode table: they go by its newest one from then on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fairlead.core.canonical import JsonObject
from fairlead.core.errors import Refused
from fairlead.core.filters.filter import new_filter
from fairlead.core.filters.postcode_tables import PostcodeTables, is_table_name
from fairlead.core.filters.spelling import asked_of_version
from fairlead.core.form import FormSchema
from fairlead.core.model import filter_text
from fairlead.core.subscription import readable_form
from fairlead.flows.configuration.postcode_tables import StoredPostcodeTables
from fairlead.flows.configuration.subscription_changes import FILTER_CHANGED, audited_state
from fairlead.flows.funding import Move, record_moves
from fairlead.flows.input_types import canonical_memo
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.postcode_table_uses import filters_by_older_versions
from fairlead.store.configuration.postcode_tables import newest_postcode_table
from fairlead.store.configuration.rows import SubscriptionRow, subscription_rows
from fairlead.store.connection import Connection, Database
from fairlead.store.journal import LockedNiche, lock_niches
from fairlead.store.leads.rows import clock


@dataclass(frozen=True, slots=True)
class StayingFilter:
    """A subscription whose filter stays as it is, and why it cannot go by the newer version."""

    subscription_id: str
    provider_id: str
    provider_name: str
    niche_id: str
    level_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class RenewalOfFilters:
    """How many filters go by the version of the table now, and those that could not."""

    name: str
    version: int
    renewed_count: int
    not_renewed: tuple[StayingFilter, ...]


@dataclass(slots=True)
class _Renewals:
    """What filters become by that version of the table. Each is worked out once: that takes milliseconds."""

    name: str
    version: int
    _known: dict[tuple[str, FormSchema], JsonObject | str] = field(
        default_factory=dict[tuple[str, FormSchema], "JsonObject | str"]
    )

    def of(self, text: str, rules: JsonObject, form_schema: JsonObject, tables: PostcodeTables) -> JsonObject | str:
        """The filter by the newer version; a text says why there is none."""
        form = readable_form(form_schema)
        if form is None:
            return "the niche's form cannot be read"
        if (text, form) not in self._known:
            renewed, problems = new_filter(asked_of_version(rules, self.name, self.version), form, tables)
            said = [f"{each.path}: {each.message}" for each in problems[:1]]
            self._known[text, form] = said[0] if said else renewed
        return self._known[text, form]


def renew_filters(database: Database, name: str, actor: Actor, *, memo: str | None = None) -> RenewalOfFilters:
    """Every living filter with a distance by an older version of the table goes by its newest one.

    The journal of each niche says so, subscription by subscription; decisions before are taken again by the filters
    that were. One that has no place in the newer version, or would be too large, stays and is named with its reason.
    Done again nothing is changed. What filters become is worked out before anything is locked; locks the niches, in
    one transaction. Raises `Refused`: `postcode_table_unknown`.
    """
    memo = canonical_memo(memo)
    renewals = database.read(lambda conn: _worked_out(conn, name))
    version = renewals.version
    reason = memo or f"postcode table {name}, version {version}"

    def work(conn: Connection, _: Sequence[str]) -> RenewalOfFilters:
        concerned = sorted({each.niche_id for each in filters_by_older_versions(conn, name, version)})
        locked = lock_niches(conn, concerned)
        moves, kept = _planned(conn, locked, renewals)
        if moves:
            _record(conn, locked, moves, actor, reason)
        return RenewalOfFilters(name, version, len(moves), kept)

    return with_niche_locks(database, work)


def _worked_out(conn: Connection, name: str) -> _Renewals:
    newest = newest_postcode_table(conn, name) if is_table_name(name) else None
    if newest is None:
        raise Refused("postcode_table_unknown", f"there is no postcode table {name!r}")
    renewals, tables = _Renewals(name, newest.version), StoredPostcodeTables(conn)
    for each in filters_by_older_versions(conn, name, newest.version):
        renewals.of(filter_text(each.filter_rules), each.filter_rules, each.form_schema, tables)
    return renewals


def _planned(
    conn: Connection, locked: Mapping[str, LockedNiche], renewals: _Renewals
) -> tuple[list[Move], tuple[StayingFilter, ...]]:
    """The subscriptions with their renewed filters, as they are under the locks, and those that stay."""
    tables = StoredPostcodeTables(conn)
    older = {
        each.subscription_id: each
        for each in filters_by_older_versions(conn, renewals.name, renewals.version)
        if each.niche_id in locked  # another's turn comes with the next call
    }
    rows: dict[str, SubscriptionRow] = {
        row.subscription.subscription_id: row
        for row in subscription_rows(conn, sorted({each.provider_id for each in older.values()}), [], [])
    }
    moves: list[Move] = []
    kept: list[StayingFilter] = []
    for subscription_id, each in older.items():
        row = rows[subscription_id]
        subscription, form_schema = row.subscription, locked[each.niche_id].form_schema
        renewed = renewals.of(subscription.filter_text, subscription.filter_rules, form_schema, tables)
        if isinstance(renewed, str):
            ids = (subscription_id, each.provider_id, each.provider_name, each.niche_id, each.level_id)
            kept.append(StayingFilter(*ids, renewed))
            continue
        after = replace(subscription, filter_text=filter_text(renewed), filter_is_valid=True)
        moves.append((row, replace(row, subscription=after)))
    return moves, tuple(kept)


def _record(
    conn: Connection, locked: Mapping[str, LockedNiche], moves: Sequence[Move], actor: Actor, reason: str
) -> None:
    now = clock(conn)
    seqs = record_moves(conn, locked, {}, moves, now)
    events: list[AuditEvent] = []
    for before, after in moves:
        assert before is not None, "a filter that is renewed was there"
        subscription_id, level_id = after.subscription.subscription_id, after.subscription.level_id
        new = {
            **audited_state(after),
            "niche_id": after.niche_id,
            "level_id": level_id,
            "journal_seq": seqs[subscription_id],
        }
        old = audited_state(before)
        events.append(AuditEvent(actor, FILTER_CHANGED, "subscription", subscription_id, old, new, reason))
    append_audit(conn, events, now)
