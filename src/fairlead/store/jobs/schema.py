"""The job library's own tables, in the marketplace's schema: made, and upgraded with the library's releases.

The library ships one file that makes everything and one file per change since. Which was the newest when a schema was
made is written down beside its tables, so that exactly what is missing can be run.
"""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import LiteralString

from psycopg.sql import SQL, Identifier

from fairlead.store.connection import Connection

_OWN_INDICES: Mapping[str, LiteralString] = {
    # Which job is a lead's or a notification's: asked by the sweeps, and by those who want to see a lead's status.
    "jobs_of_lead": "((args ->> 'lead_id')) where task_name = 'distribute_lead'",
    "jobs_of_notification": "((args ->> 'notification_id')) where task_name in ('send_email', 'send_webhook')",
    "jobs_without_worker": "(id) where status = 'doing' and worker_id is null",
    # The next job of one queue, without reading the backlog of any.
    "jobs_to_distribute": "(priority desc, id) where status = 'todo' and queue_name = 'distribute'",
    "jobs_to_dispatch": "(priority desc, id) where status = 'todo' and queue_name = 'dispatch'",
    "jobs_to_email": "(priority desc, id) where status = 'todo' and queue_name = 'email'",
    "jobs_to_webhook": "(priority desc, id) where status = 'todo' and queue_name = 'webhook'",
}

# The library's function takes a list of queues, so that only a plan made for the very list can use a queue's own index.
# A plan for any list would also be kept from when the table was empty, and sort the whole backlog for every job.
_PLAN_EVERY_FETCH = """
    alter function procrastinate_fetch_job_v2(character varying[], bigint) set plan_cache_mode = force_custom_plan
"""


@cache
def release_files() -> Path:
    """The directory of the SQL that the installed library ships."""
    # Found, not imported: every command checks the schema, and the library takes a third of a second to import.
    spec = find_spec("procrastinate")
    assert spec is not None, "it is a dependency"
    assert spec.origin is not None, "it is a package with a file"
    return Path(spec.origin).parent / "sql"


def bring_up_to_date(conn: Connection) -> bool:
    """The library's tables are those of its installed release; returns whether anything was changed.

    Needs the migration's lock and a transaction.
    """
    found = installed_release(conn)
    if found == newest_release():
        return _add_own(conn)
    conn.execute("create table if not exists job_library (release text not null)")
    if found is None:
        conn.execute((release_files() / "schema.sql").read_bytes())
        conn.execute("insert into job_library (release) values (%s)", (newest_release(),))
    else:
        for name in _releases():
            if name > found:
                conn.execute((release_files() / "migrations" / f"{name}.sql").read_bytes())
        conn.execute("update job_library set release = %s", (newest_release(),))
    _add_own(conn)
    conn.execute(_PLAN_EVERY_FETCH)  # a newer release may have made the function anew
    return True


def _add_own(conn: Connection) -> bool:
    """The library's tables have our indices, and its fetching uses them; returns whether anything was missing."""
    missing = [name for name in _OWN_INDICES if conn.execute("select to_regclass(%s)", (name,)).fetchone() == (None,)]
    for name in missing:
        conn.execute(SQL("create index {} on procrastinate_jobs " + _OWN_INDICES[name]).format(Identifier(name)))
    if missing:
        conn.execute(_PLAN_EVERY_FETCH)
    return bool(missing)


def installed_release(conn: Connection) -> str | None:
    """The release whose tables the schema has; None when it has none."""
    if conn.execute("select to_regclass('job_library')").fetchone() == (None,):
        return None
    row = conn.execute("select release from job_library").fetchone()
    return None if row is None else str(row[0])


def newest_release() -> str:
    """The release whose tables the installed library works on."""
    return _releases()[-1]


def _releases() -> list[str]:
    return sorted(path.stem for path in (release_files() / "migrations").glob("*.sql"))
