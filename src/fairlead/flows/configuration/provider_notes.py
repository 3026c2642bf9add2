"""What operators write down about a provider, for each other: only ever added, never shown to the provider."""

from dataclasses import dataclass

from fairlead.core.errors import BadInput
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.memos import checked_words
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.provider_notes import ProviderNote, insert_note, notes_of
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id, provider_id_of

LONGEST_NOTE = 4000
MOST_NOTES = 201
"""A page of 200, and one more that tells whether there is another."""


@dataclass(frozen=True, slots=True)
class NoteAdded:
    """A note that is there."""

    note_id: str


def add_provider_note(
    database: Database, provider_id: str, note: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> NoteAdded:
    """The note, of 1 to 4,000 characters, is kept about the provider. Its words are in no log and no audit entry.

    Recognised by `once` when it is sent again; without one every call adds a note. Locks nothing. Raises `BadInput`
    and `Refused`: `provider_unknown`, `idempotency_key_reused`.
    """
    checked, words = checked_id(provider_id, "provider"), checked_words(note, "note", LONGEST_NOTE)
    note_id = new_id(database)

    def work(conn: Connection) -> NoteAdded:
        provider_id_of(conn, checked)
        now = clock(conn)
        insert_note(conn, ProviderNote(note_id, checked, actor.name, words, now))
        event = AuditEvent(actor, "provider.note_added", "provider", checked, new={"note_id": note_id})
        append_audit(conn, [event], now)
        return NoteAdded(note_id)

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, NoteAdded, lambda: work(conn)))


def provider_notes(
    database: Database, provider_id: str, *, before_note_id: str | None = None, limit: int = 50
) -> list[ProviderNote]:
    """The provider's newest notes, the newest first: at most `limit` (1 to 201), all older than the given one.

    Raises `BadInput` and `Refused`: `provider_unknown`.
    """
    checked = checked_id(provider_id, "provider")
    before = None if before_note_id is None else checked_id(before_note_id, "note")
    if not 1 <= limit <= MOST_NOTES:
        raise BadInput([f"limit: must be between 1 and {MOST_NOTES}"])
    with database.snapshot() as conn:
        return notes_of(conn, provider_id_of(conn, checked), before, limit)
