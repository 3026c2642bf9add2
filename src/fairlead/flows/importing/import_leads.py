"""Importing a file of leads: row by row, chunk by chunk into the database.

Memory is flat when leads are told apart by an external id or by chosen columns. The default key counts how often
each row occurred and for that keeps 16 bytes of hash of every distinct row: 100 to 170 MB per million.

Each chunk is a transaction of its own. Whatever interrupts the import, what was committed stays, and the
same command again goes on from there: a lead's key is the same each time, and a key is stored once per
niche.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fairlead.core.errors import BadInput, Refused
from fairlead.core.form import parse_form_schema
from fairlead.flows.importing.lead_columns import Columns, map_columns
from fairlead.flows.importing.lead_file import LeadFile, Row
from fairlead.flows.importing.lead_rows import RowReader, RowRejected
from fairlead.flows.importing.opening import Reading, open_lead_file
from fairlead.flows.importing.rejects import Rejects
from fairlead.flows.lead_jobs import lead_jobs
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.rows import NewLead, NicheForm, clock, insert_leads, niche_form

CHUNK_ROWS = 2_000
CHUNK_CHARACTERS = 4_000_000


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is read and what becomes of its leads."""

    niche_slug: str
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    mapping: dict[str, str] = field(default_factory=dict[str, str])
    dedupe: Sequence[str] = ()
    ignore: Sequence[str] = ()
    rejects_path: Path | None = None
    approve: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has done so far, in rows: those read were added, were there already, or were rejected.

    Empty rows are passed over and do not count as read. `share_read` is None where the file has no size.
    """

    read: int = 0
    added: int = 0
    already_there: int = 0
    rejected: int = 0
    empty: int = 0
    ignored_columns: tuple[str, ...] = ()
    rejects_path: Path | None = None
    share_read: float | None = None


def import_leads(
    database: Database,
    path: Path,
    options: ImportOptions,
    actor: Actor,
    on_progress: Callable[[Imported], None] = lambda _: None,
) -> Imported:
    """Every good row of the file is a lead of the niche, stored once however often the file is imported.

    One transaction per 2,000 rows; `on_progress` is told after each. Rows that are no leads are written to
    `rejects_path` (FILE.rejects.csv unless given) with line and reason. Leads are approved on the way when
    the options say so, in the file's order; those that were there already are left as they are.

    Raises `BadInput` (file, encoding, sheet, header or mapping) and `Refused` (`niche_unknown`) before anything is
    written, `Unavailable` when the database goes away.
    """
    niche = _niche(database, options.niche_slug)
    schema = parse_form_schema(niche.form_schema)
    rejects_path = options.rejects_path or path.with_name(path.name + ".rejects.csv")
    if rejects_path.exists() and path.exists() and rejects_path.samefile(path):
        raise BadInput([f"the rejected rows would overwrite {path} itself: name another file with --rejects"])
    with closing(open_lead_file(path, Reading(options.delimiter, options.encoding, options.sheet))) as file:
        columns = map_columns(file.header, schema, options.mapping, options.dedupe, options.ignore)
        with Rejects(rejects_path, file, columns.own) as rejects:
            run = _Import(database, niche, columns, options, actor, file, rejects)
            return run.all(on_progress)


def _niche(database: Database, slug: str) -> NicheForm:
    niche = database.run(lambda conn: niche_form(conn, slug))
    if niche is None:
        raise Refused("niche_unknown", f"there is no niche {slug!r}")
    return niche


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A chunk that is being stored: its rows, and how many of them will turn out to be new."""

    rows: int
    added: Future[int]


class _Import:
    """One import under way."""

    def __init__(
        self,
        database: Database,
        niche: NicheForm,
        columns: Columns,
        options: ImportOptions,
        actor: Actor,
        file: LeadFile,
        rejects: Rejects,
    ) -> None:
        self._database = database
        self._niche_id = niche.niche_id
        self._columns = columns
        self._approves = options.approve
        self._actor = actor
        self._file = file
        self._rejects = rejects
        self._reader = RowReader(columns, partial(new_id, database), niche.phone_region, file.delimiter)
        self._read = 0
        self._empty = 0
        self._added = 0
        self._good = 0

    def all(self, on_progress: Callable[[Imported], None]) -> Imported:
        """Every row has been dealt with. While one chunk is being stored the next is read: two things at a time."""
        under_way: _UnderWay | None = None
        on_progress(self._so_far())
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="import") as storing:
            try:
                for chunk in self._chunks():
                    self._settle(under_way, on_progress)
                    under_way = _UnderWay(len(chunk), storing.submit(self._insert, chunk))
            finally:
                # Also when interrupted: what is being stored will be there, so it is waited for and counted.
                self._settle(under_way, on_progress)
        done = self._so_far()
        on_progress(done)
        return done

    def _chunks(self) -> Iterator[list[NewLead]]:
        chunk: list[NewLead] = []
        chunk_began = self._file.characters_read
        for row in self._file:
            if row.is_empty(self._columns.own):
                self._empty += 1
                continue
            self._read += 1
            lead = self._lead(row)
            if lead is not None:
                chunk.append(lead)
            is_long = self._file.characters_read - chunk_began > CHUNK_CHARACTERS
            if len(chunk) == CHUNK_ROWS or (is_long and chunk):
                yield chunk
                chunk = []
                chunk_began = self._file.characters_read
        if chunk:
            yield chunk

    def _lead(self, row: Row) -> NewLead | None:
        try:
            return self._reader.lead(row)
        except RowRejected as reason:
            self._rejects.add(row, str(reason))
            return None

    def _insert(self, chunk: Sequence[NewLead]) -> int:
        return _insert_chunk(self._database, self._niche_id, chunk, self._actor, self._approves)

    def _settle(self, under_way: "_UnderWay | None", on_progress: Callable[[Imported], None]) -> None:
        if under_way is not None:
            self._added += under_way.added.result()
            self._good += under_way.rows
            on_progress(self._so_far())

    def _so_far(self) -> Imported:
        return Imported(
            read=self._read,
            added=self._added,
            already_there=self._good - self._added,
            rejected=self._rejects.count,
            empty=self._empty,
            ignored_columns=self._columns.ignored,
            rejects_path=self._rejects.path if self._rejects.count else None,
            share_read=self._file.share_read(),
        )


def _insert_chunk(database: Database, niche_id: str, chunk: Sequence[NewLead], actor: Actor, approves: bool) -> int:
    """The chunk is stored, in one transaction; returns how many of its leads are new."""

    def work(conn: Connection) -> int:
        now = clock(conn)
        approved_by = actor.name if approves else None
        inserted = insert_leads(conn, niche_id, chunk, now, approved_by, actor.request_id)
        enqueue(conn, lead_jobs(inserted.awaiting_ids, actor, now))
        if inserted.count:
            outcome = {"count": inserted.count, "approved": approves}
            append_audit(conn, [AuditEvent(actor, "leads.imported", "niche", niche_id, new=outcome)], now)
        return inserted.count

    return database.run(work)
