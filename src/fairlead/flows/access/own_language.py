"""The language that a user is written to in: an invitation, a new password, an export that is ready."""

from fairlead.flows.input_types import canonical_values
from fairlead.store.access.user_language import user_language, write_user_language
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock


def read_own_language(database: Database, user_id: str) -> str | None:
    """The language that the user chose; None where it is written to in its provider's, or in English."""
    return database.read(lambda conn: user_language(conn, user_id))


def change_own_language(database: Database, user_id: str, language: str | None, actor: Actor) -> str | None:
    """The user is written to in this language from the next message on. Audited, unless nothing changes.

    Raises `BadInput`. The user is there.
    """
    wanted = canonical_values({"language": language})["language"]

    def work(conn: Connection) -> str | None:
        before = user_language(conn, user_id)
        if before != wanted:
            write_user_language(conn, user_id, wanted)
            old, new = {"language": before}, {"language": wanted}
            append_audit(conn, [AuditEvent(actor, "user.language_changed", "user", user_id, old, new)], clock(conn))
        return wanted

    return database.run(work)
