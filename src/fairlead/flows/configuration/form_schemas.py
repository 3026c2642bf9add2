"""A niche's form, in versions: trying a change, making it, listing what was, and bringing it back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fairlead.core.errors import Refused
from fairlead.core.filters.filter import validate_filter
from fairlead.core.form import FormSchema, spelt_like
from fairlead.core.subscription import readable_form, revalidated
from fairlead.flows.configuration.niches import checked_form, locked_niche, niche_entry
from fairlead.flows.configuration.price_rules import require_fitting_price_rules
from fairlead.flows.configuration.versions import form_version, require_version
from fairlead.flows.funding import Move, record_moves
from fairlead.flows.input_types import canonical_memo
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import SYSTEM, Actor, AuditEvent, append_audit
from fairlead.store.configuration.form_schema_versions import (
    FormSchemaVersion,
    add_form_schemas,
    form_schema_at,
    form_schemas_of,
    newest_form_schema,
)
from fairlead.store.configuration.rows import NicheRow, level_rows, niche_rows, subscription_rows
from fairlead.store.configuration.writes import write_niches
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id


@dataclass(frozen=True, slots=True)
class UnfitFilter:
    """A living subscription whose filter fits its niche's form until now, and no more; `problem` says why not."""

    subscription_id: str
    provider_id: str
    level_id: str
    problem: str


@dataclass(frozen=True, slots=True)
class FormChanged:
    """The niche with its form, the form's opaque version, and what the change does, or would do (`is_dry_run`).

    `number` is that of its newest version, before the change where it is only tried.
    `took_effect` is False where the form was the same before.
    """

    row: NicheRow
    version: str
    number: int | None
    took_effect: bool
    is_dry_run: bool
    invalidated: tuple[UnfitFilter, ...] = ()
    validated_subscription_ids: tuple[str, ...] = ()


def change_form_schema(
    database: Database,
    niche_id: str,
    form_schema: object,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
    dry_run: bool = False,
) -> FormChanged:
    """The niche's form is this one, as a new version. Every living filter of the niche is read against it.

    Those that do not fit any more are marked, get no leads, and their providers are told; those that fit again count
    again. With `dry_run` the same is worked out from a snapshot, nothing is locked or changed. A form that says the
    same makes no version. Locks the niche. Raises `InvalidDocument` and `Refused`: `niche_unknown`,
    `price_rules_unfit` where a level's price rules do not fit it, since no price changes in passing, and
    `version_conflict`.
    """
    form = checked_form(form_schema)
    return _change(database, niche_id, lambda _conn, _id: form, actor, memo, expected_version, dry_run)


def restore_form_schema(
    database: Database,
    niche_id: str,
    number: int,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
    dry_run: bool = False,
) -> FormChanged:
    """The niche's form is that of an earlier version again, as a new version; else as `change_form_schema`.

    Raises `Refused` also: `form_version_unknown`.
    """

    def restored(conn: Connection, checked: str) -> FormSchema:
        return checked_form(_existing(form_schema_at(conn, checked, number), number).form_schema)

    reason = memo or f"restored version {number}"
    return _change(database, niche_id, restored, actor, reason, expected_version, dry_run)


def form_schema_versions(database: Database, niche_id: str) -> list[FormSchemaVersion]:
    """All versions of the niche's form, the newest first. Raises `Refused`: `niche_unknown`."""
    checked = checked_id(niche_id, "niche")
    with database.snapshot() as conn:
        _niche(conn, checked)
        return form_schemas_of(conn, checked)


def form_schema_version(database: Database, niche_id: str, number: int) -> FormSchemaVersion:
    """This version of the niche's form. Raises `Refused`: `niche_unknown`, `form_version_unknown`."""
    checked = checked_id(niche_id, "niche")
    with database.snapshot() as conn:
        _niche(conn, checked)
        found = form_schema_at(conn, checked, number)
    return _existing(found, number)


Wanted = Callable[[Connection, str], FormSchema]
"""Finds the form that is asked for, by the niche's id."""


def _change(
    database: Database,
    niche_id: str,
    wanted: Wanted,
    actor: Actor,
    memo: str | None,
    expected_version: str | None,
    dry_run: bool,
) -> FormChanged:
    checked = checked_id(niche_id, "niche")
    memo = canonical_memo(memo)
    if dry_run:
        with database.snapshot() as conn:
            before = _niche(conn, checked)
            form = spelt_like(wanted(conn, checked), readable_form(before.form_schema))
            newest = newest_form_schema(conn, checked)
            return _planned(conn, before, form, newest and newest.version, expected_version)[0]

    def work(conn: Connection, _: Sequence[str]) -> FormChanged:
        locked, before = locked_niche(conn, checked)
        newest = newest_form_schema(conn, checked)
        number = 1 if newest is None else newest.version
        form = spelt_like(wanted(conn, checked), readable_form(before.form_schema))
        done, moves = _planned(conn, before, form, number, expected_version)
        if not done.took_effect:
            return replace(done, is_dry_run=False)
        now, after = clock(conn), done.row
        if newest is None:
            add_form_schemas(conn, [(checked, before.form_schema)], SYSTEM.name, None, now)
        add_form_schemas(conn, [(checked, after.form_schema)], actor.name, memo, now)
        write_niches(conn, [after], now)
        record_moves(conn, {checked: locked}, {checked: [niche_entry(after)]}, moves, now)
        old = {"version": number}
        new = {
            "version": number + 1,
            "journal_seq": locked.journal_seq + 1,
            "invalidated_count": len(done.invalidated),
            "validated_count": len(done.validated_subscription_ids),
        }
        append_audit(conn, [AuditEvent(actor, "niche.form_changed", "niche", checked, old, new, memo)], now)
        return replace(done, number=number + 1, is_dry_run=False)

    return with_niche_locks(database, work)


def _planned(
    conn: Connection, before: NicheRow, form: FormSchema, number: int | None, expected_version: str | None
) -> tuple[FormChanged, list[Move]]:
    """What the form does to the niche's filters, and the subscriptions that it moves; nothing is written."""
    after = replace(before, form_schema=form.to_json())
    if form_version(after) == form_version(before):
        return FormChanged(before, form_version(before), number, took_effect=False, is_dry_run=True), []
    require_version(expected_version, form_version(before), f"the form of the niche {before.slug!r}")
    require_fitting_price_rules(level_rows(conn, [before.niche_id]), form)
    moves: list[Move] = []
    invalidated: list[UnfitFilter] = []
    for row in subscription_rows(conn, [], [before.niche_id], []):
        subscription = revalidated(row.subscription, form)
        if subscription is row.subscription:
            continue
        moves.append((row, replace(row, subscription=subscription)))
        if not subscription.filter_is_valid:
            problem = validate_filter(subscription.filter_rules, form)[0]
            ids = (subscription.subscription_id, subscription.provider_id, subscription.level_id)
            invalidated.append(UnfitFilter(*ids, f"{problem.path}: {problem.message}"))
    validated = [after.subscription.subscription_id for _, after in moves if after.subscription.filter_is_valid]
    done = FormChanged(after, form_version(after), number, True, True, tuple(invalidated), tuple(validated))
    return done, moves


def _niche(conn: Connection, niche_id: str) -> NicheRow:
    for row in niche_rows(conn, [niche_id]):
        return row
    raise Refused("niche_unknown", f"there is no niche {niche_id}")


def _existing(found: FormSchemaVersion | None, number: int) -> FormSchemaVersion:
    if found is None:
        raise Refused("form_version_unknown", f"the niche's form has no version {number}")
    return found
