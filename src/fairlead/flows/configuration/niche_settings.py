"""A setting of a niche that the journal says nothing of: read, and changed under the niche's lock, once for all such.

Each is a value with a document of its own, by which it is compared, versioned and audited.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from fairlead.core.canonical import JsonObject
from fairlead.core.errors import Refused
from fairlead.flows.configuration.niches import locked_niche
from fairlead.flows.configuration.versions import require_version, setting_version
from fairlead.flows.input_types import canonical_memo
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import niche_rows
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class NicheSetting(Generic[Value]):
    """What there is to know of a setting. `kind` is part of its version, `noun` of the words of a conflict."""

    kind: str
    noun: str
    action: str
    read: Callable[[Connection, str], Value]
    write: Callable[[Connection, str, Value, datetime], None]
    document: Callable[[Value], JsonObject]


@dataclass(frozen=True, slots=True)
class SeenSetting(Generic[Value]):
    """A setting of a niche as it stands, and its opaque version. `took_effect` is False where it was so before."""

    niche_id: str
    value: Value
    version: str
    took_effect: bool = False


def read_setting(database: Database, setting: NicheSetting[Value], niche_id: str) -> SeenSetting[Value]:
    """The niche's setting. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    checked = checked_id(niche_id, "niche")

    def view(conn: Connection) -> SeenSetting[Value]:
        if not niche_rows(conn, [checked]):
            raise Refused("niche_unknown", f"there is no niche {checked}")
        return _seen(setting, checked, setting.read(conn, checked))

    return database.read(view)


def change_setting(
    database: Database,
    setting: NicheSetting[Value],
    niche_id: str,
    value: Value,
    actor: Actor,
    *,
    memo: str | None,
    expected_version: str | None,
) -> SeenSetting[Value]:
    """The niche's setting is the value, and the audit log says so; where it was so before, nothing is written.

    Locks the niche. Raises `BadInput` and `Refused`: `niche_unknown`, `version_conflict`.
    """
    checked, words = checked_id(niche_id, "niche"), canonical_memo(memo)

    def work(conn: Connection, _: Sequence[str]) -> SeenSetting[Value]:
        _locked, niche = locked_niche(conn, checked)
        before = setting.read(conn, checked)
        seen = _seen(setting, checked, before)
        if before == value:
            return seen
        require_version(expected_version, seen.version, f"{setting.noun} of the niche {niche.slug!r}")
        now, old, new = clock(conn), setting.document(before), setting.document(value)
        setting.write(conn, checked, value, now)
        append_audit(conn, [AuditEvent(actor, setting.action, "niche", checked, old, new, words)], now)
        return _seen(setting, checked, value, took_effect=True)

    return with_niche_locks(database, work)


def _seen(
    setting: NicheSetting[Value], niche_id: str, value: Value, *, took_effect: bool = False
) -> SeenSetting[Value]:
    version = setting_version(setting.kind, niche_id, setting.document(value))
    return SeenSetting(niche_id, value, version, took_effect)
