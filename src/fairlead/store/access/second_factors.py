"""Second factors as rows: seeds, the last step of a code that was accepted, recovery codes."""

from collections.abc import Sequence
from datetime import datetime

from fairlead.store.connection import Connection


def write_pending_seed(conn: Connection, user_id: str, sealed_seed: bytes) -> None:
    """The user is enrolling with this seed, which counts for nothing yet. Needs its lock."""
    conn.execute("update users set totp_pending_seed = %s where id = %s", (sealed_seed, user_id))


def confirm_seed(conn: Connection, user_id: str, step: int, now: datetime) -> None:
    """The pending seed is the user's second factor, and the code of that step is spent. Needs its lock."""
    conn.execute(
        """
        update users set totp_seed = totp_pending_seed, totp_pending_seed = null, totp_confirmed_at = %s,
                         totp_last_step = %s
        where id = %s
        """,
        (now, step, user_id),
    )


def spend_step(conn: Connection, user_id: str, step: int) -> bool:
    """The code of that step is spent; False when it, or one of a later step, was spent before (RFC 6238, 5.2).

    One guarded statement: of any number of attempts at once, one finds the row as the guard wants it.
    """
    done = conn.execute(
        "update users set totp_last_step = %s where id = %s and totp_seed is not null and totp_last_step < %s",
        (step, user_id, step),
    )
    return done.rowcount == 1


def replace_recovery_codes(conn: Connection, user_id: str, code_hashes: Sequence[bytes], now: datetime) -> None:
    """These, and no others, are the user's recovery codes. Needs its lock."""
    conn.execute("delete from recovery_codes where user_id = %s", (user_id,))
    conn.execute(
        "insert into recovery_codes (user_id, code_hash, created_at) select %s, code_hash, %s from unnest(%s::bytea[])"
        " as code (code_hash)",
        (user_id, now, list(code_hashes)),
    )


def spend_recovery_code(conn: Connection, user_id: str, code_hash: bytes, now: datetime) -> bool:
    """The recovery code is spent; False when the user has no such code, or spent it before."""
    done = conn.execute(
        "update recovery_codes set used_at = %s where user_id = %s and code_hash = %s and used_at is null",
        (now, user_id, code_hash),
    )
    return done.rowcount == 1


def unused_recovery_codes(conn: Connection, user_id: str) -> int:
    """How many recovery codes the user has left."""
    row = conn.execute(
        "select count(*) from recovery_codes where user_id = %s and used_at is null", (user_id,)
    ).fetchone()
    assert row is not None, "an aggregate has one row"
    return int(row[0])
