"""A marketplace of some niches whose leads wait, as a template that every measurement starts from anew."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.population import Population, create_niche
from bench.server import SCHEMA, create_database, drop_databases, settle
from fairlead.store.connection import Connection, Database, Timeouts
from fairlead.store.schema import migrate

PATIENT = Timeouts(statement_ms=600_000)
TEMPLATE = "template_of_workers"


@contextmanager
def template(
    server_url: str, population: Population, niches: int, providers: int, leads: int, seed: int
) -> Iterator[None]:
    """A database exists that `copy_of_template` copies: so many niches, and in each so many providers and leads.

    The leads are pending approval. Gone afterwards.
    """
    try:
        url = create_database(server_url, TEMPLATE)
        with Database(url, SCHEMA, PATIENT) as database:
            migrate(database)
            for number in range(niches):
                slug = f"niche-{number + 1}"
                create_niche(database, population, providers, leads, seed + number, slug=slug, are_approved=False)
            with database.transaction() as conn:
                conn.execute("analyze")
        yield
    finally:
        drop_databases(server_url, [TEMPLATE])


@contextmanager
def copy_of_template(server_url: str, name: str) -> Iterator[Database]:
    """The template's marketplace as a database of its own, everything on disk; gone afterwards."""
    try:
        url = create_database(server_url, name, TEMPLATE)
        settle(server_url)
        with Database(url, SCHEMA, PATIENT, max_connections=12) as database:
            yield database
    finally:
        drop_databases(server_url, [name])


def niche_ids(database: Database) -> list[str]:
    """The niches, by slug."""
    with database.snapshot() as conn:
        return [row[0] for row in conn.execute("select id::text from niches order by slug").fetchall()]


def pending_lead_ids(database: Database) -> list[str]:
    """The leads that are to be approved, those of the niches mixed, as they come in from a form."""
    with database.snapshot() as conn:
        rows = conn.execute("select id::text from leads where status = 'pending_approval' order by md5(id::text)")
        return [row[0] for row in rows.fetchall()]


def jobs_of(conn: Connection, queues: Sequence[str]) -> int:
    """How many jobs of these queues wait or run."""
    query = "select count(*) from jobs where queue = any(%s)"
    return conn.execute(query, (list(queues),)).fetchall()[0][0]
