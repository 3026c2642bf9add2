"""Each proof of the past, kept: who asked for it, how far it is, what it came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row

SILENT_SECONDS = 300
"""One that gave no sign of life for so long died with its process."""


@dataclass(frozen=True, slots=True)
class VerificationRow:
    """A verification. `niche` is the one whose journal alone was replayed, None for all of them.

    It waits while `started_at` is None, and runs until `ended_at`; `progress` is what it was at last: `what`, `done`,
    `total`. Ended, it has `error` (nothing is proven), or what it found: `difference_count` is of checks that do not
    hold, `checks` are the name, `checked` and the first `differences` of each.
    """

    verification_id: str
    niche: str | None
    requested_at: datetime
    requested_by: str
    started_at: datetime | None
    seen_at: datetime | None
    progress: Mapping[str, object] | None
    ended_at: datetime | None
    error: str | None
    decision_count: int | None
    difference_count: int | None
    checks: Sequence[Mapping[str, object]] | None

    @property
    def holds(self) -> bool | None:
        """Whether every check holds; None where they were not all made."""
        return None if self.difference_count is None else self.difference_count == 0

    @property
    def seconds(self) -> float | None:
        """How long it took; None before its end."""
        if self.ended_at is None or self.started_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()

    @property
    def failed_checks(self) -> Sequence[Mapping[str, object]]:
        """The checks that do not hold."""
        return [each for each in self.checks or () if each["differences"]]


_ROWS = """
    select v.id::text as verification_id, n.slug as niche, v.requested_at, v.requested_by, v.started_at, v.seen_at,
           v.progress, v.ended_at, v.error, v.decision_count, v.difference_count, v.checks
    from verifications v left join niches n on n.id = v.niche_id"""


def open_verification(conn: Connection) -> VerificationRow | None:
    """The one that waits or runs; None without any."""
    return one_row(conn, VerificationRow, _ROWS + " where v.ended_at is null")


def last_verification(conn: Connection, niche_slug: str | None = None) -> VerificationRow | None:
    """The newest with a result, of all niches (or of that one as well), or that found a difference; None before it."""
    return one_row(
        conn,
        VerificationRow,
        _ROWS
        + """
        where v.difference_count > 0 or v.difference_count = 0 and (v.niche_id is null or n.slug = %s)
        order by v.ended_at desc limit 1
        """,
        (niche_slug,),
    )


def verification_page(conn: Connection, limit: int) -> list[VerificationRow]:
    """The newest, newest first; one that is under way comes before all others."""
    return all_rows(conn, VerificationRow, _ROWS + " order by v.ended_at desc nulls first limit %s", (limit,))


def find_verification(conn: Connection, verification_id: str) -> VerificationRow | None:
    """The one with this id; None without."""
    return one_row(conn, VerificationRow, _ROWS + " where v.id = %s", (verification_id,))


def add_verification(
    conn: Connection, verification_id: str, niche_id: str | None, requested_by: str, now: datetime
) -> bool:
    """It waits for a worker; False where another waits or runs, and nothing was added."""
    found = conn.execute(
        """
        insert into verifications (id, niche_id, requested_at, requested_by) values (%s, %s, %s, %s)
        on conflict do nothing
        """,
        (verification_id, niche_id, now, requested_by),
    )
    return found.rowcount == 1


def start_verification(conn: Connection, verification_id: str) -> bool:
    """It runs from now on; False where another process has taken it."""
    found = conn.execute(
        """
        update verifications set started_at = statement_timestamp(), seen_at = statement_timestamp()
        where id = %s and started_at is null and ended_at is null
        """,
        (verification_id,),
    )
    return found.rowcount == 1


def show_progress(conn: Connection, verification_id: str, what: str, done: int, total: int) -> None:
    """It lives, and is that far."""
    conn.execute(
        "update verifications set seen_at = statement_timestamp(), progress = %s where id = %s and ended_at is null",
        (Jsonb({"what": what, "done": done, "total": total}), verification_id),
    )


def end_verification(
    conn: Connection,
    verification_id: str,
    decision_count: int,
    difference_count: int,
    checks: Sequence[Mapping[str, object]],
) -> bool:
    """It is over, and this is what it found; False where it had been given up meanwhile."""
    found = conn.execute(
        """
        update verifications
        set ended_at = statement_timestamp(), decision_count = %s, difference_count = %s, checks = %s
        where id = %s and ended_at is null
        """,
        (decision_count, difference_count, Jsonb(list(checks)), verification_id),
    )
    return found.rowcount == 1


def stop_verification(conn: Connection, verification_id: str, error: str) -> None:
    """It is over before all was checked: nothing is proven by it."""
    conn.execute(
        "update verifications set ended_at = statement_timestamp(), error = %s where id = %s and ended_at is null",
        (error, verification_id),
    )


def stop_silent_verifications(conn: Connection) -> int:
    """One whose process died is over; returns how many."""
    return conn.execute(
        """
        update verifications set ended_at = statement_timestamp(), error = 'its process ended'
        where ended_at is null and seen_at < statement_timestamp() - make_interval(secs => %s)
        """,
        (SILENT_SECONDS,),
    ).rowcount
