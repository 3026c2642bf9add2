"""A person's data as a file, for the person who asks what is held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from fairlead.core.canonical import timestamp_text
from fairlead.flows.erasure.person import keys_of_person
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.person_file import held_of_leads, leads_of_person
from fairlead.store.leads.rows import clock

MOST_LEADS = 1_000


@dataclass(frozen=True, slots=True)
class PersonFile:
    """All that is held of a person. `is_whole` is False where there are more leads than a file takes."""

    file_id: str
    made_at: datetime
    leads: Sequence[Mapping[str, Any]] = field(repr=False)
    is_whole: bool = True


def person_file(database: Database, person: str, actor: Actor) -> PersonFile:
    """Every lead with this email address or telephone number, with all that is held of it, as one moment has it.

    Audited, by the leads' ids: not for whom. Nothing of it is kept. Raises `BadInput`.
    """

    def work(conn: Connection) -> PersonFile:
        keys = keys_of_person(conn, person)
        found = leads_of_person(conn, keys.emails, keys.phones, MOST_LEADS + 1)
        leads, now = [_as_json(each) for each in held_of_leads(conn, found[:MOST_LEADS])], clock(conn)
        made = PersonFile(new_id(conn), now, leads, len(found) <= MOST_LEADS)
        new = {"lead_ids": [each["lead_id"] for each in leads]}
        append_audit(conn, [AuditEvent(actor, "person.disclosed", "person_file", made.file_id, new=new)], now)
        return made

    return database.run(work)


def _as_json(value: Any) -> Any:
    """The value as JSON has it, times in UTC."""
    if isinstance(value, datetime):
        return timestamp_text(value)
    if isinstance(value, dict):
        return {name: _as_json(each) for name, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_as_json(each) for each in cast("list[Any]", value)]
    return value
